"""Maintenance: whether it runs, and whether the archive has what the ledger says it has."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from doudi.doctor.finding import Finding
from doudi.settings import TIME_ZONE, Settings

_LONGEST = timedelta(days=30)  # once a week, and some weeks missed


def maintained(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    last, first_delivery = connection.execute(
        "select (select max(finished_at) from ops.maintenance), (select min(received_at) from ops.load)"
    ).fetchone()
    if first_delivery is None or datetime.now(TIME_ZONE) - (last or first_delivery) <= _LONGEST:
        return
    yield Finding(
        fault="maintenance.old",
        severity="warning",
        what=f"the last maintenance was on {last:%Y-%m-%d}" if last else "no maintenance has ever come to its end",
        meaning="what is past its time in retention.yml is still there, and the disk fills up",
        command="doudi maintain --dry-run, then doudi maintain; every week by the DAG maintenance (docs/retention.md)",
    )


def archived_files(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    """What was removed past its time is not missed."""
    rows = connection.execute(
        "select load_id, archive_path from ops.load where archive_removed_at is null order by load_id"
    ).fetchall()
    missing = [load_id for load_id, path in rows if path and not Path(path).is_file()]
    if missing:
        yield Finding(
            fault="archive.lost",
            severity="warning",
            what=f"{len(missing)} archived files are missing that retention.yml did not remove, the first of load"
            f" {missing[0]}",
            meaning="what was published from them is whole; it cannot be built anew from the originals",
            command="doudi land with these files, from a backup or sent again, puts them back; nothing is taken in"
            " twice",
        )
