"""ops.build: which builds there were, for which date and where, what each took in first, and how it ended."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from doudi.settings import Settings


def schema_suffix(session: psycopg.Connection, as_of: date) -> str:
    """Empty for the present, and for a date before the latest one built the end of the names of its own schemas."""
    (latest,) = session.execute(
        "select max(as_of) from ops.build where status = 'succeeded' and schema_suffix = ''"
    ).fetchall()[0]
    return "" if latest is None or as_of >= latest else f"_as_of_{as_of:%Y%m%d}"


def content(settings: Settings) -> dict[str, str]:
    """Hashes of what a build is made from besides the registers: the seeds, and models and contracts."""
    project = settings.dbt_project
    code = [path for kind in ("macros", "models", "tests") for path in (project / kind).rglob("*")]
    return {
        "seeds": _hash((project / "seeds").rglob("*")),
        "code": _hash([*code, project / "dbt_project.yml", *settings.contracts.glob("*.yml")]),
    }


def _hash(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def loaded_seeds(session: psycopg.Connection) -> str | None:
    """The hash of the seeds that stand in the reference schema; None after a build that failed amid changing them."""
    row = session.execute("select timings -> 'content' ->> 'seeds' from ops.build order by build_id desc limit 1")
    return next((seeds for (seeds,) in row), None)


def new_loads(session: psycopg.Connection, as_of: date) -> list[int]:
    """The published deliveries for days up to a date that no build of the present has taken in."""
    rows = session.execute(
        """
        select load_id
        from ops.load
        where status = 'published' and data_date <= %s
        except
        select unnest(load_ids) from ops.build where status = 'succeeded' and schema_suffix = ''
        order by load_id
        """,
        (as_of,),
    )
    return [load_id for (load_id,) in rows]


def holds_everything(session: psycopg.Connection, as_of: date, *, made_from: dict[str, str]) -> bool:
    """Whether the last build in the place where a date's would go was of that date, and of all there is now."""
    suffix = schema_suffix(session, as_of)
    last = last_build(session, suffix)
    if last is None or last[:3] != ("succeeded", as_of, made_from) or decided_since(session, last[3]):
        return False
    if not suffix:
        return not new_loads(session, as_of)
    if session.execute("select to_regnamespace(%s) is null", (f"marts{suffix}",)).fetchone()[0]:
        return False  # it was past its time, and removed
    query = "select from ops.load where status = 'published' and data_date <= %s and finished_at >= %s limit 1"
    return session.execute(query, (as_of, last[3])).fetchone() is None


def last_build(
    session: psycopg.Connection, suffix: str, *, but: int = 0
) -> tuple[str, date, dict[str, str] | None, datetime] | None:
    """Status, date, what it was made from and start of a place's last build, or of that ``but`` builds before it."""
    return session.execute(
        """
        select status, as_of, timings -> 'content', started_at
        from ops.build where schema_suffix = %s order by build_id desc offset %s limit 1
        """,
        (suffix, but),
    ).fetchone()


def computed_everybody(session: psycopg.Connection, suffix: str) -> bool:
    """Whether what the last build left in its intermediate tables is about everybody, not whom a night touched."""
    row = session.execute(
        """
        select coalesce(timings ->> 'everybody', 'a build before there were others') <> ''
        from ops.build where schema_suffix = %s order by build_id desc limit 1
        """,
        (suffix,),
    ).fetchone()
    return row is not None and row[0]


def decided_since(session: psycopg.Connection, moment: datetime) -> bool:
    """Whether people were joined, rows withdrawn, or people erased, by a decision that is younger than ``moment``."""
    query = """
        select
            exists (select from ops.identity_decision where decision <> 'reject' and decided_at >= %(moment)s)
            or exists (select from ops.erasure where erased_at >= %(moment)s)
    """
    return session.execute(query, {"moment": moment}).fetchone()[0]


def begin(session: psycopg.Connection, *, as_of: date, suffix: str) -> int:
    """Add a row for a build and return its id. Whatever else says it is running was cut off: the lock is ours."""
    session.execute(
        "update ops.build set status = 'failed', finished_at = now(), error = 'cut off' where status = 'running'"
    )
    ((build_id,),) = session.execute(
        "insert into ops.build (as_of, schema_suffix, load_ids) values (%s, %s, %s) returning build_id",
        (as_of, suffix, [] if suffix else new_loads(session, as_of)),
    ).fetchall()
    return build_id


def touched_and_taken_in(session: psycopg.Connection) -> tuple[int, int]:
    """How many marks of touched people a build has taken in already, and the bytes that they take up."""
    return session.execute(
        f"select count(*), coalesce(sum(pg_column_size(touched.*)), 0) from ops.touched_person as touched {_TAKEN_IN}",
        {"build": None},
    ).fetchone()


def forget_touched(session: psycopg.Connection, *, build_id: int | None = None) -> None:
    """Forget whom the deliveries touched that a build of the present has taken in; any build where None."""
    session.execute(f"delete from ops.touched_person {_TAKEN_IN}", {"build": build_id})


_TAKEN_IN = """
    where load_id in (
        select unnest(load_ids) from ops.build
        where (%(build)s::bigint is null or build_id = %(build)s) and schema_suffix = '' and status = 'succeeded'
    )
"""


def succeed(session: psycopg.Connection, build_id: int, *, models: int, tests: int, timings: dict[str, Any]) -> None:
    """Enter what a build took, and forget whom the deliveries touched that it has taken in."""
    session.execute(
        """
        update ops.build
        set status = 'succeeded', models = %s, tests = %s, timings = %s, finished_at = clock_timestamp()
        where build_id = %s
        """,
        (models, tests, Jsonb(timings), build_id),
    )
    forget_touched(session, build_id=build_id)


def fail(session: psycopg.Connection, build_id: int, *, error: str) -> None:
    session.execute(
        "update ops.build set status = 'failed', error = %s, finished_at = clock_timestamp() where build_id = %s",
        (error, build_id),
    )
