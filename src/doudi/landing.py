"""Landing: the parts of one delivery into a table of its own, as text, at the speed of COPY.

A file of text goes to Postgres as it is, and Postgres decodes it. Only where COPY refuses the whole is it read record
by record, so that the bad lines are set aside and the rest goes in; workbooks and JSON are always read so.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile

import psycopg
from psycopg import sql

from doudi.forms import Part, Record, TextForm
from doudi.rules import reason

SEPARATOR = "\x1f"  # stands between the texts of a row where they are written as one
# Tables of one load are gone in minutes: autovacuum would read them amid the load, and keep it waiting to drop them.
UNWATCHED = "with (autovacuum_enabled = off)"
_PIECE_BYTES = 1 << 20
_SPOOL_BYTES = 1 << 22


@dataclass(frozen=True)
class LoadTables:
    """The tables that one load has to itself while it is taken in; they go when it is published or refused.

    ``landed`` holds the text as it came with ``_part`` (from 0), ``_row_no`` (through all parts, from 1) and, where it
    was read record by record, ``_line_no``; ``lines`` the lines that are no records; ``cells`` the cells that were
    damaged before they were sent; ``apart`` names the rows and the records standing in the register that have no
    equal to the letter on the other side, ``gone`` holds the latter; ``standing``, only on a cluster, all that stands;
    ``typed`` the rows as the contract types them; ``judged``, a view, these and the known ones; ``faults`` what is
    wrong.
    """

    feed: str
    load_id: int

    def _name(self, suffix: str) -> str:
        return f"landing.{self.feed}_{self.load_id}{suffix}"

    @property
    def landed(self) -> str:
        return self._name("")

    @property
    def lines(self) -> str:
        return self._name("_lines")

    @property
    def cells(self) -> str:
        return self._name("_cells")

    @property
    def apart(self) -> str:
        return self._name("_apart")

    @property
    def gone(self) -> str:
        return self._name("_gone")

    @property
    def standing(self) -> str:
        return self._name("_standing")

    @property
    def judged(self) -> str:
        return self._name("_judged")

    @property
    def typed(self) -> str:
        return self._name("_typed")

    @property
    def faults(self) -> str:
        return self._name("_faults")

    def drop(self, connection: psycopg.Connection) -> None:
        connection.execute(f"drop view if exists {self.judged}")
        for suffix in ("", "_lines", "_cells", "_apart", "_gone", "_standing", "_typed", "_faults"):
            connection.execute(f"drop table if exists {self._name(suffix)}")


@dataclass(frozen=True, kw_only=True)
class LandedPart:
    """Where a part's rows are: after ``rows_before`` up to ``last_row``; ``numbered`` if each has its line.

    ``holds_separator``: there is a SEPARATOR in it, which may be in a value; ``may_hold_blank_rows``: no look at its
    bytes has shown that each of its rows holds something.
    """

    part: Part
    position: int
    rows_before: int
    last_row: int
    numbered: bool
    lines_set_aside: int
    holds_separator: bool
    may_hold_blank_rows: bool


@dataclass(frozen=True, kw_only=True)
class Landed:
    """How a delivery went in: data rows read, those of them that are no records, and its parts.

    ``lines_not_filled_in``, lines of a list in which the sender has filled in nothing yet, are not among the rows.
    """

    rows_read: int
    lines_set_aside: int
    lines_not_filled_in: int
    parts: tuple[LandedPart, ...]

    @property
    def holds_separator(self) -> bool:
        return any(part.holds_separator for part in self.parts)

    @property
    def columns(self) -> list[str]:
        """The columns of the table ``landed`` that hold text as it came."""
        return _all_names([landed.part for landed in self.parts])


def landed_names(part: Part) -> list[str]:
    """The landing table's column for each column of a part; those the contract does not know are numbered."""
    return [name or f"_extra_{position}" for position, name in enumerate(part.columns, start=1)]


def _all_names(parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in landed_names(part)))


def land(
    connection: psycopg.Connection, *, parts: Sequence[Part], tables: LoadTables, blank_without: Sequence[str] = ()
) -> Landed:
    """Copy ``parts`` into ``tables.landed`` and commit.

    Rows that hold nothing at all are no rows, nor are those that hold nothing in the columns ``blank_without``.
    """
    _create(connection, parts, tables)
    connection.commit()
    landed: list[LandedPart] = []
    for position, part in enumerate(parts):
        rows_before = landed[-1].last_row if landed else 0
        landed.append(_land_part(connection, part, position, rows_before, tables))
        connection.commit()
    read = sum(part.last_row - part.rows_before for part in landed)
    if any(part.may_hold_blank_rows for part in landed):
        read -= _drop_blank_rows(connection, parts, tables)
    unfilled = _drop_lines_not_filled_in(connection, parts, tables, blank_without) if blank_without else 0
    connection.commit()
    return Landed(
        rows_read=read - unfilled, lines_set_aside=sum(part.lines_set_aside for part in landed),
        lines_not_filled_in=unfilled, parts=tuple(landed),
    )  # fmt: skip


def _create(connection: psycopg.Connection, parts: Sequence[Part], tables: LoadTables) -> None:
    tables.drop(connection)
    columns = ", ".join(f"{name} text" for name in _all_names(parts))
    connection.execute(
        f"""
        create unlogged table {tables.landed} (
            _row_no bigint generated by default as identity (cache 1000), _line_no bigint,
            _part smallint not null default 0, {columns}
        ) {UNWATCHED}
        """
    )
    connection.execute(
        f"""
        create unlogged table {tables.lines} (
            _row_no bigint, _line_no bigint, _part smallint, rule text, reason text, raw jsonb
        )
        """
    )
    connection.execute(f"create unlogged table {tables.cells} (_row_no bigint, column_name text, rule text)")


def _land_part(
    connection: psycopg.Connection, part: Part, position: int, rows_before: int, tables: LoadTables
) -> LandedPart:
    place = {"part": part, "position": position, "rows_before": rows_before}
    if form := part.text:
        copied = _copy_whole(connection, part, form, position, rows_before, tables)
        if copied is not None:
            rows, seen = copied
            return LandedPart(
                **place, last_row=rows_before + rows, numbered=False, lines_set_aside=0,
                holds_separator=seen.separator,
                may_hold_blank_rows=seen.blank_row,
            )  # fmt: skip
        connection.rollback()
    read, aside, separator = _copy_by_record(connection, part, position, rows_before, tables)
    return LandedPart(
        **place, last_row=rows_before + read, numbered=True, lines_set_aside=aside, holds_separator=separator,
        may_hold_blank_rows=True,
    )  # fmt: skip


def _copy_whole(
    connection: psycopg.Connection, part: Part, form: TextForm, position: int, rows_before: int, tables: LoadTables
) -> "tuple[int, _Seen] | None":
    """Copy the file as it is; returns its rows, and what was seen among its bytes.

    None where COPY refuses it, or takes records between two unclosed quotes for one.
    """
    if position:
        connection.execute(
            f"""
            alter table {tables.landed}
                alter column _part set default {position}, alter column _row_no restart with {rows_before + 1}
            """
        )
    command = sql.SQL("copy {} ({}) from stdin (format csv, delimiter {}, encoding {})").format(
        sql.SQL(tables.landed),
        sql.SQL(", ").join(map(sql.Identifier, landed_names(part))),
        sql.Literal(form.delimiter),
        sql.Literal(form.postgres_encoding),
    )
    seen = _Seen(form.delimiter)
    try:
        with connection.cursor() as cursor, form.path.open("rb") as file:
            with cursor.copy(command) as copy:
                file.seek(form.body_offset)
                while piece := file.read(_PIECE_BYTES):
                    copy.write(piece)
                    seen.look(piece)
                seen.end()
            copied = cursor.rowcount
    except psycopg.DataError:
        return None
    has_line_feeds = copied < form.lines - form.header_lines
    if has_line_feeds and _swallowed_records(connection, part, form, position, tables):
        return None
    return copied, seen


class _Seen:
    """What the bytes of a file show on their way: a SEPARATOR, and a line of nothing but delimiters and quotes.

    It may see such a line where there is none, as within a quoted value. Looking costs nothing as long as Postgres,
    which decodes the same bytes, has a processor of its own.
    """

    def __init__(self, delimiter: str) -> None:
        blank = re.escape(delimiter.encode()) + b'"'
        self._blank_line = re.compile(rb"\n[%b]*\n" % blank)
        self._blank_so_far = re.compile(rb"\n[%b]*" % blank)
        self._begun = b"\n"  # a line begun at the end of a piece, as long as it is blank
        self.separator = self.blank_row = False

    def look(self, piece: bytes) -> None:
        self.separator = self.separator or SEPARATOR.encode() in piece
        if self.blank_row:
            return
        content = self._begun + piece
        if b"\r" in content:
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self.blank_row = self._blank_line.search(content) is not None
        last = content.rfind(b"\n")
        self._begun = content[last:] if last >= 0 and self._blank_so_far.fullmatch(content, last) else b""

    def end(self) -> None:
        self.blank_row = self.blank_row or len(self._begun) > 1


def _swallowed_records(
    connection: psycopg.Connection, part: Part, form: TextForm, position: int, tables: LoadTables
) -> bool:
    delimiter = "chr(9)" if form.delimiter == "\t" else f"'{form.delimiter}'"
    (found,) = connection.execute(
        f"""
        select exists (
            select from {tables.landed}
            cross join lateral unnest(array[{", ".join(landed_names(part))}]) as value
            where _part = {position} and strpos(value, E'\\n') > 0
                and length(value) - length(replace(value, {delimiter}, '')) >= {form.swallowed_delimiters}
        )
        """
    ).fetchone()
    return found


def _copy_by_record(
    connection: psycopg.Connection, part: Part, position: int, rows_before: int, tables: LoadTables
) -> tuple[int, int, bool]:
    """Copy what can be copied; returns how many records were read and how many of them set aside.

    The last of the three: whether there is a SEPARATOR in a value.
    """
    names = ["_row_no", "_line_no", "_part", *landed_names(part)]
    command = sql.SQL("copy {} ({}) from stdin (format csv, encoding 'UTF8')").format(
        sql.SQL(tables.landed), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    read = aside = 0
    separator = False
    with ExitStack() as stack:
        bad_lines, bad_cells = (stack.enter_context(TemporaryFile("w+b")) for _ in range(2))
        line_writer, cell_writer = csv.writer(_Utf8(bad_lines)), csv.writer(_Utf8(bad_cells))
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            pieces = io.StringIO()
            writer = csv.writer(pieces)
            for read, record in enumerate(part.records(), start=1):  # noqa: B007
                row_no = rows_before + record.row_no
                if record.fault:
                    aside += 1
                    told = reason(record.fault), _as_raw(record, part)
                    line_writer.writerow([row_no, record.line_no, position, record.fault, *told])
                    continue
                writer.writerow([row_no, record.line_no, position, *record.fields])
                cell_writer.writerows([row_no, *cell] for cell in record.cells)
                if pieces.tell() > _SPOOL_BYTES:
                    separator = separator or SEPARATOR in pieces.getvalue()
                    copy.write(_take(pieces))
            separator = separator or SEPARATOR in pieces.getvalue()
            copy.write(_take(pieces))
        for spool, table in ((bad_lines, tables.lines), (bad_cells, tables.cells)):
            spool.seek(0)
            with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin (format csv)") as copy:
                while piece := spool.read(_PIECE_BYTES):
                    copy.write(piece)
    return read, aside, separator


def _as_raw(record: Record, part: Part) -> str:
    """A line that is no record, as JSON; the bytes that are no text are written out."""
    text = record.content.decode(part.content_encoding, errors="backslashreplace").replace("\0", "\\x00")
    return json.dumps({"_line": text.rstrip("\r\n")}, ensure_ascii=False)


class _Utf8:
    """Lets csv write into a file of bytes."""

    def __init__(self, file) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(text.encode("utf-8"))


def _take(pieces: io.StringIO) -> bytes:
    content = pieces.getvalue().encode("utf-8")
    pieces.seek(0)
    pieces.truncate()
    return content


def _drop_blank_rows(connection: psycopg.Connection, parts: Sequence[Part], tables: LoadTables) -> int:
    blank = " and ".join(f"nullif({name}, '') is null" for name in _all_names(parts))
    return connection.execute(f"delete from {tables.landed} where {blank}").rowcount


def _drop_lines_not_filled_in(
    connection: psycopg.Connection, parts: Sequence[Part], tables: LoadTables, columns: Sequence[str]
) -> int:
    asked = [name for name in columns if name in _all_names(parts)]
    empty = " and ".join(f"ops.clean_text({name}) is null" for name in asked)
    return connection.execute(f"delete from {tables.landed} where {empty}").rowcount
