"""Pulling rows from where there are no files: each pull makes the delivery of one area and day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from doudi.connectors import database, http, spool
from doudi.deliveries import Origin
from doudi.sources import Database, Http, RowSource


def pull(source: RowSource, *, folder: Path, as_of: date, tell: Callable[[str], None]) -> list[str]:
    """Bring the rows of the source's day, seen from ``as_of``, into the spool at ``folder``. Returns the file's name.

    It is pulled each time it is asked for, since rows have no time of change; the ledger knows a delivery of the same
    area and day with the same bytes again.
    """
    day = as_of if source.data_date == "today" else as_of - timedelta(days=1)
    match source:
        case Http():
            connector = http
        case Database():
            connector = database
    name = f"{source.feed}_{source.area_code}_{day:%Y%m%d}.{connector.FORM}"
    address = connector.address(source)
    berth = spool.berth(folder, source=source.name, name=name, identity=(address, source, day))
    spool.sweep(folder, source=source.name, keep=[berth])
    if berth.whole.exists():
        return []
    berth.open()
    connector.pull(source, day=day, berth=berth, tell=tell)
    size = berth.part.stat().st_size
    berth.complete(Origin(uri=f"{address}@{day}", size=size, modified_at=datetime.now(UTC)))
    return [name]
