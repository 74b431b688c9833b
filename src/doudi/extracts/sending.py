"""From the marts to the recipients: what lies ready goes first, then what is due is prepared and goes out.

Each recipient is served by one process at a time. What was prepared is delivered with the same bytes however often it
takes; a consignment is made anew only where its declaration changed or its files were lost.
"""

import shutil
from collections.abc import Callable, Iterator
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
from doudi.extracts.preparing import MANIFEST, prepare, staging
from doudi.settings import Settings
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
    sent: list[SentExtract] = []
    with _session(settings) as connection:
        build = ledger.build_at_hand(connection, None)
        if as_of and build.as_of < as_of:
            ledger.build_at_hand(connection, as_of)
        for declaration in declarations:
            try:
                with _served(connection, declaration.recipient):
                    sent += _deliver_prepared(connection, declaration, settings, progress)
                    before = ledger.consignments(connection, declaration.recipient)
                    if (as_of is None or build.as_of == as_of) and is_due(declaration, build, before):
                        place = _usual_place(declaration, settings)
                        sent += _make_and_deliver(connection, declaration, settings, build, place, before)
            except (ExtractError, NotDeliveredError) as fault:
                progress(str(fault))
                faults.append(fault)
        retention.prune(connection, settings=settings, progress=progress)
    if faults:
        raise faults[0]
    return sent


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
    results = []
    with _session(settings) as connection:
        build = ledger.build_at_hand(connection, as_of)
        for declaration in (declarations[name] for name in recipients):
            with _served(connection, declaration.recipient):
                _deliver_prepared(connection, declaration, settings, progress)
                before = ledger.consignments(connection, declaration.recipient)
                place = str(out.resolve()) if out else _usual_place(declaration, settings)
                standing = [consignment for consignment in before if _stands(consignment, declaration, build, place)]
                if standing:
                    results += _told(standing[-1])
                else:
                    results += _make_and_deliver(connection, declaration, settings, build, place, before)
    return results


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


@contextmanager
def _session(settings: Settings) -> Iterator[psycopg.Connection]:
    with connect(warehouse_url(settings), autocommit=True, step="extract", role="extractor") as connection:
        yield connection


@contextmanager
def _served(connection: psycopg.Connection, recipient: str) -> Iterator[None]:
    """Two senders would deliver twice. The lock ends with the session, however that ends."""
    key = ("doudi.extract", recipient)
    connection.execute("select pg_advisory_lock(hashtext(%s), hashtext(%s))", key)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext(%s), hashtext(%s))", key)


def _usual_place(declaration: Declaration, settings: Settings) -> str:
    return BY_CONNECTION if connection_of(declaration.recipient) else str(settings.out.resolve())


def _deliver_prepared(
    connection: psycopg.Connection, declaration: Declaration, settings: Settings, progress: Progress
) -> list[SentExtract]:
    """Deliver what was prepared and did not get through; what may not go out any more is withdrawn."""
    sent = []
    for consignment in ledger.consignments(connection, declaration.recipient):
        if consignment.state != "prepared":
            continue
        if consignment.declaration_sha256 != declaration.sha256:
            _give_up(connection, consignment, settings, "withdrawn")
            progress(f"{declaration.recipient}: {consignment.folder} is withdrawn, its declaration has changed")
        elif not (staging(settings, consignment) / MANIFEST).exists():
            _give_up(connection, consignment, settings, "lost")
            progress(f"{declaration.recipient}: {consignment.folder} was prepared and is gone; it is made anew")
        else:
            sent += _deliver(connection, consignment, settings)
    return sent


def _give_up(connection: psycopg.Connection, consignment: Consignment, settings: Settings, state: str) -> None:
    with connection.transaction():
        ledger.became(connection, consignment, state)
        changes.forget(connection, consignment.recipient)
    shutil.rmtree(staging(settings, consignment), ignore_errors=True)


def _make_and_deliver(
    connection: psycopg.Connection,
    declaration: Declaration,
    settings: Settings,
    build: Build,
    place: str,
    before: list[Consignment],
) -> list[SentExtract]:
    consignment = prepare(connection, declaration, settings=settings, build=build, destination=place, before=before)
    return _deliver(connection, consignment, settings)


def _deliver(connection: psycopg.Connection, consignment: Consignment, settings: Settings) -> list[SentExtract]:
    """Bring each file there, the manifest last: who finds it finds all."""
    ready = staging(settings, consignment)
    names = [*(file.file_name for file in consignment.files), MANIFEST]
    with open_place(consignment.recipient, destination=consignment.destination, folder=consignment.folder) as place:
        for name in names:
            bring(place, ready / name)
    ledger.became(connection, consignment, "delivered")
    shutil.rmtree(ready, ignore_errors=True)
    return _told(consignment)


def _stands(consignment: Consignment, declaration: Declaration, build: Build, place: str) -> bool:
    """Whether this was delivered of this build and declaration to this place, and is still there where we can see."""
    if (consignment.build, consignment.declaration_sha256, consignment.destination, consignment.state) != (
        *(build, declaration.sha256, place),
        "delivered",
    ):
        return False
    if place == BY_CONNECTION:
        return True
    return all((_folder(consignment) / file.file_name).is_file() for file in consignment.files)


def _folder(consignment: Consignment) -> Path:
    return Path(consignment.destination) / consignment.recipient / consignment.folder


def _told(consignment: Consignment) -> list[SentExtract]:
    by_connection = consignment.destination == BY_CONNECTION
    where = f"{connection_id(consignment.recipient)}/{consignment.folder}" if by_connection else _folder(consignment)
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
