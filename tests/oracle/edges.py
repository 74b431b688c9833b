"""Values drawn so that they fall on an edge or a hair's breadth beside it as often as not."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from made_up import citizen_id

from oracle.dates import months_before
from oracle.standards import Standards

CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Chance, and the day and parameters whose edges are looked for."""

    chance: random.Random
    day: date
    standards: Standards

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def pick(self, *values: Any) -> Any:
        return self.chance.choice(values)

    def near(self, limit: Decimal, most: int) -> Decimal:
        """An amount: at the limit, a cent beside it, nothing, or anything up to ``most``."""
        kind = self.chance.random()
        if kind < 0.6:
            return max(Decimal(0), limit.quantize(CENT) + self.pick(-CENT, Decimal(0), CENT))
        return Decimal(0) if kind < 0.65 else Decimal(self.chance.randint(0, most * 100)) / 100

    def parameter(self, name: str, division: str) -> Decimal:
        return self.standards.value(name, division, self.day)

    def past(self, days: int = 500) -> date:
        return self.day - timedelta(days=self.chance.randint(0, days))

    def in_the_months(self, division: str) -> date:
        """A day around either end of the look-back months, or anywhere in them or before."""
        months = int(self.parameter("look_back_months", division))
        begin = months_before(self.day, months)
        ends = (begin - timedelta(1), begin, begin + timedelta(1), self.day - timedelta(1), self.day)
        return self.pick(*ends) if self.maybe(0.5) else self.past()

    def beside(self, *days: date) -> date:
        """One of the days, or the day before or after it."""
        return self.pick(*days) + timedelta(days=self.chance.randint(-1, 1))

    def shares(self, amount: Decimal, parts: int) -> list[Decimal]:
        """Amounts that add up to the cent."""
        cuts = sorted(Decimal(self.chance.randint(0, int(amount * 100))) / 100 for _ in range(parts - 1))
        return [end - begin for begin, end in zip([Decimal(0), *cuts], [*cuts, amount], strict=True)]


def births(edges: Edges, ages: Sequence[int], count: int) -> list[str]:
    """Citizen IDs of people who turn one of ``ages`` about the day, were born on 29 February, or on any day."""
    numbers: dict[date, int] = {}
    people = []
    for _ in range(count):
        kind = edges.chance.random()
        if kind < 0.4:
            born = edges.beside(months_before(edges.day, 12 * edges.pick(*ages)))
        elif kind < 0.5:
            born = date(edges.pick(1936, 1940, 1960, 1992, 2000, 2004, 2008, 2012), 2, 29)
        else:
            born = date(1930, 1, 1) + timedelta(days=edges.chance.randint(0, (edges.day - date(1931, 1, 1)).days))
        numbers[born] = numbers.get(born, -1) + 1
        people.append(citizen_id(numbers[born], born=f"{born:%Y%m%d}"))
    return people
