"""Small counties, dense with edges: made by chance from a seed, written as the deliveries of two or three months.

Nothing here follows from what the indicators say, but for where their edges lie; so what is found is what it is.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from oracle import benefits, circumstances, events
from oracle.dates import age_on, months_before
from oracle.deliveries import Sent
from oracle.edges import Edges
from oracle.families import COUNTIES, VILLAGES, Family, Person, Record, history, make_families
from oracle.standards import Parameter, Standards

_DAYS = (
    date(2020, 2, 29),
    date(2020, 6, 30),
    date(2020, 12, 31),
    date(2021, 1, 1),
    date(2021, 2, 28),
    date(2021, 3, 1),
    date(2022, 3, 31),
)
_SHARED = ("status", "annual_income_per_capita")
_DELIVERIES = 4  # a year before the day, two months before it, about it, and the day after


@dataclass(frozen=True, kw_only=True)
class County:
    """What departments sent, the day to compute, and the parameters that areas have of their own."""

    day: date
    own: tuple[Parameter, ...]
    sent: tuple[Sent, ...]


def make_county(seed: int, standards: Standards) -> County:
    """150 to 300 people in three counties. The same seed gives the same."""
    chance = random.Random(seed)
    day = chance.choice(_DAYS)
    own = tuple(_own_parameters(chance, standards, day))
    edges = Edges(chance=chance, day=day, standards=Standards((*standards.parameters, *own)))
    families = make_families(edges, persons=chance.randint(150, 300), steps=_DELIVERIES)
    return County(day=day, own=own, sent=tuple(_Post(edges=edges, families=families).deliveries()))


def add_to_seed(seed: Path, own: tuple[Parameter, ...]) -> None:
    """Append areas' own parameters to a copy of local_standard.csv."""
    with seed.open("a", encoding="utf-8", newline="") as file:
        for row in own:
            until = "" if row.valid_to == date.max else row.valid_to
            csv.writer(file).writerow([row.area, row.valid_from, until, row.name, row.value, "as above", "made up"])


def _own_parameters(chance: random.Random, standards: Standards, day: date) -> Iterator[Parameter]:
    """For some names a value of a village, county or prefecture: holding, about to hold, or just over."""
    areas = (*VILLAGES, *COUNTIES, "5134", "5333")
    for name in sorted({row.name for row in standards.parameters}):
        for area in chance.sample(areas, k=chance.choice((0, 0, 1, 2))):
            yearly = name.startswith("disposable_income_annual")
            on = date(day.year - 1, 12, 31) if yearly else day
            value = standards.value(name, area, on) * chance.choice((Decimal("0.5"), Decimal("0.8"), Decimal("1.2")))
            if standards.value(name, area, on) % 1 == 0:
                value = max(value.quantize(Decimal(1)), Decimal(1))
            begin = date(on.year, 1, 1) if yearly else chance.choice((date(2019, 1, 1), day, day + timedelta(days=1)))
            end = date(on.year, 12, 31) if yearly else chance.choice((date.max, date.max, day, day - timedelta(days=1)))
            if begin <= end:
                yield Parameter(area=area, name=name, valid_from=begin, valid_to=end, value=value)


@dataclass(frozen=True, kw_only=True)
class _Post:
    """Everything that is sent about some families."""

    edges: Edges
    families: list[Family]

    def deliveries(self) -> Iterator[Sent]:
        days = self._days()
        boxes: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
        for family in self.families:
            for feed, records in self._lists(family):
                for step, row in enumerate(records):
                    if row is not None:
                        boxes[feed, family.files[step], step].append({"division_code": family.homes[step], **row})
            for feed, row, happened in self._events(family):
                for step, version in self._sendings(row, happened, days[feed]):
                    boxes[feed, family.files[step], step].append({"division_code": family.homes[step], **version})
        for (feed, area, step), rows in boxes.items():
            self.edges.chance.shuffle(rows)
            yield Sent(feed=feed, area=area, day=days[feed][step], rows=tuple(rows))

    def _days(self) -> dict[str, tuple[date, ...]]:
        """The data dates of each feed: not all of one day, and the first about the day a year ago."""
        day, year_ago = self.edges.day, months_before(self.edges.day, 12)
        return {
            feed: (
                self.edges.pick(year_ago, year_ago, year_ago + timedelta(days=1)),
                day - timedelta(days=60),
                day - timedelta(days=self.edges.pick(0, 0, 1, 3)),
                day + timedelta(days=1),
            )
            for feed in (
                *("minimum_allowance", "special_hardship", "temporary_assistance", "disability"),
                *("education_assistance", "housing_assistance", "medical_assistance", "poverty_register"),
                *("economic_check", "left_behind", "child_protection"),
            )
        }

    # --- lists

    def _lists(self, family: Family) -> Iterator[tuple[str, list[Record]]]:
        edges = self.edges
        if edges.maybe(0.55):
            for records in self._poverty_household(family):
                yield "poverty_register", records
        if edges.maybe(0.45):
            for records in self._certificate(family):
                yield "minimum_allowance", records
        for person in family.people:
            for feed, key, share, draw in self._of_person(person, family):
                if edges.maybe(share):
                    yield feed, history(edges, draw, steps=_DELIVERIES, key=key)

    def _of_person(
        self, person: Person, family: Family
    ) -> Iterator[tuple[str, tuple[str, ...], float, Callable[[], dict[str, Any]]]]:
        """Feed, key, how often it is there, and how a row of it is drawn."""
        edges, age = self.edges, age_on(self.edges.day, person.citizen_id)
        never = ("citizen_id", "start_date", "end_date")
        yield (
            "special_hardship",
            ("certificate_no", *never),
            0.1,
            lambda: benefits.special_hardship(edges, person, family),
        )
        for issue, share in enumerate((0.3, 0.08)):
            key = ("certificate_no", "category", "grade", *never)
            yield "disability", key, share, lambda i=issue: circumstances.certificate(edges, person, family, issue=i)
        for number, share in enumerate((0.6 if 5 <= age <= 20 else 0.08, 0.1)):
            key = ("student_no", *never)
            yield (
                "education_assistance",
                key,
                share,
                lambda n=number: circumstances.pupil(edges, person, family, number=n),
            )
        yield "housing_assistance", ("head_citizen_id",), 0.15, lambda: circumstances.home(edges, person)
        yield "left_behind", never, 0.25, lambda: circumstances.left_behind(edges, person, family)
        yield (
            "child_protection",
            never,
            0.4 if age <= 19 else 0.02,
            lambda: circumstances.protected_child(edges, person),
        )

    def _poverty_household(self, family: Family) -> Iterator[list[Record]]:
        """Members with one status and income at a time; some left out, some of another family, some without a self."""
        edges = self.edges
        shared = [benefits.poverty_household(edges, family)]
        for step in range(1, _DELIVERIES):
            new = dict(shared[-1])
            if edges.maybe(0.2):
                new["status"] = benefits.poverty_household(edges, family)["status"]
            if edges.maybe(0.4):
                fallen = benefits.after_a_fall(edges, shared[0]["annual_income_per_capita"], family.home)
                new["annual_income_per_capita"] = edges.pick(fallen, benefits.annual_income(edges, family.homes[step]))
            shared.append(new)
        people = [person for person in family.people if edges.maybe(0.9)]
        if edges.maybe(0.1):
            people.append(edges.pick(*edges.pick(*self.families).people))
        for place, person in enumerate(dict.fromkeys(people)):
            place_told = 1 if place == 0 and edges.maybe(0.1) else place
            records = history(
                edges,
                lambda who=person, at=place_told: benefits.poverty_member(edges, who, family, place=at),
                steps=_DELIVERIES,
                key=("household_no", "citizen_id", "relation_to_head"),
            )
            other = benefits.poverty_household(edges, family) if place > 0 and edges.maybe(0.1) else {}
            yield [row and row | shared[step] | other for step, row in enumerate(records)]

    def _certificate(self, family: Family) -> Iterator[list[Record]]:
        """Members of one certificate; the head may be of another family, or no member at all."""
        edges = self.edges
        common = benefits.allowance(edges, family)
        head = edges.pick(*edges.pick(*self.families).people) if edges.maybe(0.1) else family.people[0]
        people = [person for person in family.people if edges.maybe(0.85)]
        if edges.maybe(0.35):
            people.append(edges.pick(*edges.pick(*self.families).people))
        later = common | {"monthly_income_per_capita": benefits.monthly_income(edges, family.home)}
        for person in dict.fromkeys(people):
            records = history(
                edges,
                lambda who=person: benefits.allowance_member(edges, who, head),
                steps=_DELIVERIES,
                key=("citizen_id", "head_citizen_id", "head_name"),
            )
            yield [row and row | (common if step < 2 else later) for step, row in enumerate(records)]

    # --- events

    def _events(self, family: Family) -> Iterator[tuple[str, dict[str, Any], date]]:
        edges, income, checked = self.edges, benefits.annual_income(self.edges, family.home), None
        for person in family.people:
            for number in range(edges.pick(0, 0, 0, 1, 1, 2)):
                row = events.check(edges, person, family, number=number)
                income, checked = row["monthly_income_per_capita"] * 12, row["checked_on"]
                yield "economic_check", row, row["checked_on"]
            for number in range(edges.pick(0, 0, 0, 1, 2, 3)):
                row = events.grant(edges, person, family, number=number)
                yield "temporary_assistance", row, row["granted_on"]
            if edges.maybe(0.4):
                for row in events.settlements(edges, person, family, income=income):
                    if checked and edges.maybe(0.2):
                        row["settled_on"] = min(edges.beside(checked), edges.day)
                    yield "medical_assistance", row, row["settled_on"]

    def _sendings(
        self, row: dict[str, Any], happened: date, days: tuple[date, ...]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """An event comes with the first delivery after it or a later one; now and then another corrects it."""
        last = len(days) - 1
        first = next((step for step, day in enumerate(days) if happened <= day), last)
        if self.edges.maybe(0.1):
            first = min(first + 1, last)
        if happened > self.edges.day:  # told before its day
            first = last - 1
        yield first, row
        if first < last and self.edges.maybe(0.1):
            yield last if self.edges.maybe(0.3) else first + 1, self._corrected(row)

    def _corrected(self, row: dict[str, Any]) -> dict[str, Any]:
        if "self_paid" not in row:
            return row | {"name": row["name"] + "改"}
        paid = row["self_paid"] + self.edges.pick(Decimal("-0.01"), Decimal("0.01"), Decimal(3000))
        paid = max(paid, Decimal(0))
        return row | {"self_paid": paid, "total_cost": paid + (row["basic_paid"] or 0)}
