"""CR: what departments say of one person and does not fit together."""

from itertools import combinations

from oracle.catalogue import of_person
from oracle.world import World


@of_person
def cr01(world: World, person: str) -> bool:
    return bool(world.counting(person, "minimum_allowance") and world.counting(person, "special_hardship"))


@of_person
def cr02(world: World, person: str) -> bool:
    return len({row.county for row in world.counting(person, "minimum_allowance")}) > 1


@of_person
def cr03(world: World, person: str) -> bool:
    paid = any(row["living_subsidy"] for row in world.of(person, "disability"))
    return paid and bool(world.counting(person, "special_hardship"))


@of_person
def cr04(world: World, person: str) -> bool:
    return any(
        feed != other and name != another for (feed, name), (other, another) in combinations(_names(world, person), 2)
    )


def _names(world: World, person: str) -> set[tuple[str, str]]:
    return {(each.row.feed, _normalised(each.name)) for each in world.mentions if each.person == person and each.name}


def _normalised(name: str) -> str:
    """Without spaces, and with one kind of dot between the parts of a minority's name."""
    for dot in "•・．.‧∙":
        name = name.replace(dot, "·")
    return "".join(name.split())


@of_person
def cr05(world: World, person: str) -> bool:
    valid = world.certificates(person)
    return any(
        row not in valid and (row["living_subsidy"] or row["care_subsidy"]) for row in world.of(person, "disability")
    )
