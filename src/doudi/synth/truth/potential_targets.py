"""PT01, PT02, PT03 and PT06: households that may need a benefit soon."""

from collections.abc import Iterator
from datetime import timedelta

from doudi.synth.households import Household
from doudi.synth.registers import Registers
from doudi.synth.standards import GRADUAL_EXIT_DAYS, GRADUAL_EXIT_PERCENT, RIGID_PERCENT
from doudi.synth.truth.found import Dated

HOUSEHOLDS = frozenset({"economic_check", "medical_assistance", "education_assistance", "minimum_allowance"})


def of_household(registers: Registers, household: Household) -> Iterator[Dated]:
    check = household.latest_check
    if check and not check["assets_over_limit"] and not household.covered and household.below_standard:
        yield "PT01", None
    if check and household.on_margin:
        yield "PT02", None
    if not household.covered and _rigid(registers, household):
        yield "PT03", None
    if _gradual_exit_ends(registers, household):
        yield "PT06", None


def _rigid(registers: Registers, household: Household) -> bool:
    """Whether an income below the average leaves little beside what is paid for treatment and schooling."""
    income = household.yearly_income
    if income is None or income >= registers.standards.income(household.area_type):
        return False
    paid = sum(registers.self_paid(person) for person in household.members) + household.education_paid
    return paid > 0 and paid * 100 >= income * len(household.members) * RIGID_PERCENT


def _gradual_exit_ends(registers: Registers, household: Household) -> bool:
    last = registers.today + timedelta(days=GRADUAL_EXIT_DAYS)
    ends = [row["gradual_exit_until"] for row in household.rows("minimum_allowance")]
    income = household.yearly_income
    return (
        any(end and registers.today <= end <= last for end in ends)
        and income is not None
        and income * 100 < household.yearly_standard * GRADUAL_EXIT_PERCENT
    )
