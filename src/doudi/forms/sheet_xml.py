"""What calamine does not tell of an .xlsx: how far its sheets reach before it reads them, and where errors stand."""

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree

from doudi.deliveries import DeliveryRefused
from doudi.forms.damage import refusing_damage
from doudi.settings import Limits

ErrorCells = dict[int, dict[int, str]]  # row from 1 → column from 0 → the error's name

_PIECE_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 10
_CATALOGUE_BYTES = 10 << 20
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"
_SHEET_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(rb'\sr="([A-Z]{1,3})(\d{1,7})"')
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\st="e")[^>]*\sr="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:.{0,400}?<(?:\w+:)?v>(#[A-Z0-9/!?]{2,15})<)?'
)


def measure(path: Path, *, label: str, limits: Limits) -> dict[str, ErrorCells]:
    """The error cells of each sheet of an .xlsx by the sheet's name; none of an .xls, whose extent its form bounds.

    Raises DeliveryRefused: ``workbook.size`` where it unfolds to more than ``limits``, ``workbook.broken``,
    ``file.form`` for another Office file.
    """
    if not zipfile.is_zipfile(path):
        return {}
    with (
        refusing_damage("workbook.broken", f"{label}: the workbook is damaged or no workbook"),
        zipfile.ZipFile(path) as package,
    ):
        return _measure(package, label=label, limits=limits)


def _measure(package: zipfile.ZipFile, *, label: str, limits: Limits) -> dict[str, ErrorCells]:
    if "xl/workbook.xml" not in package.namelist():
        raise DeliveryRefused("file.form", f"{label}: an Office file, but no .xlsx workbook")
    sheets = _sheet_members(package)
    errors: dict[str, ErrorCells] = {}
    left_bytes, left_cells = limits.expanded_bytes, limits.workbook_cells
    for member in package.infolist():
        extent = _Extent()
        for piece in _pieces(package, member):
            left_bytes -= len(piece)
            if left_bytes < 0:
                raise DeliveryRefused("workbook.size", f"{label}: unfolds to more than {limits.expanded_bytes} bytes")
            if member.filename in sheets:
                extent.look_at(piece)
        left_cells -= extent.cells
        if left_cells < 0:
            raise DeliveryRefused("workbook.size", f"{label}: the workbook has more than {limits.workbook_cells} cells")
        if member.filename in sheets:
            errors[sheets[member.filename]] = extent.errors
    return errors


def _pieces(package: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with package.open(member) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _sheet_members(package: zipfile.ZipFile) -> dict[str, str]:
    """The package's member of each sheet → the sheet's name."""
    targets = {
        relation.get("Id"): relation.get("Target", "") for relation in _catalogue(package, "xl/_rels/workbook.xml.rels")
    }
    return {
        normpath(join("xl", targets.get(sheet.get(_SHEET_RELATION), ""))).lstrip("/"): sheet.get("name", "")
        for sheet in _catalogue(package, "xl/workbook.xml").iter(_SHEET)
    }


def _catalogue(package: zipfile.ZipFile, member: str) -> ElementTree.Element:
    with package.open(member) as file:
        catalogue = file.read(_CATALOGUE_BYTES)
    if b"<!" in catalogue:  # a workbook declares no entities; without them XML cannot grow
        raise ValueError("entities")
    try:
        return ElementTree.fromstring(catalogue)  # noqa: S314
    except ElementTree.ParseError:
        raise ValueError("no XML") from None


class _Extent:
    """How far a sheet reaches and where its errors stand, from its XML piece by piece."""

    def __init__(self) -> None:
        self.errors: ErrorCells = defaultdict(dict)
        self._last_row, self._last_column, self._tail = 0, 0, b""

    @property
    def cells(self) -> int:
        return self._last_row * (self._last_column + 1)

    def look_at(self, piece: bytes) -> None:
        piece = self._tail + piece
        self._tail = piece[-_OVERLAP_BYTES:]
        cells = _CELL.findall(piece)
        self._last_row = max([self._last_row, *map(int, {row for _, row in cells})])
        self._last_column = max([self._last_column, *map(_column_index, {column for column, _ in cells})])
        if b't="e"' in piece:
            for column, row, error in _ERROR_CELL.findall(piece):
                self.errors[int(row)][_column_index(column)] = (error or b"#ERROR").decode("ascii")


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1
