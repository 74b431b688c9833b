"""Which deliveries there are: the data dates of every feed up to the day that is asked about."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

SNAPSHOT_MONTHS = 4
EVENT_MONTHS = 4  # the first delivery of an events feed also brings the history before it
HISTORY_MONTHS = 15  # how far back that history goes
EARLIER_LISTS = (15, 12)  # months before the last list: the poverty register of a year ago and of before
PAST_DAYS = 2  # earlier days of which the truth is told, too


def months_before(day: date, months: int) -> date:
    """``day`` minus calendar months; a day that the earlier month lacks becomes its last (as Postgres counts)."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _month_ends(as_of: date, count: int, *, months: tuple[int, ...] = tuple(range(1, 13))) -> tuple[date, ...]:
    """The last ``count`` ends of the given months on or before ``as_of``, oldest first."""
    found: list[date] = []
    cursor = as_of.replace(day=1)
    while len(found) < count:
        end = _month_end(cursor.year, cursor.month)
        if end <= as_of and end.month in months:
            found.append(end)
        cursor = months_before(cursor, 1)
    return tuple(reversed(found))


def _monthly(as_of: date) -> tuple[date, ...]:
    return _month_ends(as_of, SNAPSHOT_MONTHS)


def _with_earlier(as_of: date) -> tuple[date, ...]:
    """The lists of every month, and those against which they are compared a year later."""
    monthly = _monthly(as_of)
    earlier = (months_before(monthly[-1], months) for months in EARLIER_LISTS)
    return (*(_month_end(day.year, day.month) for day in earlier), *monthly)


def _events(as_of: date) -> tuple[date, ...]:
    return _month_ends(as_of, EVENT_MONTHS)


def _visits(as_of: date) -> tuple[date, ...]:
    """Nobody was sent a list of visits before the first month."""
    return _monthly(as_of)[1:]


def _quarterly(as_of: date) -> tuple[date, ...]:
    return _month_ends(as_of, 2, months=(3, 6, 9, 12))


def _by_term(as_of: date) -> tuple[date, ...]:
    return _month_ends(as_of, 2, months=(3, 9))


_FEEDS: dict[str, Callable[[date], tuple[date, ...]]] = {
    "child_protection": _monthly,
    "disability": _monthly,
    "economic_check": _events,
    "education_assistance": _by_term,
    "household_visit": _visits,
    "housing_assistance": _monthly,
    "left_behind": _quarterly,
    "medical_assistance": _events,
    "minimum_allowance": _monthly,
    "poverty_register": _with_earlier,
    "special_hardship": _monthly,
    "temporary_assistance": _events,
}


@dataclass(frozen=True)
class Timeline:
    """The day asked about, and each feed's data dates, oldest first."""

    as_of: date
    dates: Mapping[str, tuple[date, ...]]

    @classmethod
    def up_to(cls, as_of: date) -> "Timeline":
        return cls(as_of=as_of, dates={feed: dates(as_of) for feed, dates in _FEEDS.items()})

    @cached_property
    def last(self) -> date:
        """The newest data date: no fact that is delivered can be later."""
        return max(dates[-1] for dates in self.dates.values())

    @cached_property
    def year_ago(self) -> date:
        """Facts count from the day after."""
        return months_before(self.as_of, 12)

    def after_year_ago(self, days: int) -> date:
        """0 is the last day that no longer counts."""
        return self.year_ago + timedelta(days=days)

    @cached_property
    def history_from(self) -> date:
        return months_before(self.last, HISTORY_MONTHS)

    @cached_property
    def past_days(self) -> tuple[date, ...]:
        """Earlier days, oldest first, by which every list had come at least once."""
        months = _monthly(self.as_of)[-1 - PAST_DAYS : -1]
        return tuple(day for day in months if all(dates[0] <= day for dates in self.dates.values()))

    def days(self, offset: int) -> date:
        """The day asked about plus ``offset`` days."""
        return self.as_of + timedelta(days=offset)

    def before_last(self, days: int) -> date:
        """A day that some delivery already knows."""
        return self.last - timedelta(days=days)

    def held_on(self, feed: str, day: date) -> int:
        """The position of the last delivery of ``feed`` dated on or before ``day``."""
        return max(index for index, data_date in enumerate(self.dates[feed]) if data_date <= day)

    def delivery_of(self, feed: str, day: date) -> int:
        """The position of the first delivery of ``feed`` dated on or after ``day``."""
        return next(index for index, data_date in enumerate(self.dates[feed]) if data_date >= day)


def school_term(data_date: date) -> str:
    """The term a spring (March) or autumn (September) delivery is about, such as ``2019-2020-2``."""
    if data_date.month < 8:
        return f"{data_date.year - 1}-{data_date.year}-2"
    return f"{data_date.year}-{data_date.year + 1}-1"
