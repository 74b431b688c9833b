"""Reads a workbook in a process of its own: ``python sheet_reader.py WORKBOOK FOLDER MEMORY_BYTES``.

calamine keeps each sheet in memory as one block, and a damaged file may make it ask for any amount, upon which the
process is aborted. So it is a process that may be lost, with a bound on its memory.

Standard input: the error cells as JSON, sheet → row → column → name. Every visible sheet that holds anything becomes
a file of JSON lines in FOLDER, named by its position: first what the sheet is, then for each row that holds anything
its number (from 1), the cells as texts, and the positions of numbers beyond 15 digits.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

LOCKED, BROKEN, NO_ROOM = 3, 4, 5  # exit statuses
_EXACT_BELOW = 1e15  # a spreadsheet's number carries 15 digits; of a longer one the last are lost
_SECONDS = 1800

Cell = int | float | str | bool | date | datetime | time | timedelta
Errors = dict[str, dict[str, str]]


def read(workbook_path: Path, folder: Path, errors: dict[str, Errors]) -> None:
    """Write the sheets of ``workbook_path`` into ``folder``. Raises CalamineError where it is no workbook."""
    with workbook_path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
        visible = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        for position, name in enumerate(visible):
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is not None:
                _write(sheet, folder / f"{position:04d}", errors.get(name, {}))


def _write(sheet: CalamineSheet, target: Path, errors: Errors) -> None:
    left = sheet.start[1]
    merged = [[top, first, last] for (top, first), (_, last) in sheet.merged_cell_ranges or () if first >= left]
    with target.open("w", encoding="utf-8") as out:
        out.write(json.dumps({"name": sheet.name, "left": left, "merged": merged}) + "\n")
        for number, cells in _rows(sheet, left, errors):
            long = [position for position, cell in enumerate(cells) if is_long_number(cell)]
            out.write(json.dumps([number, [as_text(cell) for cell in cells], long]) + "\n")


def _rows(sheet: CalamineSheet, left: int, errors: Errors) -> Iterator[tuple[int, list[Cell]]]:
    """Rows that hold something; what a formula could not compute stands there as its error, such as #N/A."""
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        for column, error in errors.get(str(number), {}).items():
            if 0 <= int(column) - left < len(cells):
                cells[int(column) - left] = error
        if any(cell != "" for cell in cells):
            yield number, cells


def is_long_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and abs(cell) >= _EXACT_BELOW


def as_text(cell: Cell) -> str | None:
    """A cell as the text that a file of text would hold; None where it is empty.

    Fifteen digits are what a spreadsheet computes with and shows; a longer number is written with an exponent, so
    that no reader takes its last digits for true.
    """
    match cell:
        case "":
            return None
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return f"{cell:.5E}" if is_long_number(cell) else f"{cell:.15g}"
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _bound(memory_bytes: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # not every system knows these bounds
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


def main() -> int:
    workbook_path, folder, memory_bytes = sys.argv[1:]
    errors = json.load(sys.stdin)
    _bound(int(memory_bytes))
    try:
        read(Path(workbook_path), Path(folder), errors)
    except PasswordError:
        return LOCKED
    except (CalamineError, ValueError):
        return BROKEN
    except OSError as error:
        return NO_ROOM if error.errno else BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
