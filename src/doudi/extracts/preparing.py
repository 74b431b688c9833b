"""Writing what a recipient gets into a folder that nobody else reads, whole with its manifest, before any of it leaves.

One transaction reads the rows, records the disclosure and writes the ledger's rows; the folder gets its name before it
ends. A folder whose consignment the ledger does not know is what a cut left behind.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from doudi.deliveries import make_durable
from doudi.extracts import changes, disclosures, encrypting, ledger, pseudonyms
from doudi.extracts.checking import check
from doudi.extracts.declaration import Declaration
from doudi.extracts.forms import FORMS
from doudi.extracts.forms.about import About
from doudi.extracts.ledger import Build, Consignment, File
from doudi.extracts.marts import Mart, load_marts, standing_columns
from doudi.extracts.query import Query, condition_of, query_of
from doudi.settings import Settings
from doudi.transform.builds import marts_kept_still

MANIFEST = "manifest.json"
_ONE_AT_A_TIME = 7_202_007  # any number, as long as every process takes the same
_AREA = re.compile(r"\d{2,12}")
_NOBODY = sql.SQL("select null::uuid where false")


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The rows of one area, or all where ``area`` is None."""

    area: str | None
    query: Query


def staging(settings: Settings, consignment: Consignment) -> Path:
    """Where a consignment lies until it is delivered."""
    return settings.outgoing / consignment.recipient / consignment.folder


def prepare(
    connection: psycopg.Connection,
    declaration: Declaration,
    *,
    settings: Settings,
    build: Build,
    destination: str,
    before: list[Consignment],
) -> Consignment:
    """Write the files and the manifest, and commit them as prepared. ``before``: the recipient's consignments so far.

    Raises ExtractError before a byte is written where the declaration asks for what is not there or not to be had so.
    """
    key = encrypting.public_key(declaration)
    with _alone(connection), connection.transaction():
        standing = standing_columns(connection, declaration.source)
        mart = check(declaration, marts=load_marts(settings.dbt_project), standing=standing)
        query = _query(connection, declaration, mart=mart, standing=standing, settings=settings, build=build)
        parts = list(_parts(connection, declaration, query))
        folder = ledger.free_folder(before, build)
        whole = settings.outgoing / declaration.recipient / folder
        with _written(whole) as unfinished:
            files = _write_files(
                connection, declaration, parts, unfinished, build=build, contracts=settings.contracts, key=key
            )
            consignment = Consignment(
                recipient=declaration.recipient,
                build=build,
                declaration_sha256=declaration.sha256,
                folder=folder,
                destination=destination,
                state="prepared",
                files=tuple(file for _, file in files),
            )
            ledger.prepared(connection, consignment, declaration)
            if declaration.content == "changes":
                changes.remember(connection, declaration)
            told = [_disclose(connection, declaration, part.query, file, build) for part, file in files]
            manifest = _manifest(declaration, consignment, told, ledger.data_dates(connection, build))
            _write_durably(unfinished / MANIFEST, manifest)
    return consignment


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    """All files tell of one state of the marts: no build changes them meanwhile, and one snapshot sees it all.

    Who prepares is alone, since disclosures make one chain, which a snapshot from before another's would fork.
    """
    connection.execute("select pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with marts_kept_still(connection):
            yield
    finally:
        connection.isolation_level = None
        connection.execute("select pg_advisory_unlock(%s)", (_ONE_AT_A_TIME,))


def _query(
    connection: psycopg.Connection,
    declaration: Declaration,
    *,
    mart: Mart,
    standing: dict[str, str],
    settings: Settings,
    build: Build,
) -> Query:
    tables = _pseudonyms(connection, declaration, mart, folder=settings.keys)
    query = query_of(declaration, mart=mart, standing=standing, as_of=build.as_of, pseudonyms=tables)
    return changes.changes_of(connection, declaration, query, mart=mart) if declaration.content == "changes" else query


def _pseudonyms(
    connection: psycopg.Connection, declaration: Declaration, mart: Mart, *, folder: Path
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
            connection, key, kind=kind, values=pseudonyms.values_of(names, source=source, condition=condition)
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
            yield from (_Part(area=value, query=query.only(column, value)) for value in values)
    if declaration.split.file is None:
        yield _Part(area=None, query=query)


@contextmanager
def _written(whole: Path) -> Iterator[Path]:
    """A folder for its owner's eyes that gets its name when all in it is on the disk, and is gone where it fails."""
    unfinished = whole.with_name(f".{whole.name}.part")
    for path in (unfinished, whole):  # left behind by a cut: the ledger does not know it
        shutil.rmtree(path, ignore_errors=True)
    whole.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole.parent.mkdir(exist_ok=True, mode=0o700)
    unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        _sync_folder(unfinished)
        unfinished.rename(whole)
        _sync_folder(whole.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Names are on the disk before the ledger says that files are there."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_files(
    connection: psycopg.Connection,
    declaration: Declaration,
    parts: list[_Part],
    folder: Path,
    *,
    build: Build,
    contracts: Path,
    key: str | None,
) -> list[tuple[_Part, File]]:
    files = []
    for part in parts:
        about = About(title=declaration.title, as_of=build.as_of, contracts=contracts, part=part.area)
        for name in declaration.formats:
            form = FORMS[name]
            called = form.called or declaration.recipient
            stem = "_".join(filter(None, (called, part.area, f"{build.as_of:%Y%m%d}")))
            path = folder / f"{stem}{form.suffix}"
            rows = form.write(connection, part.query, path, about)
            files.append((part, _finish(path, rows, declaration, key)))
    return files


def _finish(path: Path, rows: int, declaration: Declaration, key: str | None) -> File:
    """Encrypt the file where there is a key, bring it to the disk, and say what it is."""
    plain = _sha256(path)
    if key:
        path = encrypting.encrypt(path, key, declaration)
    path.chmod(0o600)
    with path.open("rb+") as file:
        make_durable(file)
    return File(
        file_name=path.name,
        rows=rows,
        sha256=_sha256(path) if key else plain,
        plain_sha256=plain,
        size_bytes=path.stat().st_size,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


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
