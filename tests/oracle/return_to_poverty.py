"""RP: households of the poverty register that may fall back."""

from decimal import Decimal

from oracle.catalogue import of_household, of_person
from oracle.dates import born_on, months_before
from oracle.households import Household
from oracle.world import World


@of_household
def rp01(world: World, household: Household) -> bool:
    line = world.parameter("return_to_poverty_line_annual", household)
    return household.register == "poverty_register" and _income(household) < line


@of_household
def rp02(world: World, household: Household) -> bool:
    if household.register != "poverty_register":
        return False
    then = _income_then(world, household)
    return bool(then) and _income(household) <= world.parameter("income_fall_share", household) * then


def _income(household: Household) -> Decimal:
    return household.rows[household.head]["annual_income_per_capita"]


def _income_then(world: World, household: Household) -> Decimal | None:
    """What the same household number in the same county had 12 months ago, by the row of its self or eldest."""
    day = months_before(world.day, int(world.parameter("look_back_months", household)))
    row = household.rows[household.head]
    then = [
        each
        for each in world.register.on("poverty_register", day)
        if (each.county, each["household_no"]) == (row.county, row["household_no"])
    ]
    if not then:
        return None
    speaker = min(
        then, key=lambda each: (each["relation_to_head"] != "self", born_on(each["citizen_id"]), each["citizen_id"])
    )
    return speaker["annual_income_per_capita"]


@of_household
def rp03(world: World, household: Household) -> bool:
    return world.at_risk(household) and not world.household_covered(household)


@of_household
def rp04(world: World, household: Household) -> bool:
    if not world.at_risk(household):
        return False
    youngest, eldest = (world.parameter(f"working_age_{end}", household) for end in ("from", "to"))
    return not any(
        youngest <= world.age(person) <= eldest and row["labour"] in ("ordinary", "skilled")
        for person, row in household.rows.items()
    )


@of_person
def rp05(world: World, person: str) -> bool:
    household = world.household_of[person]
    share = world.parameter("self_paid_share_of_disposable_income", household)
    income = world.standards.disposable_income("rural", household.division, world.day)
    return household.register == "poverty_register" and world.self_paid(person) > share * income


@of_household
def rp06(world: World, household: Household) -> bool:
    return (
        world.status(household) == "lifted"
        and not world.household_covered(household)
        and world.below(household, world.standard)
    )
