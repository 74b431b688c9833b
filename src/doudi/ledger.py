"""The ledger of deliveries, ops.load: what came, how far it is, and why it went no further."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.deliveries import Delivery

FINAL = ("published", "superseded", "refused")


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """A row of the ledger as callers see it: counts and states, no values of rows."""

    load_id: int
    feed: str
    area_code: str
    data_date: str
    file_name: str
    status: str
    encoding: str | None
    rows_read: int | None
    rows_published: int | None
    rows_unchanged: int | None
    rows_quarantined: int | None
    rows_ended: int | None
    timings: dict[str, float]
    error_code: str | None
    error: str | None


_RESULT = """
    load_id, feed, area_code, data_date::text, file_name, status, encoding, rows_read, rows_published, rows_unchanged,
    rows_quarantined, rows_ended, timings, error_code, error
"""


def read(connection: psycopg.Connection, load_id: int) -> LoadResult:
    query = f"select {_RESULT} from ops.load where load_id = %s"
    with connection.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(query, (load_id,)).fetchone()


def source_uri(delivery: Delivery) -> str:
    return delivery.path.resolve().as_uri()


def modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def seen(connection: psycopg.Connection, deliveries: list[Delivery]) -> set[Path]:
    """Those of ``deliveries`` whose file the ledger knows and is done with, by address, size and time of change.

    Spares a night with nothing new from reading every file of the inbox again.
    """
    files = {source_uri(delivery): delivery.path for delivery in deliveries}
    rows = connection.execute(
        """
        select source_uri, size_bytes, source_modified_at
        from ops.load
        where source_uri = any(%s) and status = any(%s)
        """,
        (list(files), list(FINAL)),
    ).fetchall()
    known = set(rows)
    return {path for uri, path in files.items() if (uri, path.stat().st_size, modified_at(path)) in known}


def register(
    connection: psycopg.Connection, *, delivery: Delivery, contract: Contract, sha256: str, size: int, archived: Path
) -> tuple[int, str]:
    """Enter a delivery; one that came before keeps its row. Returns its load_id and status."""
    row = {
        "feed": delivery.feed,
        "area_code": delivery.area_code,
        "data_date": delivery.data_date,
        "sequence": delivery.sequence,
        "file_name": delivery.path.name,
        "source_uri": source_uri(delivery),
        "source_modified_at": modified_at(delivery.path),
        "sha256": sha256,
        "size_bytes": size,
        "archive_path": str(archived),
        "contract_version": contract.version,
        "mode": contract.mode,
    }
    return connection.execute(
        f"""
        insert into ops.load ({", ".join(row)}) values ({", ".join(f"%({name})s" for name in row)})
        on conflict (feed, area_code, data_date, sha256) do update
        set source_uri = excluded.source_uri, source_modified_at = excluded.source_modified_at
        returning load_id, status
        """,
        row,
    ).fetchone()


def update(connection: psycopg.Connection, load_id: int, **values: Any) -> None:
    """Set columns of a delivery's row; dicts are stored as JSON."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in values.items()}
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    connection.execute(f"update ops.load set {assignments} where load_id = %(load_id)s", values | {"load_id": load_id})


def begin(connection: psycopg.Connection, load_id: int) -> None:
    connection.execute(
        """
        update ops.load
        set status = 'received', attempts = attempts + 1, started_at = now(), finished_at = null,
            error_code = null, error = null, timings = '{}'
        where load_id = %s
        """,
        (load_id,),
    )
    connection.execute("delete from ops.check_result where load_id = %s", (load_id,))
    connection.execute("delete from ops.quarantine where load_id = %s", (load_id,))


def end(connection: psycopg.Connection, load_id: int, *, status: str, **values: Any) -> None:
    update(connection, load_id, status=status, finished_at=datetime.now(UTC), **values)


def unfinished(connection: psycopg.Connection, feed: str) -> list[int]:
    """A feed's deliveries that were begun and neither published nor refused: cut off, or failed for what may pass."""
    rows = connection.execute(
        """
        select load_id from ops.load
        where status <> all(%s) and feed = %s
        order by data_date, sequence, load_id
        """,
        (list(FINAL), feed),
    ).fetchall()
    return [load_id for (load_id,) in rows]


def unfinished_feeds(connection: psycopg.Connection) -> set[str]:
    """The feeds that have such deliveries."""
    rows = connection.execute("select distinct feed from ops.load where status <> all(%s)", (list(FINAL),)).fetchall()
    return {feed for (feed,) in rows}


def suite_parameters(connection: psycopg.Connection, load_id: int) -> dict[str, int | date | None]:
    """What a suite may ask of a delivery: its ``data_date``, and ``last_rows``, the sound rows of the one before.

    The one before is what the same sender published for the same area up to that date, so that a late delivery is
    measured by its neighbour in time. None where there is none, or it had no sound row.
    """
    data_date, last_rows = connection.execute(
        """
        select this.data_date, (
            select nullif(earlier.rows_published + earlier.rows_unchanged, 0)
            from ops.load as earlier
            where earlier.feed = this.feed and earlier.area_code = this.area_code and earlier.status = 'published'
                and (earlier.data_date, earlier.sequence, earlier.load_id)
                < (this.data_date, this.sequence, this.load_id)
            order by earlier.data_date desc, earlier.sequence desc, earlier.load_id desc
            limit 1
        )
        from ops.load as this
        where this.load_id = %s
        """,
        (load_id,),
    ).fetchone()
    return {"data_date": data_date, "last_rows": last_rows}
