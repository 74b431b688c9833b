"""From the marts to the recipients: what lies ready goes first, then what is due is prepared and goes out.

Each recipient is served by one process at a time. What was prepared is delivered with the same bytes however often it
takes; a consignment is made anew only where its declaration changed or its files were lost.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg

from doudi.extracts import changes, ledger, retention
from doudi.extracts.declaration import Declaration, load_declaration, load_declarations
from doudi.extracts.delivering import BY_CONNECTION, bring, connection_id, connection_of, open_place
from doudi.extracts.errors import ExtractError, NotDeliveredError
from doudi.extracts.ledger import Build, Consignment
from doudi.extracts.preparing import MANIFEST, Order, clear, prepare, staging, undisturbed
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost
from doudi.warehouse.connection import connect, warehouse_url

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class SentExtract:
    """A file that was handed out: whose, where, how many rows, and its SHA-256."""

    recipient: str
    file_name: str
    path: str
    rows: int
    sha256: str


def send_all(
    *, settings: Settings, as_of: date | None = None, progress: Progress = lambda line: None
) -> list[SentExtract]:
    """Hand out every declared extract that is due and was not handed out yet, and remove what is past its time.

    ``as_of`` asks for the build of that date; where the marts are of a later one by now, nothing new is prepared. One
    recipient's fault does not keep the others waiting: the first is raised at the end. Raises ExtractError for a
    declaration that is wrong or where nothing was built, NotDeliveredError where a recipient is out of reach.
    """
    faults: list[Exception] = []
    declarations = _readable(settings, faults)

    def place_where_due(declaration: Declaration, build: Build, before: list[Consignment]) -> str | None:
        due = as_of in (None, build.as_of) and is_due(declaration, build, before)
        return _usual_place(declaration, settings) if due else None

    with _serving(declarations, settings=settings, progress=progress, faults=faults) as service:
        waiting = service.deliver_prepared()
        new = service.prepare_and_deliver(place_where_due, as_of=as_of, or_later=True)
        retention.prune(service.connection, settings=settings, progress=progress)
        if faults:
            raise faults[0]
    return [file for consignment in waiting + new for file in _told(consignment)]


def send(
    recipients: list[str],
    *,
    settings: Settings,
    out: Path | None = None,
    as_of: date | None = None,
    progress: Progress = lambda line: None,
) -> list[SentExtract]:
    """Hand out the extracts of ``recipients`` from the build at hand, whatever their cadence.

    ``out``: under this folder and not to the recipient's connection. What lies there of this build and declaration
    already is not written again, and told all the same.
    """
    declarations = load_declarations(settings.extracts)
    unknown = sorted(set(recipients) - set(declarations))
    if unknown:
        raise ExtractError(f"no extract is declared for {', '.join(unknown)}; there are {', '.join(declarations)}")
    faults: list[Exception] = []
    standing: list[Consignment] = []

    def place_where_missing(declaration: Declaration, build: Build, before: list[Consignment]) -> str | None:
        place = str(out.resolve()) if out else _usual_place(declaration, settings)
        there = [consignment for consignment in before if _stands(consignment, declaration, build, place)]
        standing.extend(there[-1:])
        return None if there else place

    wanted = [declarations[name] for name in sorted(set(recipients))]
    with _serving(wanted, settings=settings, progress=progress, faults=faults) as service:
        service.deliver_prepared()
        new = service.prepare_and_deliver(place_where_missing, as_of=as_of)
        if faults:
            raise faults[0]
    told = {consignment.recipient: _told(consignment) for consignment in standing + new}
    return [file for name in recipients for file in told[name]]


def is_due(declaration: Declaration, build: Build, before: list[Consignment]) -> bool:
    """Whether the nightly run prepares an extract: by the cadence, and never twice of one build and declaration."""
    went_out = [
        consignment
        for consignment in before
        if consignment.declaration_sha256 == declaration.sha256 and consignment.state in ("delivered", "removed")
    ]
    if declaration.cadence == "on_demand" or any(
        consignment.build.build_id == build.build_id for consignment in went_out
    ):
        return False
    period = _PERIODS.get(declaration.cadence)
    if period is None or not went_out:
        return True
    return period(build.as_of) > period(max(consignment.build.as_of for consignment in went_out))


_PERIODS: dict[str, Callable[[date], tuple[int, int]]] = {
    "weekly": lambda day: day.isocalendar()[:2],
    "monthly": lambda day: (day.year, day.month),
    "quarterly": lambda day: (day.year, (day.month + 2) // 3),
}


def _readable(settings: Settings, faults: list[Exception]) -> list[Declaration]:
    declarations = []
    for path in sorted(settings.extracts.glob("*.yml")):
        try:
            declarations.append(load_declaration(path))
        except ExtractError as fault:
            faults.append(fault)
    return declarations


PlaceFor = Callable[[Declaration, Build, list[Consignment]], str | None]


@dataclass(frozen=True, kw_only=True)
class _Service:
    """Recipients who are served by this process and no other; ``faults`` are of single ones, the others are served."""

    connection: psycopg.Connection
    url: str
    declarations: Sequence[Declaration]
    settings: Settings
    progress: Progress
    faults: list[Exception]

    def deliver_prepared(self) -> list[Consignment]:
        """Deliver what was prepared and did not get through; what may not go out any more is withdrawn."""
        delivered: list[Consignment] = []
        for declaration in self.declarations:
            with self._faults_noted():
                delivered += (
                    self._deliver(consignment)
                    for consignment in ledger.consignments(self.connection, declaration.recipient)
                    if consignment.state == "prepared" and not self._given_up(consignment, declaration)
                )
        return delivered

    def prepare_and_deliver(
        self, place_for: PlaceFor, *, as_of: date | None, or_later: bool = False
    ) -> list[Consignment]:
        """Make what ``place_for`` has a place for, all of one moment, and deliver it.

        Nothing is made for a recipient for whom something lies ready still.
        """
        with undisturbed(self.connection):
            build = ledger.build_at_hand(self.connection, as_of, or_later=or_later)
            orders = []
            for declaration in self.declarations:
                before = ledger.consignments(self.connection, declaration.recipient)
                if any(consignment.state == "prepared" for consignment in before):
                    continue
                with self._faults_noted():
                    if place := place_for(declaration, build, before):
                        orders.append(Order(declaration=declaration, destination=place, before=before))
            outcomes = orders and prepare(self.connection, orders, settings=self.settings, build=build, url=self.url)
        delivered = []
        for outcome in outcomes:
            with self._faults_noted():
                if isinstance(outcome, Exception):
                    raise outcome
                delivered.append(self._deliver(outcome))
        return delivered

    @contextmanager
    def _faults_noted(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error:
            raise
        except Exception as fault:
            if isinstance(fault, ExtractError | NotDeliveredError | WorkerLost):
                self.progress(str(fault))
            self.faults.append(fault)

    def _given_up(self, consignment: Consignment, declaration: Declaration) -> bool:
        """Whether it may not go out any more, or cannot; then that is written down."""
        told = f"{consignment.recipient}: {consignment.folder}"
        if consignment.declaration_sha256 != declaration.sha256:
            state, told = "withdrawn", f"{told} is withdrawn, its declaration has changed"
        elif not (staging(self.settings, consignment) / MANIFEST).exists():
            state, told = "lost", f"{told} was prepared and is gone; it is made anew"
        else:
            return False
        with self.connection.transaction():
            ledger.became(self.connection, consignment, state)
            changes.forget(self.connection, consignment.recipient)
        clear(consignment, settings=self.settings)
        self.progress(told)
        return True

    def _deliver(self, consignment: Consignment) -> Consignment:
        """Bring each file there, the manifest last: who finds it finds all."""
        ready = staging(self.settings, consignment)
        names = [*(file.file_name for file in consignment.files), MANIFEST]
        with open_place(consignment.recipient, destination=consignment.destination, folder=consignment.folder) as place:
            for name in names:
                bring(place, ready / name)
        ledger.became(self.connection, consignment, "delivered")
        clear(consignment, settings=self.settings)
        return consignment


@contextmanager
def _serving(
    declarations: Sequence[Declaration], *, settings: Settings, progress: Progress, faults: list[Exception]
) -> Iterator[_Service]:
    """Two senders would deliver twice. All take the locks in one order, and they end with the session in any case."""
    url = warehouse_url(settings)
    with connect(url, autocommit=True, step="extract", role="extractor") as connection:
        for declaration in declarations:
            connection.execute(f"select pg_advisory_lock({ledger.RECIPIENT_LOCK})", (declaration.recipient,))
        yield _Service(
            connection=connection,
            url=url,
            declarations=declarations,
            settings=settings,
            progress=progress,
            faults=faults,
        )


def _usual_place(declaration: Declaration, settings: Settings) -> str:
    return BY_CONNECTION if connection_of(declaration.recipient) else str(settings.out.resolve())


def _stands(consignment: Consignment, declaration: Declaration, build: Build, place: str) -> bool:
    """Whether this was delivered of this build and declaration to this place, and is still there where we can see."""
    if (consignment.build, consignment.declaration_sha256, consignment.destination, consignment.state) != (
        *(build, declaration.sha256, place),
        "delivered",
    ):
        return False
    if place == BY_CONNECTION:
        return True
    return all((retention.folder_of(consignment) / file.file_name).is_file() for file in consignment.files)


def _told(consignment: Consignment) -> list[SentExtract]:
    by_connection = consignment.destination == BY_CONNECTION
    there = f"{connection_id(consignment.recipient)}/{consignment.folder}"
    where = there if by_connection else retention.folder_of(consignment)
    return [
        SentExtract(
            recipient=consignment.recipient,
            file_name=file.file_name,
            path=f"{where}/{file.file_name}",
            rows=file.rows,
            sha256=file.sha256,
        )
        for file in consignment.files
    ]
