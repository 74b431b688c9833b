"""What the registers knew of an ordinary family, month by month: most of it the same, a little of it new."""

from random import Random

from doudi.synth.histories import events, households, persons
from doudi.synth.people import Family
from doudi.synth.records import Record
from doudi.synth.world import World


def of_family(rng: Random, family: Family, world: World) -> list[Record]:
    """All records of a family in all feeds."""
    records: list[Record] = []
    status = households.poverty(rng, family, world, records)
    hardship = persons.special_hardship(rng, family, world, records)
    covered = []
    if not hardship or rng.random() < 0.03:  # a few are on both lists
        covered = households.allowance(rng, family, world, records, poverty_status=status)
    households.allowance_elsewhere(rng, family, world, records)
    needy = bool(status or covered or hardship)
    households.housing(rng, family, world, records, needy=needy)
    disabled = persons.disability(rng, family, world, records, covered=covered, hardship=hardship)
    persons.education(rng, family, world, records, needy=needy)
    persons.left_behind(rng, family, world, records)
    persons.child_protection(rng, family, world, records)
    events.medical(rng, family, world, records, disabled=disabled)
    events.temporary(rng, family, world, records, needy=needy)
    events.check(rng, family, world, records, in_register=bool(status or covered or hardship))
    events.visits(rng, family, world, records, needy=needy)
    return records
