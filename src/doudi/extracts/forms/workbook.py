"""Excel workbooks, written row by row: numbers as numbers, all else as text, so that no citizen ID is rounded."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import psycopg

from doudi.extracts.forms.about import About
from doudi.extracts.query import Query
from doudi.forms.book import Book, Lines, width_of

SHEET_ROWS = 1_048_575  # what a sheet holds below its headings; what is more goes onto further sheets
CELL_CHARACTERS = 32_767
_MOST_DIGITS = 10**15  # a number of more is rounded by every spreadsheet program
_BATCH_ROWS = 5000
_ROWS_MEASURED = 200
_WIDEST = 60


def write(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    """One sheet, or one for each value of the query's ``sheet``, in its order."""
    count = 0
    with new_book(path, about) as book, connection.cursor(name="extract") as cursor:
        pages = _Pages(book, query)
        cursor.itersize = _BATCH_ROWS
        cursor.execute(query.cells(with_sheet=True))
        for title, rows in _by_sheet(cursor, query, about):
            count += pages.add(title, rows)
        if not count and query.sheet is not None:  # a book needs a sheet, even for nobody
            pages.add(about.as_of.isoformat(), iter(()))
    return count


def new_book(path: Path, about: About) -> Book:
    """A book that says when and of what it is."""
    book = Book(path, beside=path.parent)
    book.set_properties({"title": about.title, "created": datetime.combine(about.as_of, datetime.min.time())})
    return book


def _by_sheet(cursor: psycopg.ServerCursor, query: Query, about: About) -> Iterator[tuple[str, Iterator[tuple]]]:
    if query.sheet is None:
        yield about.as_of.isoformat(), iter(cursor)
        return
    for title, rows in groupby(cursor, key=itemgetter(0)):
        yield title, (row[1:] for row in rows)


class _Pages:
    """The sheets of a book, each with its headings frozen above it."""

    def __init__(self, book: Book, query: Query) -> None:
        self._book = book
        self._headings = query.headings
        self._bold = book.add_format({"bold": True, "bottom": 1})
        text, number = book.add_format({"num_format": "@"}), book.add_format()
        self._numbers = [column for column, field in enumerate(query.fields) if field.is_number]
        self._styles = [number if field.is_number else text for field in query.fields]

    def add(self, title: str, rows: Iterator[tuple]) -> int:
        """Write rows onto a sheet and as many more as they need; returns how many rows."""
        count, number = 0, 1
        while True:
            some = self._one(title if number == 1 else f"{title} ({number})", islice(rows, SHEET_ROWS))
            count, number = count + some, number + 1
            following = next(rows, None) if some == SHEET_ROWS else None
            if following is None:
                return count
            rows = chain([following], rows)

    def _one(self, title: str, rows: Iterator[tuple]) -> int:
        sheet, count = self._book.add_worksheet(title), 0
        sheet.freeze_panes(1, 0)
        # In constant memory a column's width must be set before its rows; the first rows tell enough of it.
        first = list(islice(rows, _ROWS_MEASURED))
        for column, heading in enumerate(self._headings):
            told = ("" if row[column] is None else str(row[column]) for row in first)
            width = max([width_of(heading) + 2, *map(width_of, told)])
            sheet.set_column(column, column, min(width, _WIDEST) + 2, self._styles[column])
        sheet.write_row(0, 0, self._headings, self._bold)
        lines = Lines(sheet, self._styles)
        for count, row in enumerate(chain(first, rows), start=1):
            lines.write(count, self._cells(row))
        sheet.autofilter(0, 0, max(count, 1), len(self._headings) - 1)
        return count

    def _cells(self, row: tuple) -> list[Any]:
        """The row, in which numbers that spreadsheet programs would round are text."""
        cells = list(row)
        for column in self._numbers:
            if cells[column] is not None and not abs(cells[column]) < _MOST_DIGITS:
                cells[column] = str(cells[column])
        return cells
