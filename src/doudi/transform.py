"""Builds of the marts: dbt started in this process, and the ledger of what each build took in.

A build for the latest date changes identity and marts in place. A build for an earlier date leaves them alone: it goes
to schemas of its own (``marts_as_of_20200331``), made anew each time.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from doudi.contracts import Contract, load_contracts
from doudi.settings import TIME_ZONE, Settings, load_settings, parse_date
from doudi.warehouse.connection import WarehouseError, connect, warehouse_url

_BUILD_LOCK = 7_202_004  # any number, as long as every process takes the same
_SUFFIXED = ("staging", "intermediate", "identity", "marts")
_CALENDAR_FROM = 2004  # the first year that chinesecalendar knows

Progress = Callable[[str], None]


class BuildError(Exception):
    """A build did not succeed; ``failed`` says which nodes failed and how, without a value of any row."""

    def __init__(self, failed: tuple[str, ...]) -> None:
        super().__init__("; ".join(failed))
        self.failed = failed


@dataclass(frozen=True, kw_only=True)
class IndicatorCount:
    """Warnings of one indicator: standing, and of this build's date opened and cleared."""

    open: int
    opened: int
    cleared: int


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What a build did; ``schema_suffix`` is empty where it changed the marts of the present."""

    build_id: int
    as_of: date
    schema_suffix: str
    models: int
    tests: int
    seconds: float
    warnings: dict[str, IndicatorCount]


@dataclass(frozen=True, kw_only=True)
class _Node:
    name: str
    kind: str
    status: str
    seconds: float
    message: str

    @property
    def failed(self) -> bool:
        return self.status in ("error", "fail", "runtime error")


@dataclass(frozen=True, kw_only=True)
class _Dbt:
    """One installation's dbt: where it connects, and the variables that every command needs."""

    url: str
    settings: Settings
    as_of: date
    schema_suffix: str = ""
    history_schema: str = ""
    progress: Progress = field(default=lambda line: None)

    def run(self, *command: str) -> list[_Node]:
        """Run one command and return its nodes. Raises BuildError where dbt does not get as far as running them."""
        from dbt.cli.main import dbtRunner

        with _environment(self.url, as_of=self.as_of), _errors_without_values():
            outcome = dbtRunner(callbacks=[self._report]).invoke([*command, *self._options()])
        nodes = [_node(result) for result in getattr(outcome.result, "results", None) or ()]
        if outcome.exception is not None:
            raise BuildError((f"dbt {command[0]}: {outcome.exception}",))
        return nodes

    def _options(self) -> list[str]:
        project, home = self.settings.dbt_project, self.settings.home / "dbt"
        return [
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *(
                "--target-path",
                str(home / f"target{self.schema_suffix and '_apart'}"),
                "--log-path",
                str(home / "logs"),
            ),
            *("--log-level", "none", "--log-level-file", "none", "--vars", json.dumps(self._variables())),
        ]

    def _variables(self) -> dict[str, Any]:
        models = self.settings.dbt_project / "models"
        contracts = load_contracts(self.settings.contracts).values()
        return {
            "schema_suffix": self.schema_suffix,
            "history_schema": self.history_schema,
            "people": [person for contract in contracts for person in _people(contract)],
            "indicators": sorted(path.stem for path in models.rglob("ind_*.sql")),
        }

    def _report(self, event: Any) -> None:
        if event.info.name == "NodeFinished":
            node = event.data.node_info
            self.progress(f"{node.resource_type} {node.node_name}: {node.node_status}")


def build(*, url: str, settings: Settings, as_of: date, progress: Progress | None = None) -> BuildResult:
    """Compute everything as of a date and record it in ops.build. Waits for a build that is running.

    Raises BuildError where a model or a test failed; what readers see is then as the build before left it, but for
    the tables that were changed before the failure.
    """
    say = progress or (lambda line: None)
    if as_of > datetime.now(TIME_ZONE).date():
        raise BuildError((f"as of {as_of}: that day has not come yet",))
    started = time.monotonic()
    with connect(url, autocommit=True, step="build") as session:
        _lock(session, say)
        suffix = _schema_suffix(session, as_of)
        content = _content(settings)
        with_seeds = content["seeds"] != _loaded_seeds(session)
        build_id = _open(session, as_of=as_of, suffix=suffix)
        try:
            _load_calendar(session, last_year=max(as_of.year, datetime.now(TIME_ZONE).year) + 1)
            _drop_schemas(session, suffix)
            prepared = time.monotonic()
            dbt = _Dbt(
                url=url, settings=settings, as_of=as_of, progress=say,
                schema_suffix=suffix, history_schema="marts" if suffix else "",
            )  # fmt: skip
            without = ["unit_test"] if with_seeds else ["unit_test", "seed"]
            nodes = dbt.run("build", *(part for kind in without for part in ("--exclude-resource-type", kind)))
            _refuse_failures(nodes)
            warnings = _count_warnings(session, as_of=as_of, suffix=suffix)
        except BaseException as error:
            _close(session, build_id, status="failed", error=_reason(error))
            raise
        seconds = round(time.monotonic() - started, 3)
        timings = {
            "content": content,
            "prepare": round(prepared - started, 3),
            "dbt": round(seconds - (prepared - started), 3),
            "nodes": {node.name: round(node.seconds, 3) for node in nodes if node.kind != "test"},
            "tests": round(sum(node.seconds for node in nodes if node.kind == "test"), 3),
        }
        models, tests = (sum(node.kind == kind for node in nodes) for kind in ("model", "test"))
        _close(session, build_id, status="succeeded", models=models, tests=tests, timings=timings)
    return BuildResult(
        build_id=build_id, as_of=as_of, schema_suffix=suffix, models=models, tests=tests, seconds=seconds,
        warnings=warnings,
    )  # fmt: skip


def is_needed(url: str, as_of: date) -> bool:
    """Whether a build as of a date could give anything that the last one for that date did not."""
    content = _content(load_settings())
    with connect(url, step="build") as session:
        suffix = _schema_suffix(session, as_of)
        last = session.execute(
            """
            select status, as_of, timings -> 'content', started_at
            from ops.build
            where schema_suffix = %s
            order by build_id desc
            limit 1
            """,
            (suffix,),
        ).fetchone()
        if last is None or last[:3] != ("succeeded", as_of, content):
            return True
        if not suffix:
            return bool(_new_loads(session, as_of))
        newer = session.execute(
            "select exists (select from ops.load where status = 'published' and data_date <= %s and finished_at >= %s)",
            (as_of, last[3]),
        ).fetchone()
        return newer == (True,)


def unit_tests(*, url: str, settings: Settings, progress: Progress | None = None) -> int:
    """Run dbt's unit tests against empty tables in schemas of their own, and return how many passed.

    The warehouse needs its schemas (`doudi init`) and nothing in them. Raises BuildError that names those that fail.
    """
    suffix = "_unit_test"
    dbt = _Dbt(
        url=url,
        settings=settings,
        as_of=date(2020, 6, 30),
        schema_suffix=suffix,
        progress=progress or (lambda line: None),
    )
    with connect(url, autocommit=True, step="unit tests") as session:
        _lock(session, dbt.progress)
        _load_calendar(session, last_year=datetime.now(TIME_ZONE).year + 1)
        try:
            _refuse_failures(dbt.run("seed"))
            _refuse_failures(dbt.run("run", "--empty"))
            nodes = dbt.run("test", "--select", "test_type:unit")
            _refuse_failures(nodes)
        finally:
            _drop_schemas(session, suffix)
    return len(nodes)


def _lock(session: psycopg.Connection, say: Progress) -> None:
    """Held until the session ends, however it ends."""
    if session.execute("select pg_try_advisory_lock(%s)", (_BUILD_LOCK,)).fetchone() != (True,):
        say("another build is running; waiting for it to end")
        session.execute("select pg_advisory_lock(%s)", (_BUILD_LOCK,))


def _schema_suffix(session: psycopg.Connection, as_of: date) -> str:
    row = session.execute(
        "select max(as_of) from ops.build where status = 'succeeded' and schema_suffix = ''"
    ).fetchone()
    latest = row[0] if row else None
    return "" if latest is None or as_of >= latest else f"_as_of_{as_of:%Y%m%d}"


def _content(settings: Settings) -> dict[str, str]:
    """Hashes of what a build is made from besides the registers: models, seeds, contracts, calendar, dbt."""
    project = settings.dbt_project
    code = [path for kind in ("macros", "models", "tests") for path in (project / kind).rglob("*")]
    return {
        "seeds": _hash((project / "seeds").rglob("*")),
        "code": _hash([*code, project / "dbt_project.yml", *settings.contracts.glob("*.yml")]),
    }


def _hash(paths: Any) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _loaded_seeds(session: psycopg.Connection) -> str | None:
    """The hash of the seeds that stand in the reference schema; None where a build failed that may have changed them."""
    row = session.execute(
        "select timings -> 'content' ->> 'seeds' from ops.build order by build_id desc limit 1"
    ).fetchone()
    return row[0] if row else None


def _new_loads(session: psycopg.Connection, as_of: date) -> list[int]:
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


def _open(session: psycopg.Connection, *, as_of: date, suffix: str) -> int:
    """A row for this build. Whatever else says it is running was cut off: the lock is ours."""
    session.execute(
        "update ops.build set status = 'failed', finished_at = now(), error = 'cut off' where status = 'running'"
    )
    row = session.execute(
        "insert into ops.build (as_of, schema_suffix, load_ids) values (%s, %s, %s) returning build_id",
        (as_of, suffix, [] if suffix else _new_loads(session, as_of)),
    ).fetchone()
    assert row is not None  # noqa: S101 (returning gives a row)
    return row[0]


def _close(
    session: psycopg.Connection,
    build_id: int,
    *,
    status: str,
    models: int | None = None,
    tests: int | None = None,
    timings: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    session.execute(
        """
        update ops.build
        set status = %s, models = %s, tests = %s, timings = %s, error = %s, finished_at = clock_timestamp()
        where build_id = %s
        """,
        (status, models, tests, Jsonb(timings or {}), error, build_id),
    )


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, BuildError | WarehouseError) else type(error).__name__


def _drop_schemas(session: psycopg.Connection, suffix: str) -> None:
    """A build of a past date starts from nothing; the schemas of the present are never touched."""
    if suffix:
        session.execute("set client_min_messages to warning")
        for schema in _SUFFIXED:
            session.execute(f"drop schema if exists {schema}{suffix} cascade")


def _load_calendar(session: psycopg.Connection, *, last_year: int) -> None:
    """Bring reference.working_day up to the end of a year; days that are right already stay untouched."""
    first, last = date(_CALENDAR_FROM, 1, 1), date(last_year, 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    number, rows = 0, []
    for day in days:
        working = _is_working_day(day)
        number += working
        rows.append((day, working, number))
    with session.transaction():
        session.execute(
            """
            create table if not exists reference.working_day (
                date date primary key, is_working_day boolean not null, working_day_no integer not null
            )
            """
        )
        session.execute("create temporary table calendar (like reference.working_day) on commit drop")
        with session.cursor().copy("copy calendar from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        session.execute(
            """
            merge into reference.working_day as kept using calendar on kept.date = calendar.date
            when matched and (kept.is_working_day, kept.working_day_no)
                is distinct from (calendar.is_working_day, calendar.working_day_no)
                then update set is_working_day = calendar.is_working_day, working_day_no = calendar.working_day_no
            when not matched
                then insert values (calendar.date, calendar.is_working_day, calendar.working_day_no)
            """
        )


def _is_working_day(day: date) -> bool:
    """By the official calendar; a year that is not announced yet counts Monday to Friday."""
    import chinese_calendar

    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5


def _count_warnings(session: psycopg.Connection, *, as_of: date, suffix: str) -> dict[str, IndicatorCount]:
    rows = session.execute(
        f"""
        select indicator.code,
            count(*) filter (where warning.warning_id is not null and closed_on is null),
            count(*) filter (where closed_on is null and opened_on = %(as_of)s),
            count(*) filter (where status = 'cleared' and closed_on = %(as_of)s and opened_on < closed_on)
        from reference.indicator as indicator
        left join marts{suffix}.warning as warning on warning.indicator_code = indicator.code
        group by indicator.code
        order by indicator.code
        """,
        {"as_of": as_of},
    )
    return {code: IndicatorCount(open=count, opened=new, cleared=gone) for code, count, new, gone in rows}


def _people(contract: Contract) -> Iterator[dict[str, Any]]:
    """The columns of a feed that hold a citizen ID, each with the column of the name that goes with it."""
    for column in contract.columns:
        if column.type == "id":
            name = column.name.removesuffix("citizen_id") + "name"
            yield {
                "feed": contract.name,
                "column": column.name,
                "name_column": name if contract.has(name) else None,
                "is_own": column.name == "citizen_id" or column.primary_key,
            }


def _node(result: Any) -> _Node:
    kind = str(result.node.resource_type)
    message = result.message or ""
    if kind == "test" and str(result.status) == "fail":
        message = f"{result.failures} rows"
    return _Node(
        name=result.node.name, kind=kind, status=str(result.status), seconds=result.execution_time,
        message=message.strip().replace("\n", " "),
    )  # fmt: skip


def _refuse_failures(nodes: list[_Node]) -> None:
    failed = tuple(f"{node.kind} {node.name}: {node.message}" for node in nodes if node.failed)
    if failed:
        raise BuildError(failed)


@contextmanager
def _environment(url: str, *, as_of: date) -> Iterator[None]:
    """What profiles.yml and the macro as_of read, for as long as dbt runs."""
    parts = conninfo_to_dict(url)
    ours = {
        "DOUDI_DBT_HOST": parts.get("host", "localhost"),
        "DOUDI_DBT_PORT": parts.get("port", "5432"),
        "DOUDI_DBT_USER": parts.get("user", ""),
        "DBT_ENV_SECRET_DOUDI_PASSWORD": parts.get("password", ""),
        "DOUDI_DBT_DBNAME": parts.get("dbname", ""),
        "DOUDI_DBT_SSLMODE": parts.get("sslmode", "prefer"),
        "DOUDI_DBT_AS_OF": as_of.isoformat(),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update({name: str(value) for name, value in ours.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _errors_without_values() -> Iterator[None]:
    """Postgres's messages quote rows, and dbt keeps them in its results, artifacts and logs.

    While dbt runs, what it is told of a database error is the error's class and place only.
    """
    import psycopg2
    from dbt.adapters.postgres.connections import PostgresConnectionManager
    from dbt_common.exceptions import DbtDatabaseError

    told_by_dbt = PostgresConnectionManager.exception_handler

    @contextmanager
    def handler(self: Any, sql: str) -> Iterator[None]:
        with told_by_dbt(self, sql):
            try:
                yield
            except psycopg2.Error as error:
                places = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
                message = " ".join(filter(None, (type(error).__name__, error.pgcode, *places)))
                raise DbtDatabaseError(message) from None

    PostgresConnectionManager.exception_handler = handler
    try:
        yield
    finally:
        PostgresConnectionManager.exception_handler = told_by_dbt


def main(arguments: list[str]) -> int:
    """``python -m doudi.transform --as-of 2020-06-30 <dbt command>``: dbt by hand, with what a build would pass it."""
    settings = load_settings()
    as_of = settings.date_of_run()
    if arguments[:1] == ["--as-of"]:
        as_of, arguments = parse_date(arguments[1], name="--as-of"), arguments[2:]
    dbt = _Dbt(url=warehouse_url(settings), settings=settings, as_of=as_of, progress=print)
    try:
        _refuse_failures(dbt.run(*arguments))
    except BuildError as error:
        print(*error.failed, sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
