"""PT: households that a benefit may be meant for."""

from datetime import date, timedelta
from fractions import Fraction

from oracle.catalogue import about, of_household
from oracle.dates import months_before
from oracle.households import Household
from oracle.register import Row
from oracle.world import World


@of_household
def pt01(world: World, household: Household) -> bool:
    checks = world.checks(household)
    return (
        bool(checks)
        and not checks[0]["assets_over_limit"]
        and not world.household_covered(household)
        and world.below(household, world.standard)
    )


@of_household
def pt02(world: World, household: Household) -> bool:
    return world.margin(household) and bool(world.checks(household))


@of_household
def pt03(world: World, household: Household) -> bool:
    income, rigid = world.income(household), world.rigid(household)
    if income is None or rigid <= 0 or world.household_covered(household):
        return False
    disposable = world.standards.disposable_income(world.area_type(household), household.division, world.day)
    share = Fraction(world.parameter("rigid_share_of_income", household))
    return income < Fraction(disposable) / 12 and rigid >= share * income * 12 * len(household.members)


@of_household
def pt04(world: World, household: Household) -> bool:
    checks = world.checks(household)
    if not checks or checks[0]["result"] != "refused":
        return False
    return any(finding.fact_on > checks[0]["checked_on"] for finding in about(world, household, "BL"))


@of_household
def pt05(world: World, household: Household) -> bool:
    if world.household_covered(household) or not _ended(world, household):
        return False
    return any(True for _ in about(world, household, "BL", "PT01", "PT02", "PT03"))


def _ended(world: World, household: Household) -> list[date]:
    """Days within the months on which a benefit of somebody who is a member today ended."""
    after = months_before(world.day, int(world.parameter("look_back_months", household)))
    ends = [
        _end(world, row)
        for feed in ("minimum_allowance", "special_hardship")
        for row in world.register.versions[feed]
        if row["citizen_id"] in household.members
    ]
    return [end for end in ends if end and after < end <= world.day]


def _end(world: World, row: Row) -> date | None:
    """The last day of the benefit or that of the first list without it; None for one that never counted.

    Of a record that was changed, what its last version says; whether it ever counted, any up to that may show.
    """
    if any(each.valid_from == row.valid_to for each in world.register.of_record(row)):
        return None
    counted = any(
        max(each.valid_from, each["start_date"]) <= min(each.valid_to - timedelta(days=1), each["end_date"] or date.max)
        for each in world.register.of_record(row)
        if each.valid_from <= row.valid_from
    )
    return min(row.valid_to, row["end_date"] or date.max) if counted else None


@of_household
def pt06(world: World, household: Household) -> bool:
    until = world.day + timedelta(days=int(world.parameter("gradual_exit_days", household)))
    ending = any(
        row["gradual_exit_until"] and world.day <= row["gradual_exit_until"] <= until
        for row in world.of_members(household, "minimum_allowance")
    )
    multiple = world.parameter("gradual_exit_multiple", household)
    return ending and world.below(household, lambda each: multiple * world.standard(each))
