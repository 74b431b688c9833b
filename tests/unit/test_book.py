"""Workbooks that are written row by row: in less time, the same bytes."""

import zipfile
from pathlib import Path

import pytest
from xlsxwriter.worksheet import Worksheet

from doudi.forms.book import Book, width_of

TEXTS = (
    "昭觉县", "plain", "", " before", "behind ", "\u3000wide", "a\nb", "a\n", "\t", "a\x01b", "a\x1fb",
    "_x0041_", "_x004g_", '"quoted"', "<b>", "a & b", "a > b", "'=1+1", "\ufffe", "\uffff", "𠮷", "<r>", "</r>",
    "é" * 40_000,
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


@pytest.mark.parametrize("text", [*TEXTS, "ab昭觉", "⺀⺁", "，。", "ａｂ"])
def test_a_chinese_character_is_as_wide_as_two_latin_ones(text: str) -> None:
    assert width_of(text) == sum(2 if ord(character) > 0x2E80 else 1 for character in text)
