"""The rows that departments sent, as they hold on a date."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg

from doudi.contracts import Contract


@dataclass(frozen=True, kw_only=True)
class Row:
    """A version of a record: it holds from ``valid_from`` up to, not including, ``valid_to``.

    ``data_date``, of a row that holds on the oracle's day, is the day of the latest list that has it; of an event the
    day of the delivery that brought it. ``county`` is the one that files it.
    """

    feed: str
    county: str
    key: tuple[Any, ...]
    valid_from: date
    valid_to: date
    data_date: date
    values: dict[str, Any] = field(compare=False)

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@dataclass(frozen=True, kw_only=True)
class Register:
    """All versions whose data date is not after ``day``; one that ends later has not ended yet."""

    day: date
    versions: dict[str, list[Row]]

    def current(self, feed: str) -> list[Row]:
        return self.on(feed, self.day)

    def on(self, feed: str, day: date) -> list[Row]:
        return [row for row in self.versions[feed] if row.valid_from <= day < row.valid_to]

    def of_record(self, row: Row) -> list[Row]:
        """All versions of the record that ``row`` is one of, in their order."""
        same = [each for each in self.versions[row.feed] if (each.county, each.key) == (row.county, row.key)]
        return sorted(same, key=lambda each: each.valid_from)


def read_register(session: psycopg.Connection, contracts: Iterable[Contract], *, day: date) -> Register:
    """Everything that was known of ``day`` and the days before it."""
    versions = {}
    for contract in contracts:
        names = [column.name for column in contract.columns]
        lists = session.execute(
            "select area_code, data_date from ops.load where feed = %s and status = 'published' and data_date <= %s",
            (contract.name, day),
        ).fetchall()
        rows = session.execute(
            f"""
            select _county_code, _area_code, _valid_from, nullif(_valid_to, 'infinity'), {", ".join(names)}
            from register.{contract.name} where _valid_from <= %s
            """,
            (day,),
        ).fetchall()
        versions[contract.name] = [
            Row(
                feed=contract.name,
                county=county,
                key=tuple(value for column, value in zip(contract.columns, values, strict=True) if column.primary_key),
                valid_from=valid_from,
                valid_to=valid_to or date.max,
                data_date=_data_date(contract, area, valid_from, valid_to or date.max, lists),
                values=dict(zip(names, values, strict=True)),
            )
            for county, area, valid_from, valid_to, *values in rows
        ]
    return Register(day=day, versions=versions)


def _data_date(contract: Contract, area: str, valid_from: date, valid_to: date, lists: list[tuple[str, date]]) -> date:
    if contract.mode == "events":
        return valid_from
    return max(day for code, day in lists if area.startswith(code) and valid_from <= day < valid_to)
