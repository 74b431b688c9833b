"""The parameters, read from the seed by a resolver of the oracle's own: area before parent before `*`."""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Parameter:
    area: str
    name: str
    valid_from: date
    valid_to: date
    value: Decimal


@dataclass(frozen=True)
class Standards:
    """All rows of local_standard.csv."""

    parameters: tuple[Parameter, ...]

    def value(self, name: str, division: str, day: date) -> Decimal:
        """What holds in a division on a day: of the smallest area around it, the row that began last."""
        holding = [
            row
            for row in self.parameters
            if row.name == name
            and row.valid_from <= day <= row.valid_to
            and row.area in ("*", division[: len(row.area)])
        ]
        return max(holding, key=lambda row: (0 if row.area == "*" else len(row.area), row.valid_from)).value

    def disposable_income(self, area_type: str, division: str, day: date) -> Decimal:
        """Y0, yuan a year: the figure of the year before the day's."""
        return self.value(f"disposable_income_annual.{area_type}", division, date(day.year - 1, 12, 31))


def read_standards(seed: Path) -> Standards:
    with seed.open(encoding="utf-8", newline="") as file:
        return Standards(
            tuple(
                Parameter(
                    area=row["area"],
                    name=row["name"],
                    valid_from=date.fromisoformat(row["valid_from"]),
                    valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max,
                    value=Decimal(row["value"]),
                )
                for row in csv.DictReader(file)
            )
        )


def read_levels(catalogue: Path) -> dict[str, str]:
    """The level of each indicator, from the seed of indicators."""
    with catalogue.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["level"] for row in csv.DictReader(file)}
