"""Workbooks (.xlsx, .xls): each sheet with a header that the contract knows is a part."""

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, pairwise
from pathlib import Path
from tempfile import mkdtemp

from doudi.contracts import Column
from doudi.deliveries import DeliveryRefused
from doudi.forms import sheet_reader
from doudi.forms.headings import HEADER_SEARCH_RECORDS, Headings
from doudi.forms.parts import Part, Record, text_fault
from doudi.forms.sheet_xml import ErrorCells, measure
from doudi.settings import Limits

_PASSING = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)


def open_workbook(
    path: Path, headings: Headings, *, work: Path, name: str | None, label: str, limits: Limits
) -> list[Part]:
    """The sheets of ``path`` that hold rows of the contract, hidden and empty ones left out.

    A sheet in which no heading is recognised is left out where another has some. Raises DeliveryRefused:
    ``workbook.password``, ``workbook.broken``, ``workbook.size``, and those of a header.
    """
    errors = measure(path, label=label, limits=limits)
    files = _read(path, errors, work=work, label=label, limits=limits)
    sheets = [_Sheet(file, headings, errors) for file in files]
    known = [sheet for sheet in sheets if headings.recognised(sheet.header.texts)] or sheets
    if not known:
        raise DeliveryRefused("header.missing", f"{label}: the workbook has no visible sheet with rows")
    for sheet in known:
        place = f"sheet {sheet.name}, row {sheet.header.first_row}"
        headings.refuse_insufficient(sheet.header.texts, label=label, place=place)
    return [sheet.part(name) for sheet in known]


def _read(path: Path, errors: dict[str, ErrorCells], *, work: Path, label: str, limits: Limits) -> list[Path]:
    """Have the sheets written into ``work``; a file for each, in the workbook's order."""
    folder = Path(mkdtemp(dir=work))
    command = [sys.executable, "-I", sheet_reader.__file__, str(path), str(folder), str(limits.workbook_bytes)]
    # What it says on its way down may hold values; how it ended is all that is told.
    ended = subprocess.run(command, input=json.dumps(errors), text=True, stderr=subprocess.DEVNULL, check=False)
    match ended.returncode:
        case 0:
            return sorted(folder.iterdir())
        case sheet_reader.LOCKED:
            raise DeliveryRefused("workbook.password", f"{label}: the workbook is locked by a password")
        case sheet_reader.NO_ROOM:
            raise OSError(f"{label}: the workbook could not be unfolded in {work}")
        case status if status in _PASSING:
            raise OSError(f"{label}: the reading of the workbook was cut off")
        case _:
            raise DeliveryRefused(
                "workbook.broken",
                f"{label}: damaged, or too large to be read in {limits.workbook_bytes} bytes of memory",
            )


@dataclass(frozen=True)
class _Header:
    texts: tuple[str, ...]
    first_row: int
    last_row: int


class _Sheet:
    """A sheet and where its header stands; rows are counted from 1, as the spreadsheet shows them."""

    def __init__(self, file: Path, headings: Headings, errors: dict[str, ErrorCells]) -> None:
        with file.open(encoding="utf-8") as lines:
            about = json.loads(next(lines))
        self.name: str = about["name"]
        self._file = file
        self._headings = headings
        self._left: int = about["left"]
        self._merged: list[tuple[int, int, int]] = about["merged"]
        self._errors = errors.get(self.name, {})
        self.header = self._find_header()

    def part(self, member: str | None) -> Part:
        columns = self._headings.columns(self.header.texts)
        return Part(
            name=self.name if member is None else f"{member} › {self.name}",
            header=self.header.texts,
            columns=columns,
            header_lines=self.header.last_row,
            encoding=None,
            text=None,
            records=partial(self._records, columns),
        )

    def _rows(self) -> Iterator[tuple[int, list[str | None], list[int]]]:
        """Each row that holds anything: its number, its texts, the positions of numbers beyond 15 digits."""
        with self._file.open(encoding="utf-8") as lines:
            next(lines)
            yield from map(json.loads, lines)

    def _find_header(self) -> _Header:
        """The best recognised among the first rows, or two rows of which the upper groups the lower; ties: the first.

        Two rows are taken for the header only where that names more columns than either by itself.
        """
        first = islice(self._rows(), HEADER_SEARCH_RECORDS)
        rows = [(number, [(text or "").replace("\0", "") for text in texts]) for number, texts, _ in first]
        single = [_Header(tuple(texts), number, number) for number, texts in rows]
        double = [
            _Header(self._joined(upper, lower, number), number, number + 1)
            for (number, upper), (next_number, lower) in pairwise(rows)
            if next_number == number + 1
        ]
        recognised = self._headings.recognised
        return max(chain(single, double), key=lambda header: recognised(header.texts), default=_Header((), 1, 1))

    def _joined(self, upper: list[str], lower: list[str], number: int) -> tuple[str, ...]:
        """Group and heading together where the contract knows that, else the lower one, else the upper."""
        upper = list(upper)
        for top, left, right in self._merged:
            if top == number - 1:
                group = upper[left - self._left]
                upper[left - self._left : right - self._left + 1] = [group] * (right - left + 1)
        return tuple(
            group + heading if heading and self._headings.column(group + heading) else heading or group
            for group, heading in zip(upper, lower, strict=False)
        )

    def _records(self, columns: tuple[str | None, ...]) -> Iterator[Record]:
        known = {column.name: column for column in self._headings.contract.columns}
        body = (row for row in self._rows() if row[0] > self.header.last_row)
        for row_no, (number, fields, long) in enumerate(body, start=1):
            errors = self._errors.get(number, {})
            places = enumerate(columns)
            damaged = tuple(
                (name, "cell.error" if position + self._left in errors else "cell.number")
                for position, name in (places if errors or long else ())
                if name and (position + self._left in errors or (position in long and _identifies(known[name])))
            )
            yield Record(row_no, number, _as_line(fields), fields, text_fault(fields), damaged)


def _identifies(column: Column) -> bool:
    """Whether every digit of the column counts, so that a number that has lost some is no value of it."""
    return column.type in ("id", "div") or (column.type == "text" and column.primary_key)


def _as_line(fields: Iterable[str | None]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue().encode("utf-8", errors="backslashreplace")
