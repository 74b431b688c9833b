"""The county as a stream of households: ordinary ones, and among them all planted cases, again and again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doudi.contracts import Contract
from doudi.synth import cases, histories, style
from doudi.synth.fault_places import FaultPlaces
from doudi.synth.fault_plan import FaultPlan
from doudi.synth.names import pick
from doudi.synth.people import People
from doudi.synth.records import Record
from doudi.synth.scene import Case, Scene
from doudi.synth.strays import Strays
from doudi.synth.world import World, household_random

_URBAN_SHARE = 0.12
_ORDINARY_FIRST = 4  # every so-manieth household, until all cases are planted once
_PLANTED_LATER = 40  # every so-manieth household, afterwards


@dataclass(frozen=True)
class Unit:
    """One household's records, or (without people) refused rows of nobody; ``case`` is what it was planted for."""

    people: int
    records: list[Record]
    case: Case | None = None
    subject: str = ""  # the citizen ID that the case is about


def stream(world: World, *, contracts: Mapping[str, Contract], seed: int, clean: bool) -> Iterator[Unit]:
    """Households without end. ``clean`` leaves out every row that is to be refused."""
    people = People(as_of=world.timeline.as_of, last=world.timeline.last)
    deliveries = {feed: world.deliveries(feed) for feed in contracts}
    places = FaultPlaces(deliveries=deliveries, plain_utf8=style.plain_utf8(deliveries))
    plan = FaultPlan(contracts=contracts, places=places)
    strays = Strays(world=world, people=people, contracts=contracts, places=places)
    planted: list[Case | None] = [case for case in cases.ALL if not (clean and case.faulty)]
    if not clean:
        planted += [None] * strays.units_per_round  # None: refused rows of nobody
    number = 0
    while True:
        rng = household_random(seed, number)
        turn = _planted_turn(number, len(planted))
        if turn is None:
            village = pick(rng, world.places.urban if rng.random() < _URBAN_SHARE else world.places.rural)
            family = people.family(rng, number=number, village=village)
            records = histories.of_family(rng, family, world)
            if not clean:
                plan.visit(records)
            yield Unit(len(family.members), records)
        elif case := planted[turn]:
            scene = Scene(world=world, people=people, rng=rng, number=number)
            subject = case.build(scene)
            yield Unit(len(scene.home.members), scene.records, case, subject.citizen_id)
        else:
            yield Unit(0, strays.plant(number))
        number += 1


def _planted_turn(number: int, count: int) -> int | None:
    """Which planted case stands at this household's place; None for an ordinary household."""
    ordinary, rest = divmod(number, _ORDINARY_FIRST)
    turn = number - ordinary - 1
    if turn < count:
        return turn if rest else None
    turn, rest = divmod(number, _PLANTED_LATER)
    return None if rest else turn % count
