"""Days, months and ages as the page counts them."""

import calendar
from datetime import date


def months_before(day: date, months: int) -> date:
    """The same day ``months`` earlier, or the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age_on(day: date, citizen_id: str) -> int:
    """Whole years; who was born on 29 February turns a year older on 1 March where the year has no such day."""
    born = born_on(citizen_id)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def born_on(citizen_id: str) -> date:
    return date(int(citizen_id[6:10]), int(citizen_id[10:12]), int(citizen_id[12:14]))
