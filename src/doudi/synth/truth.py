"""The seven indicators, read a second time: plain Python over what the registers of one family hold.

This is what the warehouse's warnings are compared with, so it shares nothing with the models: no SQL, no seed, no
code. It reads indicators.md household by household.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from doudi.synth.records import Fact, Row
from doudi.synth.registers import Household, Registers
from doudi.synth.standards import INDICATORS, LARGE_SELF_PAY_FEN, NEW_CERTIFICATE_DAYS, Standards
from doudi.synth.timeline import Timeline


class Warned(NamedTuple):
    indicator_code: str
    citizen_id: str
    level: str
    lead_department: str


def _severe(certificate: Row) -> bool:
    return certificate["grade"] in "12" or (certificate["grade"] == "3" and certificate["category"] in "56")


def _household_indicators(registers: Registers, household: Household) -> Iterator[str]:
    covered = registers.household_covered(household)
    if registers.at_risk(household) and not covered:
        yield "RP03"
    if any(
        row["safety_grade"] in "CD" and row["only_home"] and row["works"] != "completed"
        for row in registers.rows("housing_assistance")
        if row["head_citizen_id"] in household.members
    ):
        yield "BL08"
    checks = registers.checks(household)
    if checks and not checks[-1]["assets_over_limit"] and not covered:
        income = registers.yearly_income(household)
        if income is not None and income < registers.yearly_standard(household):
            yield "PT01"


def _person_indicators(registers: Registers, household: Household, person: str) -> Iterator[str]:
    if registers.self_paid(person) > LARGE_SELF_PAY_FEN and registers.low_income(household):
        yield "BL01"
    certificates = registers.valid_certificates(person)
    if not certificates:
        return
    new_from = registers.today - timedelta(days=NEW_CERTIFICATE_DAYS)
    if not registers.covered(person) and any(
        _severe(row) and new_from < row["issued_on"] <= registers.today for row in certificates
    ):
        yield "BL04"
    if registers.receives("special_hardship", person):
        return
    if registers.receives("minimum_allowance", person) and not any(row["living_subsidy"] for row in certificates):
        yield "CG02"
    if any(row["grade"] in "12" for row in certificates) and not any(row["care_subsidy"] for row in certificates):
        yield "CG03"


def warnings(facts: Iterable[Fact], *, timeline: Timeline, standards: Standards) -> list[Warned]:
    """All warnings that the seven indicators must give for one family on the timeline's day."""
    registers = Registers(facts, timeline=timeline, standards=standards)
    found: list[Warned] = []
    for household in registers.households():
        for code in _household_indicators(registers, household):
            found.append(Warned(code, household.head, *INDICATORS[code]))
        for person in household.members:
            for code in _person_indicators(registers, household, person):
                found.append(Warned(code, person, *INDICATORS[code]))
    return found
