"""Excel workbooks written row by row in little memory, which take text for nothing but text."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import xlsxwriter.workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import CellBlankTuple, CellStringTuple, Worksheet

_NARROW = re.compile(r"[\0-\u2e80]+")
# Text of which something is written otherwise in XML, or in Excel's own way; most has nothing of it.
_NOT_AS_IT_IS = re.compile(r'[\0-\x1f"&<>\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$')

# Looked for in all texts of a row, joined by bars: more is held back than need be, in a fraction of the time.
_MARKS = ('"', "&", "<", ">", "_x", "| ", " |")
_ROW_CHARACTERS = 10_000  # the library cuts nothing off a cell as short
_TEMPLATES = 256  # there is one for each pattern of cells without a value

# At zlib's usual level packing takes three times as long, a third of what a book costs, for a sixth of its size. The
# library takes no level from us.
xlsxwriter.workbook.ZipFile = partial(ZipFile, compresslevel=1)

Cell = str | int | float | Decimal | None


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


class Lines:
    """Rows of a sheet in one format for each column; of none of them anything may have been set before.

    Plain text and numbers, which nearly all rows are made of, become XML in one step for the whole row.
    """

    def __init__(self, sheet: Worksheet, styles: Sequence[Format]) -> None:
        self._sheet = sheet
        self._styles = styles
        self._template = lru_cache(_TEMPLATES)(self._made)

    def write(self, row: int, cells: Sequence[Cell]) -> None:
        """Write texts as text, numbers as numbers, and a blank for None."""
        sheet = self._sheet
        if not _is_plain(cells):
            for column, cell in enumerate(cells):
                self._write_one(row, column, cell)
            return
        sheet._check_dimensions(row, 0)
        sheet._check_dimensions(row, len(cells) - 1)
        sheet._write_single_row(row)  # the one before, if it was written cell by cell
        sheet.fh.write(self._template(tuple(map(type, cells))).format(row + 1, *cells))

    def _write_one(self, row: int, column: int, cell: Cell) -> None:
        style = self._styles[column]
        if cell is None:
            self._sheet.write_blank(row, column, None, style)
        elif isinstance(cell, str):
            self._sheet.write_string(row, column, cell, style)
        else:
            self._sheet.write_number(row, column, cell, style)

    def _made(self, kinds: tuple[type, ...]) -> str:
        """The XML of a row with cells of these types, to be filled with its number and the cells."""
        xml = '<row r="{0}">'
        for column, (kind, style) in enumerate(zip(kinds, self._styles, strict=True)):
            xml += f'<c r="{xl_col_to_name(column)}{{0}}" s="{style._get_xf_index()}"'
            if kind is type(None):
                xml += "/>"
            elif kind is str:
                xml += f' t="inlineStr"><is><t>{{{column + 1}}}</t></is></c>'
            else:
                xml += f"><v>{{{column + 1}:.16G}}</v></c>"
        return f"{xml}</row>"


def _is_plain(cells: Sequence[Cell]) -> bool:
    """Whether its texts stand in XML as they are."""
    texts = f"|{'|'.join([cell for cell in cells if type(cell) is str])}|"
    return len(texts) <= _ROW_CHARACTERS and texts.isprintable() and not any(map(texts.__contains__, _MARKS))


class Book(xlsxwriter.Workbook):
    """A workbook whose rows are written once and from the top down; ``beside`` is where its sheets lie meanwhile."""

    worksheet_class = _Sheet

    def __init__(self, target: Path | IO[bytes], *, beside: Path) -> None:
        text_is_text = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
        super().__init__(target, {"constant_memory": True, "tmpdir": str(beside), **text_is_text})


def width_of(text: str) -> int:
    """How wide a text is in Latin characters; a Chinese one is as wide as two."""
    return len(text) if text.isascii() else len(text) + len(_NARROW.sub("", text))
