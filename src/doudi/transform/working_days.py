"""China's official calendar as a table: deadlines run in its working days, make-up days included."""

from datetime import date, timedelta
from functools import cache

import psycopg

from doudi.warehouse.distribution import is_distributed

_FIRST_YEAR = 2004  # the first that chinesecalendar knows


def load_working_days(session: psycopg.Connection, *, last_year: int) -> None:
    """Bring reference.working_day up to the end of a year; rows that are right already stay as they are."""
    with session.transaction():
        session.execute(
            """
            create table if not exists reference.working_day (
                date date primary key, is_working_day boolean not null, working_day_no integer not null
            )
            """
        )
        if is_distributed(session):
            session.execute("select cluster.copy_to_nodes('reference.working_day')")
        session.execute("create temporary table calendar (like reference.working_day) on commit drop")
        with session.cursor().copy("copy calendar from stdin") as copy:
            for row in _days(last_year):
                copy.write_row(row)
        session.execute(
            """
            insert into reference.working_day as kept
            select date, is_working_day, working_day_no from calendar
            on conflict (date) do update
                set is_working_day = excluded.is_working_day, working_day_no = excluded.working_day_no
                where (kept.is_working_day, kept.working_day_no)
                    is distinct from (excluded.is_working_day, excluded.working_day_no)
            """
        )


@cache
def _days(last_year: int) -> list[tuple[date, bool, int]]:
    """Each day, whether people work on it, and how many working days there have been so far."""
    first, last = date(_FIRST_YEAR, 1, 1), date(last_year, 12, 31)
    rows, number = [], 0
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        working = is_working_day(day)
        number += working
        rows.append((day, working, number))
    return rows


def is_working_day(day: date) -> bool:
    """By the official calendar; a year that has not been announced yet counts Monday to Friday."""
    import chinese_calendar

    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5
