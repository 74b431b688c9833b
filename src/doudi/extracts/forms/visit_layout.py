"""Which columns a visit workbook has, how wide they are and how they look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from xlsxwriter.format import Format

from doudi.contracts import Column, Contract
from doudi.extracts.errors import ExtractError
from doudi.extracts.query import Field, Query
from doudi.forms.book import Book
from doudi.forms.headings import Headings

FEED = "household_visit"
_WARNING = "warning_id"
PLACES = ("county_name", "township_name", "village_name")  # told above the lines and not in each of them
_WIDTHS = {
    "visit_order": 5, "level_name": 6, "household_head_name": 10, "household_members": 5, "person_names": 10,
    "person_citizen_ids": 20, "person_ages": 5, "reasons": 38, "lead_department_names": 11, "due_on": 11,
    "visited_on": 11, "warning_ids": 16,
}  # fmt: skip
_ANSWER_WIDTHS = {"visited_on": 11, "visitor": 9, "finding": 8, "refer_to": 8, "measure": 15, "remark": 11}
_USUAL_WIDTH = 14
_COLOURS = {"红色": "#F4A6A0", "橙色": "#F9CB9C", "黄色": "#FFE699", "核查": "#D9E2F3"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which fields of the query stand as columns, and the contract's columns that follow them to be filled in."""

    fields: tuple[Field, ...]
    answers: tuple[Column, ...]
    warning_heading: str

    @classmethod
    def of(cls, query: Query, contract: Contract, headings: Headings) -> "Layout":
        read_as = [name for field in query.fields if (name := headings.column(field.heading))]
        if read_as != [_WARNING]:
            raise ExtractError(
                f"visit_workbook: the columns must be read back as {_WARNING} once and nothing else of {FEED},"
                f" not as {', '.join(read_as) or 'nothing'}"
            )
        return cls(
            fields=query.fields,
            answers=tuple(column for column in contract.columns if column.name != _WARNING),
            warning_heading=contract.column(_WARNING).header,
        )

    @cached_property
    def shown(self) -> list[tuple[int, Field]]:
        """The fields that are columns, each with its place in a row of the query."""
        return [(place, field) for place, field in enumerate(self.fields) if field.name not in PLACES]

    @property
    def headings(self) -> list[str]:
        return [field.heading for _, field in self.shown] + [answer.header for answer in self.answers]

    @property
    def widths(self) -> list[int]:
        given = [_WIDTHS.get(field.name, _USUAL_WIDTH) for _, field in self.shown]
        return given + [_ANSWER_WIDTHS.get(answer.name, _USUAL_WIDTH) for answer in self.answers]

    def place(self, row: Sequence[Any], *names: str) -> str:
        """What of ``names`` the row says of where it is, as one text."""
        return "".join(row[n] or "" for n, field in enumerate(self.fields) if field.name in names)

    def column(self, name: str) -> int | None:
        return next((column for column, (_, field) in enumerate(self.shown) if field.name == name), None)


class Styles:
    """The formats of a book, each made once."""

    def __init__(self, book: Book) -> None:
        cell = {"font_name": "宋体", "font_size": 11, "border": 1, "border_color": "#A6A6A6"}
        cell |= {"text_wrap": True, "valign": "vcenter"}
        heading = cell | {"bold": True, "align": "center"}
        blank = cell | {"locked": False, "bg_color": "#FFFBE6"}
        self.title = book.add_format({"font_name": "宋体", "font_size": 16, "bold": True})
        self.note = book.add_format({"font_name": "宋体", "font_size": 11, "font_color": "#595959"})
        self.given_heading = book.add_format(heading | {"bg_color": "#E7E6E6"})
        self.answer_heading = book.add_format(heading | {"bg_color": "#FFE699"})
        self.text = book.add_format(cell | {"num_format": "@"})
        self.number = book.add_format(cell | {"align": "center"})
        self.overdue = book.add_format(cell | {"num_format": "@", "bold": True, "font_color": "#C00000"})
        self.answer = book.add_format(blank | {"num_format": "@"})
        self.answer_date = book.add_format(blank | {"num_format": "yyyy-mm-dd"})
        self.levels = {
            level: book.add_format(cell | {"num_format": "@", "align": "center", "bold": True, "bg_color": colour})
            for level, colour in _COLOURS.items()
        }

    def of_answer(self, answer: Column) -> Format:
        return self.answer_date if answer.type == "date" else self.answer

    def of_given(self, field: Field, value: Any, as_of: date) -> Format:
        if field.name == "due_on" and value and date.fromisoformat(value) < as_of:
            return self.overdue
        return self.number if field.is_number else self.levels.get(value, self.text)
