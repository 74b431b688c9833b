"""Deliveries written as departments send them: a CSV under its real name, with the contract's headings."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from doudi.contracts import Contract


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What one county sends of one feed on one day; rows by the contract's column names, values as they are meant."""

    feed: str
    area: str
    day: date
    rows: tuple[Mapping[str, Any], ...]


def write(sent: Iterable[Sent], folder: Path, contracts: Mapping[str, Contract]) -> list[Path]:
    """The files, the oldest day first. A list without rows would be refused, and no department sends one."""
    paths = []
    for delivery in sorted(sent, key=lambda each: (each.day, each.feed, each.area)):
        if not delivery.rows:
            continue
        columns = contracts[delivery.feed].columns
        path = folder / f"{delivery.feed}_{delivery.area}_{delivery.day:%Y%m%d}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(column.header for column in columns)
            writer.writerows([_text(row.get(column.name)) for column in columns] for row in delivery.rows)
        paths.append(path)
    return paths


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)
