"""Excel workbooks written row by row in little memory, which take text for nothing but text."""

import re
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import CellBlankTuple, CellStringTuple, Worksheet

_NARROW = re.compile(r"[\0-\u2e80]+")
# Text of which something is written otherwise in XML, or in Excel's own way; most has nothing of it.
_NOT_AS_IT_IS = re.compile(r'[\0-\x1f"&<>\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$')


def _place(row: int, column: int, cell: Any) -> str:
    return f' r="{xl_rowcol_to_cell_fast(row, column)}" s="{cell.format._get_xf_index()}"'


class _Sheet(Worksheet):
    """Does in one step what others need ten for, as nearly all cells hold plain text: it takes half the time."""

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind = type(cell)
        if kind is CellStringTuple and cell.format and not _NOT_AS_IT_IS.search(cell.string):
            self.fh.write(f'<c{_place(row, col, cell)} t="inlineStr"><is><t>{cell.string}</t></is></c>')
        elif kind is CellBlankTuple and cell.format:
            self.fh.write(f"<c{_place(row, col, cell)}/>")
        else:
            super()._write_cell(row, col, cell)

    def _xml_rich_inline_string(self, string: str, attributes: Any = ()) -> None:
        """Text that looks like marks for fonts is text: one such row would make the book unreadable."""
        self._xml_inline_string(string, None, attributes)


class Book(xlsxwriter.Workbook):
    """A workbook whose rows are written once and from the top down; ``beside`` is where its sheets lie meanwhile."""

    worksheet_class = _Sheet

    def __init__(self, target: Path | IO[bytes], *, beside: Path) -> None:
        text_is_text = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
        super().__init__(target, {"constant_memory": True, "tmpdir": str(beside), **text_is_text})


def width_of(text: str) -> int:
    """How wide a text is in Latin characters; a Chinese one is as wide as two."""
    return len(text) if text.isascii() else len(text) + len(_NARROW.sub("", text))
