"""The ledger of deliveries, ops.load: what came, how far it is, and why it went no further."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.deliveries import Archived, Delivery, DeliveryRefused, Origin
from doudi.settings import TIME_ZONE

FINAL = ("published", "superseded", "refused")
# Shared by who copies the archive whole, held by who removes from it.
ARCHIVE_LOCK = "hashtext('doudi.archive')"


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


def seen(connection: psycopg.Connection, origins: Iterable[Origin]) -> set[Origin]:
    """Those of ``origins`` that the ledger knows, by address, size and time of change, whatever became of them.

    Spares a night with nothing new from reading every file again. One delivery may have come from many addresses.
    """
    asked = {origin.uri: origin for origin in origins}
    rows = connection.execute(
        "select source_uri, size_bytes, source_modified_at from ops.load_source where source_uri = any(%s)",
        (list(asked),),
    ).fetchall()
    known = {Origin(uri=uri, size=size, modified_at=modified_at) for uri, size, modified_at in rows}
    return {origin for origin in asked.values() if origin in known}


def register(
    connection: psycopg.Connection, *, delivery: Delivery, contract: Contract, archived: Archived
) -> tuple[int, str]:
    """Enter a delivery; one that came before, from wherever, keeps its row. Returns its load_id and status."""
    origin = delivery.origin
    row = {
        "feed": delivery.feed,
        "area_code": delivery.area_code,
        "data_date": delivery.data_date,
        "sequence": delivery.sequence,
        "file_name": delivery.path.name,
        "source_uri": origin.uri,
        "source_modified_at": origin.modified_at,
        "sha256": archived.sha256,
        "size_bytes": archived.size,
        "archive_path": str(archived.path),
        "contract_version": contract.version,
        "mode": contract.mode,
    }
    load_id, status = connection.execute(
        f"""
        insert into ops.load ({", ".join(row)}) values ({", ".join(f"%({name})s" for name in row)})
        on conflict (feed, area_code, data_date, sha256) do update
        set
            source_uri = excluded.source_uri, source_modified_at = excluded.source_modified_at,
            archive_removed_at = null -- it has just been archived again
        returning load_id, status
        """,
        row,
    ).fetchone()
    connection.execute(
        """
        insert into ops.load_source (source_uri, size_bytes, source_modified_at, load_id) values (%s, %s, %s, %s)
        on conflict (source_uri, size_bytes, source_modified_at) do update set load_id = excluded.load_id
        """,
        (origin.uri, origin.size, origin.modified_at, load_id),
    )
    return load_id, status


def refuse_removed(connection: psycopg.Connection, path: Path) -> None:
    """Raise DeliveryRefused(``file.removed``) where ``path`` is an archived file that retention.yml has had removed."""
    row = connection.execute(
        """
        select load_id, archive_removed_at from ops.load
        where archive_path = %s and archive_removed_at is not null
        order by load_id limit 1
        """,
        (str(path),),
    ).fetchone()
    if row and not path.exists():
        load_id, removed_at = row
        raise DeliveryRefused(
            "file.removed",
            f"{path.name}: the original of load {load_id} was removed on {removed_at.astimezone(TIME_ZONE):%Y-%m-%d},"
            " past its time in retention.yml: bring it from a backup, or have it sent again",
        )


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
            rows_quarantined = null, error_code = null, error = null, timings = '{}'
        where load_id = %s
        """,
        (load_id,),
    )
    connection.execute("delete from ops.check_result where load_id = %s", (load_id,))
    connection.execute("delete from ops.quarantine where load_id = %s", (load_id,))


def end(connection: psycopg.Connection, load_id: int, *, status: str, **values: Any) -> None:
    (now,) = connection.execute("select clock_timestamp()").fetchone()  # the server's clock: loaders' may differ
    update(connection, load_id, status=status, finished_at=now, **values)


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


def suite_parameters(connection: psycopg.Connection, load_id: int, *, cadence: str) -> dict[str, int | date | None]:
    """What a suite may ask of a delivery: its ``data_date``, and of the sender's last one, None where there was none,
    ``last_rows`` (its sound rows, None for none), ``last_data_date``, ``due_on`` (that day and the ``cadence``, a
    Postgres interval) and ``same_file`` (1 where its file was the same to the byte).
    """
    names = ("data_date", "last_rows", "last_data_date", "due_on", "same_file")
    row = connection.execute(
        """
        select
            this.data_date, nullif(last.rows_published + last.rows_unchanged, 0), last.data_date,
            (last.data_date + %s::interval)::date, (last.sha256 = this.sha256)::integer
        from ops.load as this
        left join ops.load as last on last.load_id = %s
        where this.load_id = %s
        """,
        (cadence, last_published(connection, load_id), load_id),
    ).fetchone()
    return dict(zip(names, row, strict=True))


def last_observed(connection: psycopg.Connection, load_id: int) -> dict[tuple[str, str | None], float]:
    """What the rules about a delivery as a whole observed in the sender's last one, by rule and column."""
    rows = connection.execute(
        """
        select rule, column_name, (observed ->> 'observed_value')::double precision
        from ops.check_result
        where load_id = %s and observed ? 'observed_value'
        """,
        (last_published(connection, load_id),),
    ).fetchall()
    return {(rule, column): value for rule, column, value in rows}


def last_published(connection: psycopg.Connection, load_id: int) -> int | None:
    """The delivery before ``load_id`` of the same sender: the last it published for the same area up to that day.

    So a late delivery is measured by its neighbour in time. Rows replayed from quarantine are no delivery, neither to
    be measured nor to measure by.
    """
    row = connection.execute(
        """
        select earlier.load_id
        from ops.load as this
        inner join ops.load as earlier
            on earlier.feed = this.feed and earlier.area_code = this.area_code and earlier.status = 'published'
            and (earlier.data_date, earlier.sequence, earlier.load_id) < (this.data_date, this.sequence, this.load_id)
        where this.load_id = %s and this.replays_load_id is null and earlier.replays_load_id is null
        order by earlier.data_date desc, earlier.sequence desc, earlier.load_id desc
        limit 1
        """,
        (load_id,),
    ).fetchone()
    return row and row[0]
