"""CR: what cannot both be true, or should not both be paid."""

from collections.abc import Iterator

from doudi.synth.households import Household
from doudi.synth.names import MIDDLE_DOT
from doudi.synth.records import Row
from doudi.synth.registers import Registers
from doudi.synth.truth.found import Dated

PERSONS = frozenset(
    {
        "minimum_allowance",
        "special_hardship",
        "temporary_assistance",
        "disability",
        "education_assistance",
        "housing_assistance",
        "medical_assistance",
        "economic_check",
        "left_behind",
        "child_protection",
    }
)
_NAMED = (
    ("citizen_id", "name"),
    ("head_citizen_id", "head_name"),
    ("guardian_citizen_id", "guardian_name"),
)
_AS_ONE_WRITES = str.maketrans(dict.fromkeys("•・．.‧∙", MIDDLE_DOT) | {" ": None, "　": None})


def of_person(registers: Registers, household: Household, person: str) -> Iterator[Dated]:
    allowances = registers.receiving("minimum_allowance", person)
    in_hardship = registers.receives("special_hardship", person)
    if allowances and in_hardship:
        yield "CR01", None
    if len({held.county for held in allowances}) > 1:
        yield "CR02", None
    certificates = registers.rows("disability", person)
    if in_hardship and any(row["living_subsidy"] for row in certificates):
        yield "CR03", None
    if _two_names(registers, person):
        yield "CR04", None
    if any(_lapsed(registers, row) and (row["living_subsidy"] or row["care_subsidy"]) for row in certificates):
        yield "CR05", None


def _lapsed(registers: Registers, row: Row) -> bool:
    return row["status"] != "valid" or (row["expires_on"] is not None and row["expires_on"] < registers.today)


def _two_names(registers: Registers, person: str) -> bool:
    """Whether one feed names somebody differently from another; within one feed they may differ as they like."""
    if len(registers.feeds(person)) == 1:
        return False
    by_feed = [names for feed in registers.feeds(person) if (names := _names(registers, feed, person))]
    everywhere = set().union(*by_feed)
    return len(by_feed) > 1 and len(everywhere) > 1


def _names(registers: Registers, feed: str, person: str) -> set[str]:
    return {
        row[name].translate(_AS_ONE_WRITES)
        for row in registers.rows(feed)
        for number, name in _NAMED
        if row.get(number) == person and row.get(name)
    }
