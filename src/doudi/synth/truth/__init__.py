"""The indicators, read a second time: plain Python over what the registers hold of one family.

This is what the warehouse's warnings are compared with, so it shares nothing with the models: no SQL, no seed, no
code. It reads indicators.md household by household, and where a line leaves room, as the decision of 2026-11-24 on
how each indicator is read has it.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from doudi.synth.households import Household, households
from doudi.synth.records import History
from doudi.synth.registers import Registers
from doudi.synth.standards import INDICATORS, Standards
from doudi.synth.timeline import Timeline
from doudi.synth.truth import (
    basic_living,
    composite,
    consistency,
    coverage_gaps,
    potential_targets,
    return_to_poverty,
    special_groups,
)
from doudi.synth.truth.found import Found

# The families of indicators that look at the registers alone; the others look at what these have found. The feeds are
# those without any of which nothing of the family can hold: most people are in the poverty register and nowhere else.
_OF_HOUSEHOLD = (return_to_poverty, basic_living, potential_targets, coverage_gaps)
_OF_PERSON = (return_to_poverty, basic_living, coverage_gaps, special_groups, consistency)


class Warned(NamedTuple):
    indicator_code: str
    citizen_id: str
    level: str
    lead_department: str


def _found(registers: Registers, household: Household) -> list[Found]:
    found: list[Found] = []
    feeds_of = {person: registers.feeds(person) for person in household.members}
    feeds = set().union(*feeds_of.values())
    for family in _OF_HOUSEHOLD:
        if not family.HOUSEHOLDS.isdisjoint(feeds):
            for code, fact_on in family.of_household(registers, household):
                found.append(Found(code, household.head, fact_on))
    for family in _OF_PERSON:
        if not family.PERSONS.isdisjoint(feeds):
            for person in household.members:
                if not family.PERSONS.isdisjoint(feeds_of[person]):
                    for code, fact_on in family.of_person(registers, household, person):
                        found.append(Found(code, person, fact_on))
    if found:
        found += [Found(code, household.head, None) for code in composite.of_household(registers, household, found)]
    return found


def warnings(histories: Iterable[History], *, day: date, timeline: Timeline, standards: Standards) -> list[Warned]:
    """All warnings that hold for one family on ``day``, the standards being those of that day.

    Nothing counts that was delivered later.
    """
    registers = Registers(histories, today=day, timeline=timeline, standards=standards)
    warned: list[Warned] = []
    for household in households(registers):
        warned += [Warned(code, subject, *INDICATORS[code]) for code, subject, _ in _found(registers, household)]
    return warned
