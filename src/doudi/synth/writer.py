"""Writes one delivery in its department's form, line by line; memory does not grow with it."""

import csv
import hashlib
import json
from datetime import date
from operator import itemgetter
from pathlib import Path
from random import Random

from doudi.contracts import Column, Contract
from doudi.synth.records import Fault, Row
from doudi.synth.style import UTF8_BOM, Style, writers

_HELD_LINES = 400
_MARK = "\x01"
_BAD_BYTES = b"\xff\xff"  # of no character, neither in GB18030 nor in UTF-8


class _Lines(list):
    """Takes csv's lines."""

    write = list.append


class DeliveryFile:
    """One delivery that is being written. ``line_no`` is the physical line on which the next record starts."""

    def __init__(self, path: Path, *, contract: Contract, style: Style, data_date: date, seed: int) -> None:
        self.path = path
        self.contract = contract
        self.data_date = data_date
        self.rows_read = self.rows_quarantined = self.rows_published = self.rows_unchanged = 0
        self.line_no = 2
        self._style = style
        self._codec = "utf-8" if style.encoding == UTF8_BOM else style.encoding
        self._values = itemgetter(*style.columns)
        rng = Random(f"cells {seed} {path.name}")
        texts = writers(contract, style, rng=rng)
        self._texts = [(place, texts[name]) for place, name in enumerate(style.columns) if name in texts]
        self._places = {name: place for place, name in enumerate(style.columns)}
        self._breakable = _text_column(contract)
        self._total_of = next((column.name for column in contract.columns if _is_total(column)), None)
        self._total = 0
        self._digest = hashlib.sha256()
        self._lines = _Lines()
        self._csv = csv.writer(self._lines, lineterminator=style.line_end)
        self._part = path.with_name(f"{path.name}.part")  # what is not whole is no delivery
        self._file = self._part.open("wb")
        if style.encoding == UTF8_BOM:
            self._put(b"\xef\xbb\xbf")
        self._csv.writerow([*style.headers, style.extra[0]] if style.extra else style.headers)

    def write(self, row: Row) -> None:
        """A row as the department knows it."""
        self._csv.writerow(self._cells(row))
        self._count(self._lines[-1])
        if self._total_of:
            self._total += row[self._total_of] or 0
        if len(self._lines) >= _HELD_LINES:
            self._flush()

    def refuse(self, row: Row, fault: Fault) -> int:
        """A row damaged by ``fault``; returns the physical line on which it starts."""
        cells = self._cells({**row, **fault.edits} if fault.edits else row)
        if fault.text is not None:
            cells[self._places[fault.column]] = fault.text
        started_on = self.line_no
        self._csv.writerow(self._misplaced(cells, fault.line) if fault.line else cells)
        self._count(self._lines[-1])
        self.rows_quarantined += 1
        if fault.line == "quote":
            self._lines[-1] = self._lines[-1].replace(_MARK, '"')
        elif fault.line == "encoding":
            line = self._lines.pop()
            self._flush()
            self._put(line.encode(self._codec).replace(_MARK.encode(), _BAD_BYTES))
        return started_on

    def _count(self, line: str) -> None:
        self.rows_read += 1
        self.line_no += 1 + line.count("\n", 0, -1)

    def _cells(self, row: Row) -> list:
        cells = list(self._values(row))
        for place, text in self._texts:
            cells[place] = text(cells[place])
        if self._style.extra:
            cells.append(self._style.extra[1])
        return cells

    def _misplaced(self, cells: list, way: str) -> list:
        """The fields of a line that is no record; a mark stands where its line gets what csv would not write."""
        place = self._places[self._breakable]
        before, text, after = cells[:place], str(cells[place]), cells[place + 1 :]
        match way:
            case "extra":
                return [*cells, ""]
            case "comma":
                return [*before, text, "（同上）", *after]
            case "short":
                return cells[:-2]
            case "quote":
                return [*before, _MARK + text, *after]
            case "encoding":
                return [*before, text[:1] + _MARK + text[1:], *after]
            case "nul":
                return [*before, text[:1] + "\0" + text[1:], *after]
        raise ValueError(f"no such way to break a line: {way}")

    def _flush(self) -> None:
        self._put("".join(self._lines).encode(self._codec))
        self._lines.clear()

    def _put(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)

    def close(self) -> None:
        """Write what is left and, where the department sends one, the manifest. All it says is true.

        A list without rows is meant, and not a failed export, only where a manifest says so.
        """
        if not self._style.ends_with_line_end and self._lines:
            self._lines[-1] = self._lines[-1].removesuffix(self._style.line_end)
        self._flush()
        self._file.close()
        self._part.replace(self.path)
        if self._style.manifest or not self.rows_read:
            path = self.path.with_name(f"{self.path.name}.manifest.json")
            path.write_text(json.dumps(self._manifest(), indent=2) + "\n", encoding="utf-8", newline="\n")

    def abandon(self) -> None:
        """Leave nothing of a delivery that was not closed."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _manifest(self) -> dict:
        """Control totals only where every row is taken in, so that they are true of what was read, too."""
        manifest: dict = {
            "rows": self.rows_read,
            "sha256": self._digest.hexdigest(),
            "data_date": self.data_date.isoformat(),
            "mode": self.contract.mode,
        }
        if self._total_of and not self.rows_quarantined:
            manifest["control_totals"] = {self._total_of: self._total / 100}
        return manifest


def _is_total(column: Column) -> bool:
    return column.type == "money" and column.required


def _text_column(contract: Contract) -> str:
    return next(column.name for column in contract.columns if column.type == "text" and not column.primary_key)
