"""CG: people who should be covered or paid and are not."""

from collections.abc import Iterator

from doudi.synth.households import Household
from doudi.synth.registers import Registers
from doudi.synth.standards import HARDSHIP_CHILD_BELOW, HARDSHIP_ELDER_AGE, PROTECTED_CHILD_BELOW
from doudi.synth.truth.found import Dated

HOUSEHOLDS = frozenset({"poverty_register", "minimum_allowance", "economic_check"})
PERSONS = frozenset({"disability", "medical_assistance", "special_hardship", "child_protection"})


def of_household(registers: Registers, household: Household) -> Iterator[Dated]:
    """CG04 is about a person, but of a household of one, whose head that is."""
    if len(household.members) == 1 and household.below_standard and not household.covered:
        age = registers.age(household.head)
        if age >= HARDSHIP_ELDER_AGE or age < HARDSHIP_CHILD_BELOW or registers.severely_disabled(household.head):
            yield "CG04", None


def of_person(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    if not registers.covered(person) and _single_person(registers, household, person):
        yield "CG01", None
    yield from _subsidies(registers, person)
    in_hardship = registers.receiving("special_hardship", person)
    if any(held.row["self_care"] == "full_care" and held.row["support_mode"] == "home" for held in in_hardship):
        yield "CG05", None
    if _unpaid_child(registers, person):
        yield "CG06", None


def _single_person(registers: Registers, household: Household, person: str) -> bool:
    """Severely disabled or gravely ill, in a household that is not poor enough to be covered as a whole."""
    if not household.on_margin and household.status != "not_lifted":
        return False
    ill = any(row["major_illness"] for row in registers.settlements(person))
    return ill or registers.severely_disabled(person)


def _subsidies(registers: Registers, person: str) -> Iterator[Dated]:
    certificates = registers.valid_certificates(person)
    if not certificates or registers.receives("special_hardship", person):
        return
    if registers.receives("minimum_allowance", person) and not any(row["living_subsidy"] for row in certificates):
        yield "CG02", None
    if any(row["grade"] in "12" for row in certificates) and not any(row["care_subsidy"] for row in certificates):
        yield "CG03", None


def _unpaid_child(registers: Registers, person: str) -> bool:
    today = registers.today
    return registers.age(person) < PROTECTED_CHILD_BELOW and any(
        not row["monthly_amount"]
        and (row["start_date"] is None or row["start_date"] <= today)
        and (row["end_date"] is None or row["end_date"] >= today)
        for row in registers.rows("child_protection", person)
    )
