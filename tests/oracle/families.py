"""Families of made-up people, and what happens to them from one delivery to the next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oracle.edges import Edges, births

COUNTIES = ("513431", "513401", "533323")
VILLAGES = tuple(f"{county}{village}" for county in COUNTIES for village in ("001001", "002001"))
_AGES = (6, 16, 18, 60, 80)
_NAMES = ("吉克阿木", "阿依·木沙", "李 四", "王五", "赵·阿妹", "沙马日歪")

Record = Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Person:
    citizen_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """``homes``: the village at each delivery; ``files``: the county that files them then, not always their own."""

    number: int
    people: tuple[Person, ...]
    homes: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def home(self) -> str:
        return self.homes[-1]


def make_families(edges: Edges, *, persons: int, steps: int) -> list[Family]:
    people = [
        Person(citizen_id=number, name=f"{edges.pick(*_NAMES)}{place}")
        for place, number in enumerate(births(edges, _AGES, persons))
    ]
    families = []
    while people:
        size = edges.pick(1, 1, 2, 2, 3, 4, 5)
        members, people = people[:size], people[size:]
        home = edges.pick(*VILLAGES)
        moved, at = (edges.pick(*VILLAGES) if edges.maybe(0.1) else home), edges.chance.randrange(1, steps)
        homes = tuple(home if step < at else moved for step in range(steps))
        files = tuple(village[:6] for village in homes) if edges.maybe(0.5) else (home[:6],) * steps
        families.append(Family(number=len(families), people=tuple(members), homes=homes, files=files))
    return families


def spelling(edges: Edges, name: str) -> str:
    """The name as another clerk writes it: mostly the same person still, now and then another."""
    kind = edges.chance.random()
    if kind < 0.1:
        return name.replace("·", edges.pick("•", "・", "．", ".")).replace(" ", "")
    return name[:1] + "　" + name[1:] if kind < 0.15 else name + "子" if kind < 0.18 else name


def history(edges: Edges, draw: Callable[[], dict[str, Any]], *, steps: int, key: tuple[str, ...]) -> list[Record]:
    """A record at each delivery: it comes, changes in a column or two, and may go or come back."""
    begin = 0 if edges.maybe(0.8) else edges.chance.randrange(steps)
    gone = edges.chance.randrange(begin + 1, steps + 1) if edges.maybe(0.2) else steps
    back = gone + 1 if edges.maybe(0.3) else steps
    row, records = draw(), []
    for step in range(steps):
        if step > begin and edges.maybe(0.2):
            other = draw()
            changed = edges.chance.sample([name for name in row if name not in key], k=2)
            row = row | {name: other[name] for name in changed}
        records.append(row if begin <= step < gone or step >= back else None)
    return records
