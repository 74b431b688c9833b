"""What the reports tell, read from the marts: each function one question, each answer counts and no person."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from doudi.reports.scope import Scope

LEVELS = ("red", "orange", "yellow", "review")


class OpenWarnings(NamedTuple):
    """Warnings that stand, of one part of the area, indicator, level and department."""

    part: str
    indicator: str
    level: str
    department: str
    standing: int
    not_visited: int
    visited: int
    referred: int
    resolved: int
    overdue: int
    due_soon: int
    opened_this_month: int


def open_warnings(scope: Scope) -> list[OpenWarnings]:
    """All that stand, counted; ``due_soon``: not visited or confirmed only, with a deadline within seven days."""
    return [
        OpenWarnings(*row)
        for row in scope.rows(
            """
            select
                left(division_code, %(digits)s), indicator_code, level, lead_department,
                count(*),
                count(*) filter (where status = 'open'),
                count(*) filter (where status = 'visited'),
                count(*) filter (where status = 'referred'),
                count(*) filter (where status = 'resolved'),
                count(*) filter (where is_overdue),
                count(*) filter (
                    where status in ('open', 'visited') and due_on between %(as_of)s::date and %(as_of)s::date + 6
                ),
                count(*) filter (where opened_on >= date_trunc('month', %(as_of)s::date))
            from {marts}.warning
            where closed_on is null and division_code ^@ %(begins)s
            group by 1, 2, 3, 4
            order by 1, 2, 3, 4
            """
        )
    ]


def summed(rows: list[OpenWarnings], key: Callable[[OpenWarnings], object], of: str = "standing") -> Counter:
    """One of the counts added up by a key."""
    counts: Counter = Counter()
    for row in rows:
        counts[key(row)] += getattr(row, of)
    return counts


class MonthOfWarnings(NamedTuple):
    """Of one month and level: standing at its end (or the day), opened and closed in it."""

    month: date
    level: str
    standing: int
    opened: int
    closed: int


def warnings_by_month(scope: Scope) -> list[MonthOfWarnings]:
    """Twelve months up to the day, from the first with a warning on."""
    return [
        MonthOfWarnings(*row)
        for row in scope.rows(
            """
            with month as (
                select
                    first_on::date as first_on,
                    least((first_on + interval '1 month')::date - 1, %(as_of)s::date) as last_on
                from generate_series(
                    date_trunc('month', %(as_of)s::date) - interval '11 months', %(as_of)s::date, interval '1 month'
                ) as first_on
            )

            select
                month.first_on, warning.level,
                count(*) filter (where coalesce(warning.closed_on, 'infinity') > month.last_on),
                count(*) filter (where warning.opened_on >= month.first_on),
                count(*) filter (where warning.closed_on between month.first_on and month.last_on)
            from month
            inner join {marts}.warning as warning
                on warning.opened_on <= month.last_on and warning.division_code ^@ %(begins)s
            group by 1, 2
            order by 1, 2
            """
        )
    ]


class Funnel(NamedTuple):
    """Those at risk by the first aid they have; each person once."""

    part: str
    status: str
    at_risk: int
    minimum_allowance: int
    special_hardship: int
    temporary: int
    uncovered: int
    households: int
    uncovered_households: int


_FUNNEL = """
    select
        division_code, poverty_status, at_risk_people, minimum_allowance_people, special_hardship_people,
        temporary_people, uncovered_people, at_risk_households, uncovered_households
    from {marts}.coverage_gap
"""


def funnel(scope: Scope) -> list[Funnel]:
    """Of the area itself, by status in the poverty register."""
    order = "array_position(array['not_lifted', 'returned', 'unstable', 'marginal'], poverty_status)"
    return [Funnel(*row) for row in scope.rows(f"{_FUNNEL} where division_code = %(area)s order by {order}")]


def funnel_of_parts(scope: Scope) -> list[Funnel]:
    """Of the areas in it, by status."""
    where = "where division_level = %(level)s and division_code ^@ %(begins)s order by division_code, poverty_status"
    return [Funnel(*row) for row in scope.rows(f"{_FUNNEL} {where}")]


class Standing(NamedTuple):
    """Of a kind or group: people at the end, and who came and went in the time asked for."""

    kind: str
    people: int
    came: int
    went: int
    before: int


def differences(scope: Scope, *, first_on: date) -> list[Standing]:
    """Between the registers, on the day; new and settled since ``first_on``, and what stood right before it."""
    return _standing(
        scope, "register_comparison_month", ("kind", "standing_people", "new_people", "gone_people"), first_on
    )


def special_groups(scope: Scope, *, first_on: date) -> list[Standing]:
    """Members on the day; joined and left since ``first_on``, and members at the end of the month before."""
    return _standing(
        scope, "special_group_month", ("special_group", "people", "joined_people", "left_people"), first_on
    )


def _standing(scope: Scope, mart: str, columns: tuple[str, str, str, str], first_on: date) -> list[Standing]:
    kind, people, came, went = columns
    return [
        Standing(*row)
        for row in scope.rows(
            f"""
            select
                {kind},
                coalesce(sum({people}) filter (where month = date_trunc('month', %(as_of)s::date)), 0)::integer,
                coalesce(sum({came}) filter (where month >= %(first_on)s), 0)::integer,
                coalesce(sum({went}) filter (where month >= %(first_on)s), 0)::integer,
                coalesce(sum({people}) filter (where month = (%(first_on)s::date - interval '1 month')), 0)::integer
            from {{marts}}.{mart}
            where division_code = %(area)s
            group by {kind}
            """,
            first_on=first_on,
        )
    ]


class Priority(NamedTuple):
    """A county of the three districts and three states."""

    rank: int
    code: str
    name: str | None
    is_deep_poverty: bool
    people: int
    at_risk: int
    uncovered: int
    open_warnings: int
    overdue_warnings: int
    paid_12_months: Decimal


def priority_areas(scope: Scope) -> list[Priority]:
    """Those in the area, or the one that it lies in, the first to be helped first."""
    return [
        Priority(*row)
        for row in scope.rows(
            """
            select
                priority_rank, county_code, county_name, is_deep_poverty, people, at_risk_people, uncovered_people,
                open_warnings, overdue_warnings, paid_12_months_yuan
            from {marts}.priority_area
            where county_code ^@ %(begins)s
            order by priority_rank, county_code
            """
        )
    ]


class Feed(NamedTuple):
    """The worst of a feed over the areas it comes from."""

    feed: str
    title: str
    last_data_date: date | None
    due_on: date | None
    state: str
    refused_deliveries: int
    open_refused_rows: int


def feeds(scope: Scope) -> list[Feed]:
    """What has come and what waits, as the ledger's views show it to this reader."""
    return [
        Feed(*row)
        for row in scope.rows(
            """
            select
                feed, max(feed_title), max(last_data_date), min(due_on),
                case
                    when bool_or(state = 'late') then 'late'
                    when bool_and(state = 'never_came') then 'never_came'
                    else 'in_time'
                end,
                sum(unresolved_refusals)::integer, sum(open_refused_rows)::integer
            from ops.feed_health
            where area_code is null or area_code ^@ %(begins)s
            group by feed
            order by feed
            """
        )
    ]


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A figure of the periodic report and the same of the period before."""

    amount: Decimal
    before: Decimal
    is_comparable: bool


class Period(NamedTuple):
    """A period of marts.quarterly_report, and the one it is held against."""

    code: str
    name_zh: str
    name_en: str
    first_on: date
    last_on: date
    before_first_on: date
    before_last_on: date


def period_of(scope: Scope, code: str) -> Period | None:
    """The period as the mart has it, of whatever area the reader sees."""
    rows = scope.rows(
        """
        select distinct period, period_name_zh, period_name_en, first_on, last_on, before_first_on, before_last_on
        from {marts}.quarterly_report
        where period = %(period)s
        """,
        period=code,
    )
    return Period(*rows[0]) if rows else None


def was_watched(scope: Scope, day: date) -> bool:
    """Whether warnings were looked for by a day: whether the area has one that was opened by then."""
    [(is_there,)] = scope.rows(
        "select exists (select 1 from {marts}.warning where division_code ^@ %(begins)s and opened_on <= %(day)s)",
        day=day,
    )
    return is_there


def reported(scope: Scope, period: str) -> dict[tuple[str, str], Reported]:
    """The area's figures by measure and item."""
    return {
        (measure, item): Reported(
            amount=amount, before=before, is_comparable=listed is None or (listed_before or 0) >= listed
        )
        for measure, item, amount, before, listed, listed_before in scope.rows(
            """
            select measure, item, amount, amount_before, months_listed, months_listed_before
            from {marts}.quarterly_report
            where period = %(period)s and division_code = %(area)s
            """,
            period=period,
        )
    }


def reported_of_parts(scope: Scope, period: str) -> dict[tuple[str, str], Decimal]:
    """Figures of the areas in it by area and measure, over all items but money."""
    return {
        (part, measure): amount
        for part, measure, amount in scope.rows(
            """
            select division_code, measure, sum(amount)
            from {marts}.quarterly_report
            where
                period = %(period)s and measure ^@ 'warnings' and division_level = %(level)s
                and division_code ^@ %(begins)s
            group by division_code, measure
            """,
            period=period,
        )
    }


class Public(NamedTuple):
    """A count that anybody may know; ``value`` is None where it is hidden."""

    area: str
    area_name: str | None
    measure: str
    category: str
    category_name: str
    value: int | None


def public(scope: Scope) -> list[Public]:
    """Of the area and the areas in it down to the county, as published."""
    return [
        Public(*row)
        for row in scope.rows(
            """
            select division_code, division_name, measure, category, category_name, value
            from {marts}.public_summary
            where
                division_code = %(area)s
                or (division_level = %(level)s and division_code ^@ %(begins)s)
            order by division_code, measure desc, category
            """
        )
    ]
