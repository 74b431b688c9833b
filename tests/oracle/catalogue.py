"""How indicators are written down here, and what is asked of all of them.

An indicator is a function of the world and its subject: a citizen ID where the scope is P, a household where it is H.
It gives False where it does not hold, and where it does the day of its latest fact, or True where none is worked out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from oracle.households import Household
from oracle.world import World

Judgement = Callable[[World, Any], date | bool]
INDICATORS: dict[str, tuple[str, Judgement]] = {}


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """``person`` is the citizen ID it is about; of a household, its head's."""

    code: str
    scope: str
    person: str
    fact_on: date | None = field(default=None, compare=False)


def of_person(judge: Judgement) -> Judgement:
    """Notes an indicator of scope P under the name of its function."""
    INDICATORS[judge.__name__.upper()] = ("P", judge)
    return judge


def of_household(judge: Judgement) -> Judgement:
    """Notes an indicator of scope H under the name of its function."""
    INDICATORS[judge.__name__.upper()] = ("H", judge)
    return judge


def findings(world: World) -> list[Finding]:
    """Every indicator that holds on the day, one per indicator and subject."""
    return sorted(finding for household in world.households for finding in about(world, household, *INDICATORS))


def about(world: World, household: Household, *begins: str) -> Iterator[Finding]:
    """What holds of a household or its members, of the indicators whose codes begin so."""
    for code, (scope, judge) in INDICATORS.items():
        if not code.startswith(begins):
            continue
        for subject in household.members if scope == "P" else [household]:
            fact_on = judge(world, subject)
            if fact_on:
                yield Finding(
                    code=code,
                    scope=scope,
                    person=subject if scope == "P" else household.head,
                    fact_on=None if fact_on is True else fact_on,
                )
