"""Preparing what recipients get, in folders that nobody else reads, whole with manifests, before any of it leaves.

One transaction reads the rows of all, records their disclosures one after the other and writes the ledger's rows; a
recipient's folder gets its name before it ends. A folder whose consignment the ledger does not know is what a cut left
behind.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql

from doudi.deliveries import make_durable
from doudi.extracts import changes, disclosures, encrypting, ledger, pseudonyms
from doudi.extracts.changes import Changes
from doudi.extracts.checking import check
from doudi.extracts.declaration import Declaration
from doudi.extracts.forms import FORMS
from doudi.extracts.forms.about import About
from doudi.extracts.ledger import Build, Consignment, File
from doudi.extracts.marts import Mart, load_marts, standing_columns
from doudi.extracts.query import Query, condition_of, query_of
from doudi.extracts.writing import MAY_WAIT, PlannedFile, write_all
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost
from doudi.transform.builds import marts_kept_still
from doudi.warehouse.connection import without_values

MANIFEST = "manifest.json"
_ONE_AT_A_TIME = 7_202_008  # any number, as long as every process takes the same
_AREA = re.compile(r"\d{2,12}")
_NOBODY = sql.SQL("select null::uuid where false")


@dataclass(frozen=True, kw_only=True)
class Order:
    """Whose extract is to be prepared, where it goes, and the recipient's consignments so far."""

    declaration: Declaration
    destination: str
    before: Sequence[Consignment]


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """What is written of an order into the folder ``unfinished``, which becomes ``whole``."""

    order: Order
    whole: Path
    unfinished: Path
    files: Sequence[PlannedFile]
    changes: Changes | None


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The rows of one area, or all where ``area`` is None."""

    area: str | None
    query: Query
    rows_expected: float


def staging(settings: Settings, consignment: Consignment) -> Path:
    """Where a consignment lies until it is delivered."""
    return settings.outgoing / consignment.recipient / consignment.folder


def clear(consignment: Consignment, *, settings: Settings) -> None:
    """Remove what was staged of a consignment that waits no longer."""
    shutil.rmtree(staging(settings, consignment), ignore_errors=True)


@contextmanager
def undisturbed(connection: psycopg.Connection) -> Iterator[None]:
    """No build changes the marts meanwhile, nobody else prepares, and each transaction sees one moment of it all.

    Disclosures make one chain, which a snapshot from before another's would fork.
    """
    connection.execute("select pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with marts_kept_still(connection):
            yield
    finally:
        connection.isolation_level = None
        connection.execute("select pg_advisory_unlock(%s)", (_ONE_AT_A_TIME,))


def prepare(
    connection: psycopg.Connection, orders: Sequence[Order], *, settings: Settings, build: Build, url: str
) -> list[Consignment | Exception]:
    """Write the files and manifests of all orders, `undisturbed`, and commit as prepared those that are whole.

    Returns what became of each order: its consignment, or why there is none, such as an ExtractError where the
    declaration asks for what is not there or not to be had so. One that fails keeps no other from being prepared.
    """
    marts = load_marts(settings.dbt_project)
    outcomes: dict[int, Consignment | Exception] = {}
    drafts: dict[int, _Draft] = {}
    try:
        with connection.transaction():
            connection.execute(MAY_WAIT)
            for number, order in enumerate(orders):
                with _kept(outcomes, number), connection.transaction():
                    drafts[number] = _draft(
                        connection, order, number=number, marts=marts, settings=settings, build=build
                    )
            files = [file for draft in drafts.values() for file in draft.files]
            written = {file.path: outcome for file, outcome in write_all(connection, files, url=url)}
            data_dates = ledger.data_dates(connection, build)
            for number, draft in drafts.items():
                with _kept(outcomes, number), connection.transaction():
                    outcomes[number] = _finish(connection, draft, written, build=build, data_dates=data_dates)
    finally:
        for draft in drafts.values():
            shutil.rmtree(draft.unfinished, ignore_errors=True)  # whole ones have another name by now
    return [outcomes[number] for number in range(len(orders))]


@contextmanager
def _kept(outcomes: dict[int, Consignment | Exception], number: int) -> Iterator[None]:
    """An error is what became of this order, and nothing to the others."""
    try:
        yield
    except psycopg.Error as error:
        outcomes[number] = without_values(error, step="extract")
    except Exception as error:
        outcomes[number] = error


def _draft(
    connection: psycopg.Connection,
    order: Order,
    *,
    number: int,
    marts: dict[str, Mart],
    settings: Settings,
    build: Build,
) -> _Draft:
    """What the order asks for, checked. ``number`` is that of no other order of this transaction."""
    declaration = order.declaration
    key = encrypting.public_key(declaration)
    standing = standing_columns(connection, declaration.source)
    mart = check(declaration, marts=marts, standing=standing)
    tables = _pseudonyms(connection, declaration, mart, folder=settings.keys, number=number)
    query = query_of(declaration, mart=mart, standing=standing, as_of=build.as_of, pseudonyms=tables)
    changed = None
    if declaration.content == "changes":
        changed = changes.changes_of(connection, declaration, query, mart=mart, number=number)
        query = changed.query
    parts = list(_parts(connection, declaration, query))
    whole = settings.outgoing / declaration.recipient / ledger.free_folder(order.before, build)
    unfinished = _begun(whole)
    files = []
    for part in parts:
        about = About(title=declaration.title, as_of=build.as_of, contracts=settings.contracts, part=part.area)
        for name in declaration.formats:
            form = FORMS[name]
            stem = "_".join(filter(None, (form.called or declaration.recipient, part.area, f"{build.as_of:%Y%m%d}")))
            files.append(
                PlannedFile(
                    declaration=declaration,
                    form=name,
                    query=part.query,
                    path=unfinished / f"{stem}{form.suffix}",
                    about=about,
                    key=key,
                    is_ours=bool(tables or changed),
                    work=part.rows_expected * form.effort,
                )
            )
    return _Draft(order=order, whole=whole, unfinished=unfinished, files=files, changes=changed)


def _pseudonyms(
    connection: psycopg.Connection, declaration: Declaration, mart: Mart, *, folder: Path, number: int
) -> dict[str, sql.Identifier]:
    """The table of pseudonyms for each kind of identifier that the declaration gives one."""
    columns: dict[str, list[sql.Composable]] = {}
    for column in declaration.handed_out:
        if column.treatment == "pseudonym":
            kind = mart.columns[column.name].personal or ""
            columns.setdefault(kind, []).append(sql.Identifier("mart", column.name))
    if not columns:
        return {}
    key = pseudonyms.key_of(declaration.recipient, folder=folder)
    source = sql.SQL("{} as mart").format(sql.Identifier(*mart.name.split(".")))
    condition = condition_of(declaration)
    return {
        kind: pseudonyms.tabulate(
            connection,
            key,
            table=f"pseudonym_of_{kind}_{number}",
            kind=kind,
            values=pseudonyms.values_of(names, source=source, condition=condition),
        )
        for kind, names in columns.items()
    }


def _parts(connection: psycopg.Connection, declaration: Declaration, query: Query) -> Iterator[_Part]:
    """One for each file's area. Files and sheets are called by codes of areas only, never by what a row says."""
    for column in filter(None, (declaration.split.file, declaration.split.sheet)):
        values = [value for (value,) in connection.execute(query.distinct(column)).fetchall()]
        if not all(value is not None and _AREA.fullmatch(value) for value in values):
            raise declaration.fault(f"split: {column} holds more than codes of areas")
        if column == declaration.split.file:
            yield from (_part(connection, query.only(column, value), area=value) for value in values)
    if declaration.split.file is None:
        yield _part(connection, query, area=None)


def _part(connection: psycopg.Connection, query: Query, *, area: str | None) -> _Part:
    (plans,) = connection.execute(sql.SQL("explain (format json) {}").format(query.cells())).fetchone()
    return _Part(area=area, query=query, rows_expected=plans[0]["Plan"]["Plan Rows"])


def _begun(whole: Path) -> Path:
    """An empty folder for its owner's eyes, whose name nobody else writes under; what cuts left behind is removed."""
    whole.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole.parent.mkdir(exist_ok=True, mode=0o700)
    for path in (whole, *whole.parent.glob(".*.part")):  # the ledger does not know them
        shutil.rmtree(path, ignore_errors=True)
    return Path(mkdtemp(prefix=f".{whole.name}.", suffix=".part", dir=whole.parent))


def _finish(
    connection: psycopg.Connection,
    draft: _Draft,
    written: dict[Path, File | Exception],
    *,
    build: Build,
    data_dates: dict[str, dict[str, str]],
) -> Consignment:
    """Record what was written, add the manifest and give the folder its name. Raises what kept a file from being."""
    declaration = draft.order.declaration
    files = [_whole(written[planned.path], declaration) for planned in draft.files]
    consignment = Consignment(
        recipient=declaration.recipient,
        build=build,
        declaration_sha256=declaration.sha256,
        folder=draft.whole.name,
        destination=draft.order.destination,
        state="prepared",
        files=tuple(files),
    )
    ledger.prepared(connection, consignment, declaration)
    if draft.changes:
        changes.remember(connection, declaration, draft.changes)
    told = [
        _disclose(connection, declaration, planned.query, file, build)
        for planned, file in zip(draft.files, files, strict=True)
    ]
    _write_durably(draft.unfinished / MANIFEST, _manifest(declaration, consignment, told, data_dates))
    _sync_folder(draft.unfinished)
    draft.unfinished.rename(draft.whole)
    _sync_folder(draft.whole.parent)
    return consignment


def _whole(outcome: File | Exception, declaration: Declaration) -> File:
    if isinstance(outcome, WorkerLost):
        raise WorkerLost(f"{declaration.recipient}: {outcome}; its extract is made anew the next time")
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _sync_folder(folder: Path) -> None:
    """Names are on the disk before the ledger says that files are there."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disclose(
    connection: psycopg.Connection, declaration: Declaration, query: Query, file: File, build: Build
) -> dict[str, object]:
    """Record whose data the file holds; returns what the manifest says of it."""
    handed_out = disclosures.HandedOut(
        recipient=declaration.recipient,
        purpose=declaration.purpose,
        legal_basis=declaration.legal_basis,
        declaration=declaration.text,
        columns=tuple(
            disclosures.DisclosedColumn(name=field.name, heading=field.heading, treatment=field.treatment)
            for field in query.fields
        ),
        build_id=build.build_id,
        as_of=build.as_of,
        file_name=file.file_name,
        file_sha256=file.sha256,
        rows=file.rows,
    )
    number, chained = disclosures.record(connection, handed_out, people=query.person_ids() or _NOBODY)
    columns = [asdict(column) for column in handed_out.columns]
    return {**asdict(file), "columns": columns, "disclosure_id": number, "disclosure_hash": chained}


def _manifest(
    declaration: Declaration,
    consignment: Consignment,
    files: list[dict[str, object]],
    data_dates: dict[str, dict[str, str]],
) -> bytes:
    manifest = {
        "recipient": declaration.recipient,
        "purpose": declaration.purpose,
        "legal_basis": declaration.legal_basis,
        "contact": declaration.contact,
        "content": declaration.content,
        "as_of": consignment.build.as_of.isoformat(),
        "build_id": consignment.build.build_id,
        "declaration_sha256": consignment.declaration_sha256,
        "data_dates": data_dates,
        "columns": files[0]["columns"] if files else [],
        "files": [{name: value for name, value in file.items() if name != "columns"} for file in files],
    }
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _write_durably(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        make_durable(file)
