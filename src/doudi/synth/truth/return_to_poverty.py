"""RP: households of the poverty register, and whether they fall back."""

from collections.abc import Iterator

from doudi.synth.households import Household, eldest
from doudi.synth.records import Row
from doudi.synth.registers import Registers
from doudi.synth.standards import FALLEN_TO_PERCENT, ILLNESS_PERCENT, WORKING_AGES
from doudi.synth.truth.found import Dated

HOUSEHOLDS = frozenset({"poverty_register"})
PERSONS = frozenset({"medical_assistance"})
_ABLE = ("ordinary", "skilled")


def of_household(registers: Registers, household: Household) -> Iterator[Dated]:
    if not household.registered:
        return
    income = household.registered["annual_income_per_capita"]
    if income < registers.standards.poverty_line:
        yield "RP01", None
    then = _income_then(registers, household)
    if then and income * 100 <= then * FALLEN_TO_PERCENT:
        yield "RP02", None
    if household.at_risk and not household.covered:
        yield "RP03", None
    if household.at_risk and not any(_can_work(registers, household, person) for person in household.members):
        yield "RP04", None
    if household.status == "lifted" and not household.covered and household.below_standard:
        yield "RP06", None


def of_person(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    if household.registered:
        limit = registers.standards.rural_income * ILLNESS_PERCENT
        if registers.self_paid(person) * 100 > limit:
            yield "RP05", None


def _income_then(registers: Registers, household: Household) -> int | None:
    """What the same household's head (or eldest member) was registered with a year ago; None where it was not."""
    rows = [
        row
        for county, row in registers.then("poverty_register", registers.year_ago)
        if (county, row["household_no"]) == (household.key.county, household.key.number)
    ]
    return _first(rows)["annual_income_per_capita"] if rows else None


def _first(rows: list[Row]) -> Row:
    heads = [row for row in rows if row["relation_to_head"] == "self"]
    return (
        heads[0]
        if heads
        else next(row for row in rows if row["citizen_id"] == eldest([row["citizen_id"] for row in rows]))
    )


def _can_work(registers: Registers, household: Household, person: str) -> bool:
    row = household.register_row(person)
    return bool(row) and row["labour"] in _ABLE and registers.age(person) in WORKING_AGES
