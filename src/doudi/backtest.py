"""Months before the warehouse was there, played in order beside the present, and what the indicators saw coming."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import takewhile

import psycopg
from psycopg.rows import class_row

from doudi.settings import TIME_ZONE, Settings
from doudi.summary import print_table
from doudi.transform import BuildError, apart
from doudi.transform.runner import Progress
from doudi.warehouse.connection import connect

SUFFIX = "_backtest"


class BacktestError(Exception):
    """There is nothing to test with; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Hindsight:
    """A row of marts.indicator_backtest: an indicator, or ``any``, against what came later.

    Shares are 0 to 1 and None where there is nothing to take a share of; days are calendar days.
    """

    indicator_code: str
    warnings: int
    visited_warnings: int
    confirmed_warnings: int
    confirmed_share: Decimal | None
    aged_warnings: int
    followed_warnings: int
    followed_share: Decimal | None
    entries: int
    foreseen_entries: int
    foreseen_share: Decimal | None
    days_before_p25: Decimal | None
    days_before_median: Decimal | None
    days_before_p75: Decimal | None


def months(first: date, last: date) -> list[date]:
    """The days on which a replay runs: month ends from ``first`` on, and ``last``. Raises BacktestError for none."""
    if last > (today := datetime.now(TIME_ZONE).date()):
        raise BacktestError(f"to {last}: that day has not come yet; today is {today}")
    if first >= last:
        raise BacktestError(f"from {first} to {last}: the first day must lie before the last")
    return [*takewhile(lambda day: day < last, _month_ends(first)), last]


def _month_ends(first: date) -> Iterator[date]:
    year, month = first.year, first.month
    while True:
        end = date(year, month, calendar.monthrange(year, month)[1])
        if end >= first:
            yield end
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def replay(
    *, url: str, settings: Settings, first: date, last: date, keep: bool = False, progress: Progress | None = None
) -> list[Hindsight]:
    """Build the warnings of every month in schemas of their own, as if the warehouse had run then, and judge them.

    Raises BacktestError for days that cannot be played, BuildError where a model or test fails.
    """
    days = months(first, last)
    with apart(url=url, settings=settings, suffixes=(SUFFIX,), keep=keep, progress=progress) as place:
        _refuse_days_without_deliveries(place.session, days[0])
        for day in days:
            place.progress(f"as of {day}")
            place.compute("+warning" if day < last else "+indicator_backtest", as_of=day, suffix=SUFFIX)
        return _read(place.session, f"marts{SUFFIX}")


def present(*, url: str) -> list[Hindsight]:
    """What the last build says of the warnings that the warehouse gave itself. Raises BuildError before the first."""
    with connect(url, step="backtest", role="owner") as session:
        ((built,),) = session.execute("select to_regclass('marts.indicator_backtest') is not null").fetchall()
        if not built:
            raise BuildError("nothing has been built yet: run doudi build first")
        return _read(session, "marts")


def _refuse_days_without_deliveries(session: psycopg.Connection, first: date) -> None:
    ((earliest,),) = session.execute("select min(data_date) from ops.load where status = 'published'").fetchall()
    if earliest is None or first < earliest:
        raise BacktestError(f"as of {first} nothing had been delivered; the first delivery is of {earliest}")


def _read(session: psycopg.Connection, schema: str) -> list[Hindsight]:
    columns = ", ".join(Hindsight.__dataclass_fields__)
    with session.cursor(row_factory=class_row(Hindsight)) as cursor:
        return cursor.execute(f"select {columns} from {schema}.indicator_backtest order by indicator_code").fetchall()


def print_hindsight(rows: list[Hindsight]) -> None:
    """A table of the indicators that ever warned, and of all together."""
    entries = rows[0].entries if rows else 0
    print_table(
        f"Warnings against the {entries} people who entered a benefit later; days from warning to entry",
        *("indicator", "warnings", "visited", "confirmed", "aged", "followed", "foreseen", "p25", "median", "p75"),
        rows=[
            (
                row.indicator_code,
                row.warnings,
                row.visited_warnings,
                _share(row.confirmed_warnings, row.confirmed_share),
                row.aged_warnings,
                _share(row.followed_warnings, row.followed_share),
                _share(row.foreseen_entries, row.foreseen_share),
                *(
                    None if days is None else f"{days:.0f}"
                    for days in (row.days_before_p25, row.days_before_median, row.days_before_p75)
                ),
            )
            for row in rows
            if row.warnings
        ],
        numbers=9,
    )


def _share(count: int, share: Decimal | None) -> str:
    return str(count) if share is None else f"{count} ({share:.0%})"
