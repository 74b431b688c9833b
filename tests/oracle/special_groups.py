"""SG: those left behind in the village."""

from oracle.catalogue import of_person
from oracle.register import Row
from oracle.world import World


def _registered(world: World, person: str, kind: str) -> list[Row]:
    return [row for row in world.of(person, "left_behind") if row["kind"] == kind]


@of_person
def sg01(world: World, person: str) -> bool:
    unguarded = any(
        row["guardian_capable"] is False or not (row["guardian_name"] or row["guardian_citizen_id"])
        for row in _registered(world, person, "child")
    )
    limit = world.parameter("left_behind_child_age_below", world.household_of[person])
    return unguarded and world.age(person) < limit


@of_person
def sg02(world: World, person: str) -> bool:
    old = world.age(person) >= world.parameter("left_behind_elder_age", world.household_of[person])
    return bool(_registered(world, person, "elder")) and bool(old or world.severe(person))


@of_person
def sg03(world: World, person: str) -> bool:
    return (
        bool(_registered(world, person, "woman"))
        and world.low_income(world.household_of[person])
        and not world.covered(person)
    )
