"""CG: people who should be covered and are not."""

from oracle.catalogue import of_person
from oracle.world import World


@of_person
def cg01(world: World, person: str) -> bool:
    household = world.household_of[person]
    return (
        bool(world.severe(person) or world.major_illness(person))
        and (world.margin(household) or world.status(household) == "not_lifted")
        and not world.covered(person)
    )


@of_person
def cg02(world: World, person: str) -> bool:
    certificates = world.certificates(person)
    return (
        bool(certificates)
        and not any(row["living_subsidy"] for row in certificates)
        and bool(world.counting(person, "minimum_allowance"))
        and not world.counting(person, "special_hardship")
    )


@of_person
def cg03(world: World, person: str) -> bool:
    certificates = world.certificates(person)
    return (
        any(row["grade"] in ("1", "2") for row in certificates)
        and not any(row["care_subsidy"] for row in certificates)
        and not world.counting(person, "special_hardship")
    )


@of_person
def cg04(world: World, person: str) -> bool:
    household = world.household_of[person]
    elder = world.age(person) >= world.parameter("special_hardship_elder_age", household)
    child = world.age(person) < world.parameter("special_hardship_child_age_below", household)
    return (
        household.members == (person,)
        and bool(elder or child or world.severe(person))
        and world.below(household, world.standard)
        and not world.covered(person)
    )


@of_person
def cg05(world: World, person: str) -> bool:
    return any(
        row["self_care"] == "full_care" and row["support_mode"] == "home"
        for row in world.counting(person, "special_hardship")
    )


@of_person
def cg06(world: World, person: str) -> bool:
    unpaid = any(
        not row["monthly_amount"] and (row["start_date"] or world.day) <= world.day <= (row["end_date"] or world.day)
        for row in world.of(person, "child_protection")
    )
    return unpaid and world.age(person) < world.parameter("child_age_below", world.household_of[person])
