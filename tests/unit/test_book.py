"""Workbooks that are written row by row: in less time, the same bytes."""

import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from doudi.forms.book import Book, Lines, width_of

TEXTS = (
    "昭觉县", "plain", "", " before", "behind ", "\u3000wide", "a\nb", "a\n", "\t", "a\x01b", "a\x1fb",
    "_x0041_", "_x004g_", '"quoted"', "<b>", "a & b", "a > b", "'=1+1", "\ufffe", "\uffff", "𠮷", "<r>", "</r>",
    "é" * 40_000,
    "a|b", "|", " | ", "{0}", "%s", "𠮷" * 20_000, "\xa0", "a\u3000b", "\ue000",
)  # fmt: skip


def _sheet(path: Path, worksheet_class: type[Worksheet] | None) -> bytes:
    with Book(path, beside=path.parent) as book:
        sheet = book.add_worksheet("sheet", worksheet_class=worksheet_class)
        style = book.add_format({"num_format": "@"})
        sheet.set_column(0, 9, 12, style)
        for row, text in enumerate(TEXTS):
            sheet.write_string(row, 0, text, style)
            sheet.write_string(row, 1, text)
            sheet.write_blank(row, 2, None, style)
            sheet.write_number(row, 3, row / 7, style)
    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


def test_a_sheet_is_what_the_library_writes(tmp_path: Path) -> None:
    assert _sheet(tmp_path / "ours.xlsx", None) == _sheet(tmp_path / "theirs.xlsx", Worksheet)


NUMBERS = (0, 7, -1, 10**14, 1 / 7, 1e300, Decimal("12.50"), Decimal("0.1"), None)


def _rows(path: Path, write: Callable[[Worksheet, list[Format]], None]) -> list[bytes]:
    with Book(path, beside=path.parent) as book:
        sheet = book.add_worksheet("sheet")
        sheet.write_row(0, 0, ["heading"] * 5, book.add_format({"bold": True}))
        text, number = book.add_format({"num_format": "@"}), book.add_format()
        write(sheet, [text, number, text, text, number])
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in ("xl/worksheets/sheet1.xml", "xl/styles.xml")]


CELLS = [
    (text, NUMBERS[place % len(NUMBERS)], None if place % 3 else "间", "plain", NUMBERS[place % 5])
    for place, text in enumerate([*TEXTS, None, "last"])
]


def _line_by_line(sheet: Worksheet, styles: list[Format]) -> None:
    lines = Lines(sheet, styles)
    for row, cells in enumerate(CELLS, start=1):
        lines.write(row, cells)


def _cell_by_cell(sheet: Worksheet, styles: list[Format]) -> None:
    for row, cells in enumerate(CELLS, start=1):
        for column, (cell, style) in enumerate(zip(cells, styles, strict=True)):
            if cell is None:
                sheet.write_blank(row, column, None, style)
            else:
                (sheet.write_string if isinstance(cell, str) else sheet.write_number)(row, column, cell, style)


def test_a_line_is_what_its_cells_are(tmp_path: Path) -> None:
    assert _rows(tmp_path / "lines.xlsx", _line_by_line) == _rows(tmp_path / "cells.xlsx", _cell_by_cell)


@pytest.mark.parametrize("text", [*TEXTS, "ab昭觉", "⺀⺁", "，。", "ａｂ"])
def test_a_chinese_character_is_as_wide_as_two_latin_ones(text: str) -> None:
    assert width_of(text) == sum(2 if ord(character) > 0x2E80 else 1 for character in text)
