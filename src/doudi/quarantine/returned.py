"""Reading a workbook that comes back: which rows it holds, and what of them was corrected."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from doudi.quarantine.listing import KeptRow
from doudi.quarantine.numbers import QuarantineError, RowNumber
from doudi.quarantine.replay import Row
from doudi.quarantine.workbook import CELL_CHARACTERS, GUIDE_SHEET, OWN_COLUMNS
from doudi.rules import RETURN_NUMBER

_TOLD = 5
_EXACT = 10**15  # from here on a spreadsheet's numbers have lost digits


@dataclass(frozen=True)
class ReturnedRow:
    """A row of the workbook; ``place`` names sheet and line, ``cells`` the text under each of the sender's headings."""

    number: RowNumber
    place: str
    cells: dict[str, str]


def read(path: Path) -> list[ReturnedRow]:
    """The rows of a returned workbook.

    Raises QuarantineError, with every place and reason, where it cannot be read, its columns are not those of the
    workbook that was sent, or a row has no return number or that of another.
    """
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [name for name in book.sheet_names if name != GUIDE_SHEET]
        contents = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in sheets]
    except FileNotFoundError:
        raise QuarantineError(f"{path}: there is no such file") from None
    except (CalamineError, OSError):
        raise QuarantineError(f"{path.name}: cannot be read as a workbook") from None
    faults: list[str] = []
    found = [row for name, lines in contents for row in _sheet_rows(name, lines, faults)]
    first: dict[RowNumber, str] = {}
    for row in found:
        if row.number in first:
            faults.append(f"{row.place}: {row.number} stands at {first[row.number]} already")
        first.setdefault(row.number, row.place)
    refuse(path, faults)
    if not found:
        raise QuarantineError(f"{path.name}: holds no row with a {RETURN_NUMBER}")
    return found


def refuse(path: Path, faults: list[str]) -> None:
    """Raise QuarantineError with the first of ``faults`` and the number of the others, if there are any."""
    if faults:
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        raise QuarantineError(f"{path.name}: nothing was taken in. {'; '.join(faults[:_TOLD])}{more}")


def _sheet_rows(name: str, lines: list[list[Any]], faults: list[str]) -> Iterator[ReturnedRow]:
    texts = [[_text(value) for value in line] for line in lines]
    if not any(any(line) for line in texts):
        return
    headings = texts[0][len(OWN_COLUMNS) :]
    named = [heading for heading in headings if heading]
    if tuple(texts[0][: len(OWN_COLUMNS)]) != OWN_COLUMNS or len(set(named)) < len(named):
        faults.append(f"sheet {name}, line 1: the headings are not those of the workbook that was sent")
        return
    for line_no, line in enumerate(texts[1:], start=2):
        place = f"sheet {name}, line {line_no}"
        number = RowNumber.parse(line[0])
        if number:
            cells: dict[str, str] = {}
            for heading, value in zip(headings, line[len(OWN_COLUMNS) :], strict=True):
                cells.setdefault(heading, value)  # of columns without a heading only the first was ever sent
            yield ReturnedRow(number, place, cells)
        elif any(line):
            faults.append(f"{place}: no {RETURN_NUMBER}")


def _text(value: Any) -> str:
    """A cell as text. A number that has lost digits keeps its exponent, so that no rule takes it for an ID."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.15g}" if abs(value) < _EXACT else f"{value:.5E}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def corrected(row: ReturnedRow, kept: KeptRow, *, column_of: Callable[[str], str | None]) -> Row | None:
    """The row to be judged again, None where nothing was corrected, or a cell that lost its digits was not.

    ``column_of`` gives the contract's column for a heading.

    Raises QuarantineError where its columns are not those under which it was sent.
    """
    if kept.line is not None:
        filled = {heading: text for heading, text in row.cells.items() if heading}
        return Row(kept.number, filled) if any(filled.values()) else None
    if row.cells.keys() - {""} != kept.cells.keys() - {""}:
        raise QuarantineError("its columns are not those under which it was sent")
    cells = {
        heading: sent if _shown(came) == _shown(sent[:CELL_CHARACTERS]) else came
        for heading, sent in kept.cells.items()
        for came in [row.cells.get(heading, "")]
    }
    changed = {heading for heading in cells if cells[heading] != kept.cells[heading]}
    still_damaged = kept.damaged_columns - {column_of(heading) for heading in changed}
    return Row(kept.number, cells) if changed and not still_damaged else None


def _shown(text: str) -> str:
    """What of a text survives a spreadsheet: line ends and control characters do not."""
    return re.sub(r"[\x00-\x1f]|_x[0-9A-Fa-f]{4}_", "", text)
