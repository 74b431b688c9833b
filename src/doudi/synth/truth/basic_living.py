"""BL: what makes life hard for people with low incomes: illness, disability, schooling, housing."""

from collections.abc import Iterator
from datetime import date, timedelta

from doudi.synth.households import Household
from doudi.synth.records import Row
from doudi.synth.registers import Registers, severe
from doudi.synth.standards import (
    EDUCATION_FEN,
    LARGE_SELF_PAY_FEN,
    LARGE_SELF_PAY_OF_OTHERS_FEN,
    NEW_CERTIFICATE_DAYS,
    REPEATED_GRANTS,
    SCHOOL_AGES,
    SEVERAL_DISABLED,
    UNINSURED_COST_FEN,
)
from doudi.synth.truth.found import Dated

HOUSEHOLDS = frozenset({"disability", "education_assistance", "housing_assistance"})
PERSONS = frozenset({"medical_assistance", "disability", "education_assistance", "temporary_assistance"})


def of_household(registers: Registers, household: Household) -> Iterator[Dated]:
    if household.low_income:
        certificates = [registers.valid_certificates(person) for person in household.members]
        if sum(bool(of_one) for of_one in certificates) >= SEVERAL_DISABLED:
            yield "BL05", max(row["issued_on"] for of_one in certificates for row in of_one)
        if household.education_paid > EDUCATION_FEN:
            yield "BL07", _paid_since(registers, household)
    unsafe = [row["appraised_on"] for row in household.rows("housing_assistance") if _unsafe(row)]
    if unsafe:
        yield "BL08", max(unsafe)


def of_person(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    yield from _ill(registers, household, person)
    new_from = registers.today - timedelta(days=NEW_CERTIFICATE_DAYS)
    new = [
        row["issued_on"]
        for row in registers.valid_certificates(person)
        if severe(row) and new_from < row["issued_on"] <= registers.today
    ]
    if new and not registers.covered(person):
        yield "BL04", max(new)
    out_of_school = [
        registers.in_state_since(held, _out_of_school)
        for held in registers.held("education_assistance", person)
        if _out_of_school(held.row)
    ]
    if out_of_school and registers.age(person) in SCHOOL_AGES:
        yield "BL06", max(out_of_school)
    grants = [row["granted_on"] for row in registers.rows("temporary_assistance", person)]
    grants = [day for day in grants if registers.within_year(day)]
    if len(grants) >= REPEATED_GRANTS and not registers.covered(person):
        yield "BL09", max(grants)


def _ill(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    settlements = registers.settlements(person)
    if not settlements:
        return
    last = max(row["settled_on"] for row in settlements)
    self_paid = sum(row["self_paid"] for row in settlements)
    if household.low_income and self_paid > LARGE_SELF_PAY_FEN:
        yield "BL01", last
    if not household.low_income and self_paid > LARGE_SELF_PAY_OF_OTHERS_FEN:
        yield "BL02", last
    uninsured = any(not row["insured"] for row in settlements)
    if uninsured and sum(row["total_cost"] for row in settlements) > UNINSURED_COST_FEN:
        yield "BL03", last


def _unsafe(row: Row) -> bool:
    return row["safety_grade"] in "CD" and row["only_home"] and row["works"] != "completed"


def _out_of_school(row: Row) -> bool:
    return row["enrolment"] in ("suspended", "dropped_out")


def _paid_since(registers: Registers, household: Household) -> date:
    """The last day on which what somebody pays was first seen."""
    return max(
        registers.in_state_since(held, lambda row, held=held: row["self_paid"] == held.row["self_paid"])
        for person in household.members
        for held in registers.held("education_assistance", person)
        if held.row["self_paid"]
    )
