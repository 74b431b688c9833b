"""BL: shocks to people, most of them of low-income households. Each says the day of its latest fact."""

from datetime import date

from oracle.catalogue import of_household, of_person
from oracle.households import Household
from oracle.register import Row
from oracle.world import World, total


def _latest(rows: list[Row], column: str) -> date:
    return max(row[column] for row in rows)


@of_person
def bl01(world: World, person: str) -> date | bool:
    household = world.household_of[person]
    if not world.low_income(household):
        return False
    return _much_self_paid(world, person, "medical_self_paid.low_income")


@of_person
def bl02(world: World, person: str) -> date | bool:
    household = world.household_of[person]
    if world.low_income(household):
        return False
    return _much_self_paid(world, person, "medical_self_paid.others")


def _much_self_paid(world: World, person: str, limit: str) -> date | bool:
    much = world.self_paid(person) > world.parameter(limit, world.household_of[person])
    return much and _latest(world.settlements(person), "settled_on")


@of_person
def bl03(world: World, person: str) -> date | bool:
    settlements = world.settlements(person)
    uninsured = any(row["insured"] is False for row in settlements)
    limit = world.parameter("uninsured_total_cost", world.household_of[person])
    return uninsured and total(settlements, "total_cost") > limit and _latest(settlements, "settled_on")


@of_person
def bl04(world: World, person: str) -> date | bool:
    after = world.days_before(world.parameter("new_disability_days", world.household_of[person]))
    new = [row for row in world.severe(person) if after < row["issued_on"] <= world.day]
    return bool(new) and not world.covered(person) and _latest(new, "issued_on")


@of_household
def bl05(world: World, household: Household) -> date | bool:
    holders = [person for person in household.members if world.certificates(person)]
    if not world.low_income(household) or len(holders) < world.parameter("several_disabled_members", household):
        return False
    return _latest([row for person in holders for row in world.certificates(person)], "issued_on")


@of_person
def bl06(world: World, person: str) -> date | bool:
    household = world.household_of[person]
    youngest, eldest = (world.parameter(f"school_age_{end}", household) for end in ("from", "to"))
    out = [row for row in world.of(person, "education_assistance") if _out_of_school(row)]
    return (
        bool(out) and youngest <= world.age(person) <= eldest and max(world.since(row, _out_of_school) for row in out)
    )


def _out_of_school(row: Row) -> bool:
    return row["enrolment"] in ("suspended", "dropped_out")


@of_household
def bl07(world: World, household: Household) -> date | bool:
    limit = world.parameter("education_self_paid", household)
    if not world.low_income(household) or world.education_paid(household) <= limit:
        return False
    rows = [row for row in world.of_members(household, "education_assistance") if row["self_paid"]]
    return max(world.since(row, lambda each, paid=row["self_paid"]: each["self_paid"] == paid) for row in rows)


@of_household
def bl08(world: World, household: Household) -> date | bool:
    unsafe = [
        row
        for row in world.of_members(household, "housing_assistance")
        if row["safety_grade"] in ("C", "D") and row["only_home"] and row["works"] != "completed"
    ]
    return bool(unsafe) and _latest(unsafe, "appraised_on")


@of_person
def bl09(world: World, person: str) -> date | bool:
    household = world.household_of[person]
    grants = world.in_the_months(world.of(person, "temporary_assistance"), "granted_on", household)
    if world.covered(person) or len(grants) < world.parameter("repeated_grants", household):
        return False
    return _latest(grants, "granted_on")
