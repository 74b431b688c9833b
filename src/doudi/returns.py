"""Rows that go back to their senders and come again: workbooks out, replays in.

A replay is a load like any other: its file is archived, judged and published on the ledger. The rows that it takes in
again are claimed when it is entered and marked as replayed in the transaction that publishes it; so whatever is cut,
they are either open with a load that the next night finishes, or replayed.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from doudi import deliveries, ledger
from doudi.contracts import Contract, load_contracts
from doudi.deliveries import Delivery
from doudi.intake import Intake, Progress
from doudi.ledger import LoadResult
from doudi.loads import session
from doudi.quarantine import QuarantineError, fate, listing, replay, returned, workbook
from doudi.quarantine.headings import SentHeadings
from doudi.quarantine.listing import KeptRow, Origin
from doudi.quarantine.numbers import RowNumber
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url

_MASK = "•••"


@dataclass(frozen=True, kw_only=True)
class Returned:
    """A workbook for a sender: where it is, and how many rows it holds."""

    path: Path
    rows: int


@dataclass
class Replayed:
    """The loads that took rows in again, and how many rows were left open because nothing about them has changed."""

    loads: list[LoadResult] = field(default_factory=list)
    left_open: int = 0


def show(
    *, settings: Settings, load_id: int, row_no: int | None = None, values: bool = False
) -> Iterator[tuple[str, str, int, str, str, str, str, str]]:
    """Each fault of each refused row of a delivery: number, place, line, column, rule, reason, text, fate.

    The text of the cell, or of the line, is masked but with ``values``. Raises QuarantineError where there is none.
    """
    with connect(warehouse_url(settings), step="quarantine show", role="loader") as connection:
        origin = listing.find(connection, load_id)
        headings = _headings(origin, settings)
        found = False
        for row in listing.rows(connection, load_id, only=None if row_no is None else [row_no]):
            found = True
            texts = {headings.column(heading): text for heading, text in row.cells.items()}
            place = (str(row.number), row.file_name + (f" › {row.part}" if row.part else ""), row.line_no)
            for fault in row.faults:
                text = row.line if row.line is not None else texts.get(fault["column"]) or ""
                told = text if values else _MASK if text else ""
                yield (*place, fault["column"] or "", fault["rule"], fault["reason"], told, row.fate)
        if not found:
            _refuse_whole(origin)
            raise QuarantineError(f"load {load_id} has no refused {'rows' if row_no is None else f'row {row_no}'}")


def export(*, settings: Settings, out: Path, load_id: int | None = None, feed: str | None = None) -> list[Returned]:
    """Write the open rows of a delivery, or of every delivery of a feed, as workbooks to be sent back, into ``out``.

    Raises QuarantineError where there are none, or a workbook of that name is there already.
    """
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    with connect(warehouse_url(settings), step="quarantine export", role="loader") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # the rows are read twice
        for origin in _chosen(connection, settings, load_id=load_id, feed=feed):
            path = out / f"退回_T{origin.load_id}_{_stem(origin)}.xlsx"

            def read(load_id: int = origin.load_id) -> Iterator[KeptRow]:
                return listing.rows(connection, load_id, status="open")

            rows = workbook.write(
                path, origin=origin, contract=_contract(settings, origin.feed), headings=_headings(origin, settings),
                read=read,
            )  # fmt: skip
            written.append(Returned(path=path, rows=rows))
    return written


def replay_open(
    *, settings: Settings, load_id: int | None = None, feed: str | None = None, progress: Progress = lambda line: None
) -> Replayed:
    """Judge the open rows of a delivery, or of every delivery of a feed, again as they came, after a rule has changed.

    What no rule can change stays open: lines that are no records, cells that had lost their digits, and rows that
    repeat a key of their delivery. Of a feed, deliveries that were refused whole are passed over.
    Raises QuarantineError where there are no open rows, or the delivery was refused whole.
    """
    done = Replayed()
    with connect(warehouse_url(settings), step="quarantine replay", role="loader") as connection:
        origins = _chosen(connection, settings, load_id=load_id, feed=feed)
    if feed:
        origins = [origin for origin in origins if origin.status != "refused"]
    for origin in origins:
        _refuse_whole(origin)
        with _desk(settings, origin, progress) as desk:
            finished = desk.finish_begun()
            rows = _as_they_came(
                listing.rows(desk.connection, origin.load_id, status="open"), _headings(origin, settings), done
            )
            done.loads += finished + desk.take_in(rows)
    return done


def _as_they_came(rows: Iterable[KeptRow], headings: SentHeadings, done: Replayed) -> Iterator[replay.Row]:
    for row in rows:
        if row.is_beyond_rules:
            done.left_open += 1
        else:
            yield _in_order(replay.Row(row.number, row.cells), headings)


def _in_order(row: replay.Row, headings: SentHeadings) -> replay.Row:
    return replay.Row(row.number, {heading: row.cells[heading] for heading in headings.ordered(row.cells)})


def replay_file(path: Path, *, settings: Settings, progress: Progress = lambda line: None) -> Replayed:
    """Judge the corrected rows of a returned workbook again; each is found by its return number.

    Raises QuarantineError, before anything is done, where a number is unknown, doubled, or of a row that is not open.
    """
    came = returned.read(path)
    done = Replayed()
    plans: dict[int, list[replay.Row]] = {}
    with connect(warehouse_url(settings), step="quarantine replay", role="loader") as connection:
        origins = _origins_of(connection, path, came)
    # Unfinished replays of these deliveries first: what they publish is no longer open, and is then told as such.
    for origin in origins:
        with _desk(settings, origin, progress) as desk:
            done.loads += desk.finish_begun()
    finished = {result.load_id for result in done.loads}
    with connect(warehouse_url(settings), step="quarantine replay", role="loader") as connection:
        faults: list[str] = []
        for origin in origins:
            own = [row for row in came if row.number.load_id == origin.load_id]
            plans[origin.load_id] = _plan(connection, own, _headings(origin, settings), done, faults, finished)
        returned.refuse(path, faults)
    for origin in origins:
        if plans[origin.load_id]:
            with _desk(settings, origin, progress) as desk:
                done.loads += desk.take_in(plans[origin.load_id])
    return done


def replay_corrected(
    number: RowNumber, corrections: Mapping[str, str], *, settings: Settings, progress: Progress = lambda line: None
) -> LoadResult:
    """Judge one open row again with ``corrections``, text by column of the contract, as a load of its own.

    Raises QuarantineError where the row is not open, is no record, or would still hold a cell that lost its digits.
    """
    with connect(warehouse_url(settings), step="quarantine replay", role="loader") as connection:
        origin = listing.find(connection, number.load_id)
    _refuse_whole(origin)
    headings = _headings(origin, settings)
    with _desk(settings, origin, progress) as desk:
        desk.finish_begun()
        kept = next(listing.rows(desk.connection, number.load_id, only=[number.row_no]), None)
        if kept is None or kept.status != "open" or kept.line is not None:
            raise QuarantineError(f"{number} is no open row ({kept.fate if kept else 'there is none'})")
        if beyond := kept.damaged_columns - corrections.keys():
            raise QuarantineError(f"{number} has lost its digits in {', '.join(sorted(beyond))} too")
        sent = {headings.column(heading): heading for heading in kept.cells}
        missing = {column: desk.contract.column(column).header for column in corrections.keys() - sent.keys()}
        cells = {(sent | missing)[column]: text for column, text in corrections.items()}
        [result] = desk.take_in([_in_order(replay.Row(number, kept.cells | cells), headings)])
        return result


def _origins_of(connection: psycopg.Connection, path: Path, came: list[returned.ReturnedRow]) -> list[Origin]:
    """The deliveries that the rows were refused of, the oldest first."""
    origins: dict[int, Origin] = {}
    faults = []
    for row in came:
        try:
            if row.number.load_id not in origins:
                origins[row.number.load_id] = listing.find(connection, row.number.load_id)
                _refuse_whole(origins[row.number.load_id])
        except QuarantineError as error:
            faults.append(f"{row.place}: {row.number}: {error}")
    returned.refuse(path, faults)
    return sorted(origins.values(), key=lambda origin: (origin.data_date, origin.sequence, origin.load_id))


def _plan(
    connection: psycopg.Connection,
    came: list[returned.ReturnedRow],
    headings: SentHeadings,
    done: Replayed,
    faults: list[str],
    finished: set[int],
) -> list[replay.Row]:
    """The corrected rows of one delivery, in the order of its file; adds to ``faults`` what cannot be taken in."""
    places = {row.number: row for row in came}
    numbers = [number.row_no for number in places]
    load_id = came[0].number.load_id
    plan = []
    for kept in listing.rows(connection, load_id, only=numbers):
        row = places.pop(kept.number)
        if kept.status == "replayed" and kept.replay_load_id in finished:
            continue  # the same workbook again after a cut: its rows have just been taken in
        if kept.status != "open":
            faults.append(f"{row.place}: {row.number} is not open ({kept.fate})")
            continue
        try:
            again = returned.corrected(row, kept, column_of=headings.column)
        except QuarantineError as error:
            faults.append(f"{row.place}: {row.number}: {error}")
            continue
        if again is None:
            done.left_open += 1
        else:
            plan.append(_in_order(again, headings))
    faults += [f"{row.place}: there is no refused row {row.number}" for row in places.values()]
    return plan


def discard(*, settings: Settings, load_id: int, row_nos: list[int] | None, reason: str) -> int:
    """Give up open rows of a delivery, all where ``row_nos`` is None, with a reason; returns how many.

    Raises QuarantineError where a row is not open or there is none.
    """
    with connect(warehouse_url(settings), step="quarantine discard", role="loader") as connection:
        origin = listing.find(connection, load_id)
    with session(settings, origin.feed) as (connection, _):
        return fate.discard(connection, load_id=load_id, row_nos=row_nos, reason=reason)


def _chosen(
    connection: psycopg.Connection, settings: Settings, *, load_id: int | None, feed: str | None
) -> list[Origin]:
    """The delivery or the deliveries meant, each with open rows or with a replay that is to be finished."""
    if (load_id is None) == (feed is None):
        raise QuarantineError("name either a load or, with --feed, a feed")
    if load_id is None:
        _contract(settings, feed)
        return listing.with_open_rows(connection, feed)
    origin = listing.find(connection, load_id)
    if not listing.counts(connection, load_id=load_id):
        _refuse_whole(origin)
        raise QuarantineError(f"load {load_id} ({origin.file_name}) has no open rows")
    return [origin]


def _contract(settings: Settings, feed: str) -> Contract:
    contracts = load_contracts(settings.contracts)
    if feed not in contracts:
        raise QuarantineError(f"there is no contract for a feed {feed}")
    return contracts[feed]


def _headings(origin: Origin, settings: Settings) -> SentHeadings:
    contract = _contract(settings, origin.feed)
    return SentHeadings(origin.headings, contract=contract, contracts_folder=settings.contracts)


def _refuse_whole(origin: Origin) -> None:
    if origin.status == "refused":
        raise QuarantineError(
            f"load {origin.load_id} ({origin.file_name}) was refused whole: have it corrected and sent again as a whole"
        )


def _stem(origin: Origin) -> str:
    """The delivery's name without its form."""
    number = f"_{origin.sequence}" if origin.sequence else ""
    return f"{origin.feed}_{origin.area_code}_{origin.data_date:%Y%m%d}{number}"


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """One delivery's rows in hand, while nobody else takes in the same feed."""

    connection: psycopg.Connection
    settings: Settings
    origin: Origin
    contract: Contract
    work: Callable[[list[int]], list[LoadResult]]

    def finish_begun(self) -> list[LoadResult]:
        """Finish the replays that were cut, so that their rows are no longer claimed."""
        begun = fate.unfinished_replays(self.connection, self.origin.load_id)
        self.connection.commit()
        return self.work(begun)

    def take_in(self, rows: Iterable[replay.Row]) -> list[LoadResult]:
        """Enter the rows as loads of their own and take these in."""
        folder = self.settings.spool / f"replay_{self.origin.load_id}"
        shutil.rmtree(folder, ignore_errors=True)  # of one that was cut
        folder.mkdir(parents=True, mode=0o700)
        try:
            files = replay.write(rows, folder=folder, name=f"{_stem(self.origin)}.jsonl")
            load_ids = [self._enter(file) for file in files]
            self.connection.commit()
        finally:
            shutil.rmtree(folder)
        return self.work(load_ids)

    def _enter(self, file: replay.ReplayFile) -> int:
        origin = self.origin
        source = deliveries.Origin(
            uri=f"quarantine:{origin.load_id}", size=file.path.stat().st_size, modified_at=datetime.now(UTC)
        )
        delivery = Delivery(
            path=file.path, feed=origin.feed, area_code=origin.area_code, data_date=origin.data_date,
            sequence=origin.sequence, form="jsonl", pulled_from=source,
        )  # fmt: skip
        archived = deliveries.archive(delivery, folder=self.settings.archive)
        # The same rows again come as the same file; one that was refused whole is taken up again.
        load_id, _ = ledger.register(self.connection, delivery=delivery, contract=self.contract, archived=archived)
        ledger.update(self.connection, load_id, replays_load_id=origin.load_id)
        fate.claim(self.connection, load_id=origin.load_id, row_nos=file.row_nos, replay_load_id=load_id)
        return load_id


@contextmanager
def _desk(settings: Settings, origin: Origin, progress: Progress) -> Iterator[_Desk]:
    contract = _contract(settings, origin.feed)
    with session(settings, origin.feed) as (connection, url):
        intake = Intake(connection=connection, url=url, contract=contract, settings=settings, progress=progress)
        yield _Desk(connection=connection, settings=settings, origin=origin, contract=contract, work=intake.all)
