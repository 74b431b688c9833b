"""Extracts: what each department is handed out, as declared in extracts/<recipient>.yml and recorded in ops.extract.

A file appears under its name only when it is whole, and its manifest after it; so whoever finds a manifest finds all.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import psycopg
import xlsxwriter
import yaml
from psycopg import sql
from pydantic import Field, ValidationError

from doudi.closed import Closed
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url

_BATCH_ROWS = 5000
_IDENTIFIER = r"^[a-z][a-z0-9_]*$"


class ExtractError(Exception):
    """A declaration is wrong or asks for what is not there; the message names the file."""


class ExtractColumn(Closed):
    name: str = Field(pattern=_IDENTIFIER)
    heading: str


class Declaration(Closed):
    """Who gets which columns of which rows of which mart, why, and in which forms."""

    recipient: str = Field(pattern=_IDENTIFIER)
    title: str
    purpose: str
    legal_basis: str
    source: str = Field(pattern=r"^marts\.[a-z][a-z0-9_]*$")
    rows: dict[str, str]
    columns: tuple[ExtractColumn, ...] = Field(min_length=1)
    order_by: tuple[str, ...]
    formats: tuple[Literal["csv", "xlsx"], ...] = Field(min_length=1)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.columns]


@dataclass(frozen=True, kw_only=True)
class SentExtract:
    """A file that was handed out: whose, where, how many rows, and its SHA-256."""

    recipient: str
    file_name: str
    path: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class _Build:
    build_id: int
    as_of: date


def load_declaration(path: Path) -> Declaration:
    """Read one declaration. Raises ExtractError with the file's name and each fault."""
    try:
        declaration = Declaration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ExtractError(f"{path.name}: {error}") from None
    if declaration.recipient != path.stem:
        raise ExtractError(f"{path.name}: its recipient says {declaration.recipient}")
    return declaration


def load_declarations(folder: Path) -> dict[str, Declaration]:
    return {path.stem: load_declaration(path) for path in sorted(folder.glob("*.yml"))}


def send_all(*, settings: Settings, as_of: date | None = None) -> list[SentExtract]:
    """Hand out every declared extract of the last build that has not been handed out yet.

    ``as_of`` asks for the last build of that date. Raises ExtractError where there is no build to hand out.
    """
    declarations = load_declarations(settings.extracts)
    with connect(warehouse_url(settings), step="extract") as connection:
        build = _last_build(connection, as_of)
        sent = _already_sent(connection, build)
    due = [name for name, declaration in declarations.items() if (name, declaration.sha256) not in sent]
    return send(due, settings=settings, out=settings.out, as_of=as_of)


def send(recipients: list[str], *, settings: Settings, out: Path, as_of: date | None = None) -> list[SentExtract]:
    """Write the extracts of ``recipients`` from the last build under ``out``, and record them."""
    declarations = load_declarations(settings.extracts)
    unknown = sorted(set(recipients) - set(declarations))
    if unknown:
        raise ExtractError(f"no extract is declared for {', '.join(unknown)}; there are {', '.join(declarations)}")
    results = []
    with connect(warehouse_url(settings), step="extract") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # all files tell of one build
        build = _last_build(connection, as_of)
        for name in recipients:
            results += _send_one(connection, declarations[name], build=build, out=out)
    return results


def _last_build(connection: psycopg.Connection, as_of: date | None) -> _Build:
    row = connection.execute(
        """
        select build_id, as_of from ops.build
        where status = 'succeeded' and schema_suffix = '' and (%s::date is null or as_of = %s)
        order by build_id desc
        limit 1
        """,
        (as_of, as_of),
    ).fetchone()
    if row is None:
        raise ExtractError(f"no marts have been built{f' as of {as_of}' if as_of else ''}: run doudi build first")
    return _Build(*row)


def _already_sent(connection: psycopg.Connection, build: _Build) -> set[tuple[str, str]]:
    query = "select distinct recipient, declaration_sha256 from ops.extract where build_id = %s"
    return set(connection.execute(query, (build.build_id,)).fetchall())


def _send_one(
    connection: psycopg.Connection, declaration: Declaration, *, build: _Build, out: Path
) -> list[SentExtract]:
    _refuse_undeclared(connection, declaration)
    folder = out / declaration.recipient / build.as_of.isoformat()
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    files = []
    for form in declaration.formats:
        path = folder / f"{declaration.recipient}_{build.as_of:%Y%m%d}.{form}"
        partial = path.with_name(f".{path.name}.part")
        rows = _WRITERS[form](connection, declaration, partial, build)
        with partial.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        partial.replace(path)
        files.append(
            SentExtract(recipient=declaration.recipient, file_name=path.name, path=str(path), rows=rows, sha256=sha256)
        )
    _write_manifest(connection, declaration, files, build=build, folder=folder)
    for file in files:
        _record(connection, declaration, file, build=build)
    return files


def _refuse_undeclared(connection: psycopg.Connection, declaration: Declaration) -> None:
    """No column gets out that its mart does not have; told before a byte is written."""
    schema, table = declaration.source.split(".")
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
        (schema, table),
    ).fetchall()
    there = {name for (name,) in rows}
    asked = {column.name for column in declaration.columns} | set(declaration.rows) | set(declaration.order_by)
    if missing := sorted(asked - there):
        raise ExtractError(f"extracts/{declaration.recipient}.yml: {declaration.source} has no {', '.join(missing)}")


def _query(declaration: Declaration) -> sql.Composed:
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in declaration.rows.items()
    ]
    return sql.SQL("select {} from {} where {} order by {}").format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in declaration.columns),
        sql.Identifier(*declaration.source.split(".")),
        sql.SQL(" and ").join([*conditions, sql.SQL("true")]),
        sql.SQL(", ").join(map(sql.Identifier, declaration.order_by)),
    )


def _rows(connection: psycopg.Connection, declaration: Declaration) -> Iterator[list[str]]:
    """The rows as text, from a cursor on the server so that memory stays flat."""
    with connection.cursor(name="extract") as cursor:
        cursor.itersize = _BATCH_ROWS
        cursor.execute(_query(declaration))
        for row in cursor:
            yield [_safe_for_spreadsheet(value) for value in row]


def _safe_for_spreadsheet(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write_csv(connection: psycopg.Connection, declaration: Declaration, path: Path, build: _Build) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the BOM is what Excel knows UTF-8 by
        writer = csv.writer(file)
        writer.writerow(declaration.headings)
        for row in _rows(connection, declaration):
            writer.writerow(row)
            count += 1
    return count


def _write_xlsx(connection: psycopg.Connection, declaration: Declaration, path: Path, build: _Build) -> int:
    """A workbook of text cells, so that no citizen ID becomes a rounded number."""
    count = 0
    widths = [_width(heading) for heading in declaration.headings]
    # In constant memory a column's width must be set before its rows; the first rows tell enough of it.
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": declaration.title, "created": datetime.combine(build.as_of, datetime.min.time())})
        sheet = book.add_worksheet(build.as_of.isoformat())
        bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        rows = _rows(connection, declaration)
        first = list(islice(rows, 200))
        for column in range(len(widths)):
            width = max([widths[column], *(_width(row[column]) for row in first)])
            sheet.set_column(column, column, min(width, 60) + 2, text)
        sheet.write_row(0, 0, declaration.headings, bold)
        for count, row in enumerate(chain(first, rows), start=1):
            for column, value in enumerate(row):
                sheet.write_string(count, column, value, text)
        sheet.autofilter(0, 0, max(count, 1), len(widths) - 1)
    return count


def _width(text: str) -> int:
    """Characters of a column that shows ``text``; a Chinese one is as wide as two Latin ones."""
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)


_WRITERS: dict[str, Callable[[psycopg.Connection, Declaration, Path, _Build], int]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}


def _write_manifest(
    connection: psycopg.Connection, declaration: Declaration, files: list[SentExtract], *, build: _Build, folder: Path
) -> None:
    data_dates = connection.execute(
        "select feed, max(data_date)::text from ops.load where status = 'published' and data_date <= %s group by feed",
        (build.as_of,),
    ).fetchall()
    manifest = {
        "recipient": declaration.recipient,
        "purpose": declaration.purpose,
        "legal_basis": declaration.legal_basis,
        "as_of": build.as_of.isoformat(),
        "build_id": build.build_id,
        "declaration_sha256": declaration.sha256,
        "columns": [column.name for column in declaration.columns],
        "data_dates": dict(sorted(data_dates)),
        "files": [{key: value for key, value in asdict(file).items() if key != "path"} for file in files],
    }
    path = folder / "manifest.json"
    partial = folder / ".manifest.json.part"
    partial.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def _record(connection: psycopg.Connection, declaration: Declaration, file: SentExtract, *, build: _Build) -> None:
    connection.execute(
        """
        insert into ops.extract (build_id, recipient, declaration_sha256, as_of, file_name, rows, sha256)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (recipient, build_id, file_name) do update
        set declaration_sha256 = excluded.declaration_sha256, rows = excluded.rows, sha256 = excluded.sha256,
            written_at = now()
        """,
        (
            build.build_id, declaration.recipient, declaration.sha256, build.as_of, file.file_name, file.rows,
            file.sha256,
        ),
    )  # fmt: skip
