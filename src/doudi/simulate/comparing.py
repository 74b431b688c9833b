"""Who is found before and after, side by side: counts of people and households, and yuan per month, by area."""

from dataclasses import dataclass
from decimal import Decimal

import psycopg

from doudi.warehouse import distribution

MEASURES = {
    "findings": "subjects for whom an indicator holds",
    "people": "people for whom an indicator holds, or for whose household it does",
    "households": "households in which an indicator holds",
    "visits": "households in which any indicator holds, each to be visited once",
    "people_below_standard": "people in households below the standard, not covered, assets within the limit",
    "households_below_standard": "households below the standard, not covered, assets within the limit",
    "shortfall_monthly": "yuan per month that would lift those households to the standard",
    "standard_of_covered_monthly": "yuan per month: the standards of all people in minimum allowance, summed",
}
_LEVELS = {"": 0, "county": 6, "township": 9}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measure in one area before and after, and what came and went: after = before + gained - lost + changed.

    ``division_level`` is county or township, and empty for everything together; ``indicator_code`` is empty where a
    measure is not of one indicator. Counts, or yuan per month where the measure's name says monthly.
    """

    division_level: str
    division_code: str
    division_name: str | None
    indicator_code: str
    measure: str
    before: Decimal
    after: Decimal
    gained: Decimal
    lost: Decimal


# One row per thing counted (a person, a household), with what it counts for: 1, or yuan per month.
_COUNTED = """
    select 'findings' as measure, indicator_code, subject_id as item, division_code, 1 as amount
    from {schema}.int_signal
    union all
    select 'people', signal.indicator_code, member.person_id, member.division_code, 1
    from {schema}.int_signal as signal
    inner join {schema}.int_household_member as member
        on signal.household_id = member.household_id and (signal.scope = 'H' or signal.person_id = member.person_id)
    group by signal.indicator_code, member.person_id, member.division_code
    union all
    select 'households', indicator_code, household_id, division_code, 1
    from {schema}.int_signal
    group by indicator_code, household_id, division_code
    union all
    select 'visits', '', household_id, division_code, 1
    from {schema}.int_signal
    group by household_id, division_code
    union all
    select measures.name, '', household.household_id, household.division_code, measures.amount
    from {schema}.int_household__situation as household
    cross join lateral (
        values
        ('people_below_standard', household.members::numeric),
        ('households_below_standard', 1),
        (
            'shortfall_monthly',
            round((household.minimum_allowance_monthly - household.income_monthly) * household.members, 2)
        )
    ) as measures (name, amount)
    where
        household.income_monthly < household.minimum_allowance_monthly
        and not household.is_covered
        and not household.is_over_asset_limit
    union all
    select
        'standard_of_covered_monthly', '', coverage.person_id, household.division_code,
        household.minimum_allowance_monthly
    from {schema}.int_coverage as coverage
    inner join {schema}.int_household__situation as household on coverage.household_id = household.household_id
    where coverage.feed = 'minimum_allowance'
    group by coverage.person_id, household.division_code, household.minimum_allowance_monthly
"""
_COMPARED = """
    with
    met as (
        select
            coalesce(after.measure, before.measure) as measure,
            coalesce(after.indicator_code, before.indicator_code) as indicator_code,
            coalesce(after.division_code, before.division_code) as village,
            before.amount as before,
            after.amount as after
        from ({before}) as before
        full join ({after}) as after
            on before.measure = after.measure
            and before.indicator_code = after.indicator_code
            and before.item = after.item
    ),

    by_area as (
        {by_area}
    )

    select
        by_area.division_level, by_area.division_code, division.name, by_area.indicator_code, by_area.measure,
        by_area.before, by_area.after, by_area.gained, by_area.lost
    from by_area
    left join reference.division as division
        on by_area.division_code = division.code and division.valid_to is null
    order by by_area.division_code, by_area.measure, by_area.indicator_code
"""
_BY_AREA = """
    select
        '{level}' as division_level,
        left(village, {digits}) as division_code,
        indicator_code,
        measure,
        coalesce(sum(before), 0) as before,
        coalesce(sum(after), 0) as after,
        coalesce(sum(after) filter (where before is null), 0) as gained,
        coalesce(sum(before) filter (where after is null), 0) as lost
    from met
    group by left(village, {digits}), indicator_code, measure
"""


def compare(session: psycopg.Connection, *, before: str, after: str) -> list[Figure]:
    """The figures of two schemas that hold the intermediate models, for every area of each level."""
    with session.transaction():
        if distribution.is_distributed(session):
            session.execute("set local citus.enable_repartition_joins = on")
        counted = {
            side: distribution.at_hand(session, _COUNTED.format(schema=schema), table=f"counted_{side}")
            for side, schema in (("before", before), ("after", after))
        }
        query = _COMPARED.format(
            **counted,
            by_area=" union all ".join(
                _BY_AREA.format(level=level, digits=digits) for level, digits in _LEVELS.items()
            ),
        )
        names = list(Figure.__dataclass_fields__)
        return [Figure(**dict(zip(names, row, strict=True))) for row in session.execute(query)]
