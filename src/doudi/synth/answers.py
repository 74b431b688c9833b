"""The tables under ``truth/``: what should come of the deliveries beside them."""

import csv
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from doudi.synth.records import Fault
from doudi.synth.scene import Case
from doudi.synth.truth import Warned
from doudi.synth.writer import DeliveryFile

_TABLES = {
    "quarantine.csv": ("file_name", "line_no", "column_name", "rule"),
    "deliveries.csv": ("file_name", "feed", "rows_read", "rows_quarantined", "rows_published", "rows_unchanged"),
    "warnings.csv": ("indicator_code", "citizen_id", "level", "lead_department"),
    "cases.csv": ("case", "indicator_code", "citizen_id", "expected"),
}


class Answers:
    """Writes the truth as it becomes known, and counts it.

    ``faults`` counts refused rows by rule, ``warnings`` warnings of the day asked about by
    indicator.
    """

    def __init__(self, folder: Path, *, past_days: Iterable[date]) -> None:
        self.faults: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self._folder = folder
        self._past = {day: f"warnings_{day:%Y%m%d}.csv" for day in past_days}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        columns = {**_TABLES, **dict.fromkeys(self._past.values(), _TABLES["warnings.csv"])}
        for stale in set(self._folder.glob("warnings_*.csv")) - {self._folder / name for name in columns}:
            stale.unlink()
        self._tables = {name: self._open(name, of_table) for name, of_table in columns.items()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _open(self, name: str, columns: tuple[str, ...]):
        file = self._stack.enter_context((self._folder / name).open("w", encoding="utf-8", newline=""))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return writer

    def refused(self, file_name: str, line_no: int, fault: Fault) -> None:
        self.faults[fault.rule] += 1
        self._tables["quarantine.csv"].writerow((file_name, line_no, fault.column, fault.rule))

    def warned(self, warnings: Iterable[Warned]) -> None:
        for warning in warnings:
            self.warnings[warning.indicator_code] += 1
            self._tables["warnings.csv"].writerow(warning)

    def warned_on(self, day: date, warnings: Iterable[Warned]) -> None:
        """What a build of one of the past days alone finds; not counted."""
        self._tables[self._past[day]].writerows(warnings)

    def planted(self, case: Case, citizen_id: str) -> None:
        expected = "yes" if case.expected else "no"
        self._tables["cases.csv"].writerow((case.name, case.indicator, citizen_id, expected))

    def delivered(self, file: DeliveryFile) -> None:
        counts = (file.rows_read, file.rows_quarantined, file.rows_published, file.rows_unchanged)
        self._tables["deliveries.csv"].writerow((file.path.name, file.contract.name, *counts))
