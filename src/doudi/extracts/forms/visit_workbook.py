"""The workbook that a township fills in on its visits: a sheet for each village, a line for each household.

What was found goes into the columns of the contract household_visit, so that the file, sent back under the name it
came with, is a delivery of that feed. What the line says is locked, without a password; blank lines below it take the
finding of one warning where a household's differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import psycopg
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from doudi.contracts import Column, load_contracts
from doudi.extracts.forms.about import About
from doudi.extracts.forms.visit_layout import FEED, PLACES, Layout, Styles
from doudi.extracts.forms.visit_texts import GUIDE, GUIDE_SHEET, HINTS, NOTE, SPARE_HINT, Titles, short_name
from doudi.extracts.forms.workbook import CELL_CHARACTERS, new_book
from doudi.extracts.query import Field, Query
from doudi.forms.book import Book, width_of
from doudi.forms.headings import Headings

_HEADER_ROW = 2
_SPARE_LINES = 5
_A4 = 9
_GUIDE_WIDTH = 110
_BATCH_ROWS = 1000
_LINE_POINTS, _MARGIN_POINTS, _MOST_POINTS = 15, 6, 409
_ALLOWED = {"select_unlocked_cells": True, "autofilter": True, "format_columns": True, "format_rows": True}


def write(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    """One sheet for each value of the query's ``sheet``, called by its first line's ``village_name``, after a guide.

    Raises ExtractError where no column, or more than one, would be read as the number of the warning when the file
    comes back, or another as an answer.
    """
    contract = load_contracts(about.contracts)[FEED]
    layout = Layout.of(query, contract, Headings.of(contract, folder=about.contracts))
    count = 0
    with new_book(path, about) as book, connection.cursor(name="extract") as cursor:
        _write_guide(book)
        styles, titles = Styles(book), Titles(taken=[GUIDE_SHEET])
        cursor.itersize = _BATCH_ROWS
        cursor.execute(query.cells(with_sheet=True))
        for code, rows in _by_village(cursor, query, about):
            title = titles.of(layout.place(rows[0], "village_name") or code, code)
            _Sheet(book.add_worksheet(title), layout, styles, as_of=about.as_of).fill(rows)
            count += len(rows)
    return count


def _by_village(cursor: psycopg.ServerCursor, query: Query, about: About) -> Iterator[tuple[str, list[tuple]]]:
    """The lines of each village with its code; a village is held in memory, the township is not."""
    if query.sheet is None:
        rows = list(cursor)
        yield from [(about.part or about.as_of.isoformat(), rows)] if rows else []
        return
    for code, lines in groupby(cursor, key=itemgetter(0)):
        yield code, [line[1:] for line in lines]


def _write_guide(book: Book) -> None:
    sheet = book.add_worksheet(GUIDE_SHEET)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _GUIDE_WIDTH)
    heading = book.add_format({"bold": True, "font_size": 16, "font_name": "宋体"})
    text = book.add_format({"text_wrap": True, "valign": "top", "font_size": 12, "font_name": "宋体"})
    for number, line in enumerate(GUIDE.splitlines()):
        sheet.set_row(number, 18 * _lines(line, _GUIDE_WIDTH) + 8)
        sheet.write_string(number, 0, line, heading if number == 0 else text)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.protect()


@dataclass(frozen=True)
class _Sheet:
    """A village's sheet, written from the top down."""

    sheet: Worksheet
    layout: Layout
    styles: Styles
    as_of: date

    @cached_property
    def answer_styles(self) -> list[Format]:
        return [self.styles.of_answer(answer) for answer in self.layout.answers]

    def fill(self, rows: Sequence[tuple]) -> None:
        self._set_up()
        self._write_head(rows)
        for number, row in enumerate(rows, start=_HEADER_ROW + 1):
            self._write_line(number, row)
        last = _HEADER_ROW + len(rows)
        for number in range(last + 1, last + _SPARE_LINES + 1):
            self._write_spare(number)
        self._validate(last + _SPARE_LINES, spare_from=last + 1)
        self.sheet.autofilter(_HEADER_ROW, 0, last, len(self.layout.headings) - 1)
        self.sheet.protect("", _ALLOWED)

    def _set_up(self) -> None:
        sheet = self.sheet
        for column, width in enumerate(self.layout.widths):
            sheet.set_column(column, column, width)
        head = self.layout.column("household_head_name")
        sheet.freeze_panes(_HEADER_ROW + 1, 0 if head is None else head + 1)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0, _HEADER_ROW)
        sheet.set_footer("&L&A&C第 &P 页，共 &N 页&R含个人信息，妥善保管")

    def _write_head(self, rows: Sequence[tuple]) -> None:
        where = short_name(self.layout.place(rows[0], *PLACES))
        self.sheet.set_row(0, 26)
        self.sheet.write_string(0, 0, f"{where} 入户走访清单".strip(), self.styles.title)
        self.sheet.set_row(1, 18)
        self.sheet.write_string(1, 0, NOTE.format(as_of=self.as_of, households=len(rows)), self.styles.note)
        self.sheet.set_row(_HEADER_ROW, 32)
        given = len(self.layout.shown)
        for column, heading in enumerate(self.layout.headings):
            style = self.styles.given_heading if column < given else self.styles.answer_heading
            self.sheet.write_string(_HEADER_ROW, column, heading, style)
        for column, answer in enumerate(self.layout.answers, start=given):
            self.sheet.write_comment(_HEADER_ROW, column, HINTS[answer.name], {"author": "", "x_scale": 1.5})

    def _write_line(self, number: int, row: tuple) -> None:
        texts = [_listed(row[place], field) for place, field in self.layout.shown]
        lines = [_lines(str(text), width) for text, width in zip(texts, self.layout.widths, strict=False)]
        self.sheet.set_row(number, min(_LINE_POINTS * max(lines) + _MARGIN_POINTS, _MOST_POINTS))
        for column, ((_, field), value) in enumerate(zip(self.layout.shown, texts, strict=True)):
            style = self.styles.of_given(field, value, self.as_of)
            if field.is_number and value != "":
                self.sheet.write_number(number, column, value, style)
            else:
                self.sheet.write_string(number, column, value[:CELL_CHARACTERS], style)
        self._write_blanks(number, len(self.layout.shown))

    def _write_spare(self, number: int) -> None:
        self.sheet.set_row(number, 2 * _LINE_POINTS)
        for column in range(len(self.layout.shown)):
            self.sheet.write_blank(number, column, None, self.styles.answer)
        self._write_blanks(number, len(self.layout.shown))

    def _write_blanks(self, number: int, first: int) -> None:
        for column, style in enumerate(self.answer_styles, start=first):
            self.sheet.write_blank(number, column, None, style)

    def _validate(self, last: int, *, spare_from: int) -> None:
        """Lists to choose from and days that can be; of the number of a warning on a blank line, what it is for."""
        first = _HEADER_ROW + 1
        for column, answer in enumerate(self.layout.answers, start=len(self.layout.shown)):
            hint = {"input_title": answer.header, "input_message": HINTS[answer.name], "error_title": answer.header}
            if answer.type == "code":
                rule = {"validate": "list", "source": _choices(answer), "error_message": "请从下拉列表中选择。"}
            elif answer.type == "date":
                earliest = date(self.as_of.year - 1, 1, 1)
                rule = {"validate": "date", "criteria": "between", "minimum": earliest, "maximum": "=TODAY()"}
                rule["error_message"] = "请填写日期，如 2020-7-3，不能晚于今天。"
            else:
                rule = {"validate": "any"}
            self.sheet.data_validation(first, column, last, column, rule | hint)
        headings = self.layout.headings
        column = headings.index(self.layout.warning_heading)
        spare = {"validate": "any", "input_title": headings[column], "input_message": SPARE_HINT}
        self.sheet.data_validation(spare_from, column, last, column, spare)


def _choices(column: Column) -> list[str]:
    """The words that departments use for a code; the English ones are the register's."""
    return [sent for sent, canonical in column.codes.items() if sent != canonical]


def _listed(value: Any, field: Field) -> Any:
    """A cell's content: each item of a list on a line of its own."""
    if value is None:
        return ""
    return value.replace("；", "；\n") if field.type.endswith("[]") else value


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a column."""
    room = max(width - 2, 1)
    return sum(max(1, -(-width_of(piece) // room)) for piece in text.split("\n"))
