"""SG: those whom the young left behind in the village."""

from collections.abc import Iterator

from doudi.synth.households import Household
from doudi.synth.records import Row
from doudi.synth.registers import Registers
from doudi.synth.standards import LEFT_BEHIND_CHILD_BELOW, LEFT_BEHIND_ELDER_AGE
from doudi.synth.truth.found import Dated

PERSONS = frozenset({"left_behind"})


def of_person(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    for row in registers.rows("left_behind", person):
        kind = row["kind"]
        if kind == "child" and registers.age(person) < LEFT_BEHIND_CHILD_BELOW and _unguarded(row):
            yield "SG01", None
        elif kind == "elder" and (
            registers.age(person) >= LEFT_BEHIND_ELDER_AGE or registers.severely_disabled(person)
        ):
            yield "SG02", None
        elif kind == "woman" and household.low_income and not registers.covered(person):
            yield "SG03", None


def _unguarded(row: Row) -> bool:
    """Nobody is named, or somebody who is known to be unable."""
    return row["guardian_capable"] is False or not (row["guardian_name"] or row["guardian_citizen_id"])
