"""Refused rows of people who occur nowhere else: whatever is wrong with them, nothing may come of them."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from doudi.contracts import Contract
from doudi.synth import faults, rows
from doudi.synth.fault_places import FaultPlaces
from doudi.synth.people import HEAD, Family, People, Person
from doudi.synth.places import Village
from doudi.synth.records import Beside, Record, Row
from doudi.synth.world import World

PER_UNIT = 4
_STEP = 17  # prime, so that the rounds of a rule come to all of its feeds and columns

_Builder = Callable[[Person, Family, date], Row]
_BUILDERS: Mapping[str, _Builder] = {
    "poverty_register": lambda person, family, day: rows.poverty_register(
        person, family, status="unstable", annual_income=4100_00, lifted_year=2018
    ),
    "minimum_allowance": lambda person, family, day: rows.minimum_allowance(
        person,
        family,
        head=person,
        household_size=1,
        covered_members=1,
        monthly_income=180_00,
        monthly_amount=300_00,
        start_date=day - timedelta(days=300),
    ),
    "special_hardship": lambda person, family, day: rows.special_hardship(
        person, family, monthly_amount=646_00, start_date=day - timedelta(days=300)
    ),
    "temporary_assistance": lambda person, family, day: rows.temporary_assistance(
        person, family, granted_on=day - timedelta(days=9), amount=1500_00
    ),
    "disability": lambda person, family, day: rows.disability(
        person,
        family,
        category="4",
        grade="2",
        issued_on=day - timedelta(days=30),
        expires_on=None,
        care_subsidy=False,
    ),
    "education_assistance": lambda person, family, day: rows.education_assistance(
        person, family, data_date=day, guardian=person, self_paid=300_00
    ),
    "housing_assistance": lambda person, family, day: rows.housing_assistance(
        person, family, safety_grade="D", works="listed", appraised_on=day - timedelta(days=80)
    ),
    "medical_assistance": lambda person, family, day: rows.medical_assistance(
        person, family, settled_on=day - timedelta(days=12), self_paid=16_000_00
    ),
    "economic_check": lambda person, family, day: rows.economic_check(
        person,
        family,
        checked_on=day - timedelta(days=15),
        applied_on=day - timedelta(days=40),
        monthly_income=200_00,
    ),
    "left_behind": lambda person, family, day: rows.left_behind(
        person, family, kind="elder", registered_on=day - timedelta(days=90), guardian=person
    ),
    "child_protection": lambda person, family, day: rows.child_protection(
        person, family, start_date=day - timedelta(days=90)
    ),
    "household_visit": lambda person, family, day: rows.household_visit(
        warning_id=person.citizen_id[::-1],
        visited_on=day - timedelta(days=5),
        visitor="驻村工作队",
        finding="confirmed",
    ),
}


class Strays:
    """Goes round all rules, and within each rule round the feeds and columns that can break it."""

    def __init__(
        self,
        *,
        world: World,
        people: People,
        contracts: Mapping[str, Contract],
        places: FaultPlaces,
    ) -> None:
        self._world = world
        self._people = people
        self._contracts = contracts
        self._places = places
        self._turn = 0
        self._ways: dict[str, list[tuple[str, str]]] = {}
        for feed, contract in contracts.items():
            for rule, column in faults.rules_of(contract):
                if rule != faults.DUPLICATE:
                    self._ways.setdefault(rule, []).append((feed, column))
        self._rules = sorted(self._ways)

    @property
    def units_per_round(self) -> int:
        """How many calls of ``plant`` break every rule three times."""
        return -(-3 * len(self._rules) // PER_UNIT)

    def plant(self, number: int) -> list[Record]:
        strays: list[Record] = []
        while len(strays) < PER_UNIT:
            if stray := self._stray(number):
                strays.append(stray)
        return strays

    def _stray(self, number: int) -> Record | None:
        """The next one; None where no delivery of its feed can hold its fault any more."""
        round_no, position = divmod(self._turn, len(self._rules))
        self._turn += 1
        rule = self._rules[position]
        ways = self._ways[rule]
        feed, column = ways[(round_no * _STEP + position) % len(ways)]
        contract = self._contracts[feed]
        dates = self._world.timeline.dates[feed]
        places = self._places.of(feed)
        first = (round_no + position) % len(places)
        person, family = self._nobody(number)
        named = contract.column(column) if column else None
        for index in places[first:] + places[:first]:
            row = _BUILDERS[feed](person, family, dates[index])
            fault = faults.make(rule, named, row, contract=contract, turn=round_no)
            if self._places.take(feed, index, fault):
                return Record(feed, [None] * len(dates), beside=[Beside(index, row, fault)])
        return None

    def _nobody(self, number: int) -> tuple[Person, Family]:
        places = self._world.places
        village: Village = places.rural[self._turn * 13 % len(places.rural)]
        birth = self._world.timeline.days(-365 * (9 + self._turn * 7 % 70))
        name = self._people.unique_name()
        person = self._people.person(name=name, male=self._turn % 2 == 0, birth=birth, relation=HEAD)
        return person, Family(number, village, [person])
