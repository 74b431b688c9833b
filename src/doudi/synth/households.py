"""Who is judged together on a day, and how such a household stands."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from doudi.synth.records import Row
from doudi.synth.registers import BENEFITS, Registers
from doudi.synth.standards import RURAL

_AT_RISK = ("not_lifted", "returned", "unstable", "marginal")
_NUMBERS = {"poverty_register": "household_no", "minimum_allowance": "certificate_no"}


class Key(NamedTuple):
    """What names a household: the feed that decides on it, the county that files it, its number there.

    ``feed`` is empty for a person alone, whose citizen ID is then the number.
    """

    feed: str
    county: str
    number: str


class _once:  # noqa: N801 (a decorator, like property)
    """A property that is worked out once; functools' own takes a lock, and there is one for every household."""

    def __init__(self, work_out: Callable[["Household"], Any]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __get__(self, household: "Household", of: type) -> Any:
        value = household.__dict__[self._work_out.__name__] = self._work_out(household)
        return value


class Household:
    """People who are judged together. Amounts are in fen per person and year, so that no twelfth is rounded."""

    def __init__(self, registers: Registers, key: Key, members: list[str]) -> None:
        self.key = key
        self.members = members
        self._registers = registers

    @_once
    def head(self) -> str:
        """Whom its register names, if that is a member; else the eldest."""
        named: list[str] = []
        if self.key.feed:
            number = _NUMBERS[self.key.feed]
            for held in self._registers.held(self.key.feed):
                if held.row[number] == self.key.number and held.county == self.key.county:
                    if self.key.feed == "minimum_allowance":
                        named.append(held.row["head_citizen_id"])
                    elif held.row["relation_to_head"] == "self":
                        named.append(held.row["citizen_id"])
        return next((person for person in named if person in self.members), None) or eldest(self.members)

    def rows(self, feed: str) -> list[Row]:
        """What holds of its members."""
        if not self._registers.held(feed):
            return []
        return [row for person in self.members for row in self._registers.rows(feed, person)]

    def register_row(self, person: str) -> Row | None:
        """A member's row in the poverty register where that decides on the household."""
        if self.key.feed != "poverty_register":
            return None
        return next(
            held.row
            for held in self._registers.held("poverty_register", person)
            if held.row["household_no"] == self.key.number and held.county == self.key.county
        )

    @_once
    def registered(self) -> Row | None:
        """The head's row in the poverty register: it says status and income of a register household."""
        return self.register_row(self.head)

    @_once
    def status(self) -> str | None:
        return self.registered["status"] if self.registered else None

    @_once
    def at_risk(self) -> bool:
        return self.status in _AT_RISK

    @_once
    def covered(self) -> bool:
        return any(self._registers.covered(person) for person in self.members)

    @_once
    def checks(self) -> list[Row]:
        """The members' economic checks of the twelve months, the head's first."""
        checks = [row for row in self.rows("economic_check") if self._registers.within_year(row["checked_on"])]
        return sorted(checks, key=lambda row: (*self._head_first(row), row["check_no"]))

    @_once
    def latest_check(self) -> Row | None:
        """Of several on one day the head's."""
        return max(self.checks, key=lambda row: row["checked_on"], default=None)

    def _head_first(self, row: Row) -> tuple[bool, str]:
        return row["citizen_id"] != self.head, row["citizen_id"]

    @_once
    def yearly_income(self) -> int | None:
        """Of the newest source; None where there is none."""
        sources: list[tuple[date, int, Row, int]] = []
        if check := self.latest_check:
            sources.append((check["checked_on"], 0, check, 12 * check["monthly_income_per_capita"]))
        for row in self.rows("minimum_allowance"):
            day = self._registers.data_date("minimum_allowance")
            sources.append((day, 1, row, 12 * row["monthly_income_per_capita"]))
        if row := self.registered:
            sources.append((self._registers.data_date("poverty_register"), 2, row, row["annual_income_per_capita"]))
        if not sources:
            return None
        return min(sources, key=lambda source: (-source[0].toordinal(), source[1], *self._head_first(source[2])))[3]

    @_once
    def area_type(self) -> str:
        """As the newest source says; of several of one day, in the order of an income's."""
        sources: list[tuple[date, int, Row]] = []
        for order, feed in enumerate(BENEFITS):
            sources += [(self._registers.data_date(feed), order, row) for row in self.rows(feed)]
        sources += [(row["checked_on"], len(BENEFITS), row) for row in self.rows("economic_check")]
        if not sources:
            return RURAL
        best = min(sources, key=lambda source: (-source[0].toordinal(), source[1], *self._head_first(source[2])))
        return best[2]["area_type"]

    @_once
    def yearly_standard(self) -> int:
        return 12 * self._registers.standards.of(self.area_type)

    @_once
    def below_standard(self) -> bool:
        return self.yearly_income is not None and self.yearly_income < self.yearly_standard

    @_once
    def on_margin(self) -> bool:
        if self.covered or self.yearly_income is None or any(check["assets_over_limit"] for check in self.checks):
            return False
        return self.yearly_standard <= self.yearly_income < 12 * self._registers.standards.margin(self.area_type)

    @_once
    def low_income(self) -> bool:
        return self.covered or self.at_risk or self.on_margin

    @_once
    def education_paid(self) -> int:
        return sum(row["self_paid"] or 0 for row in self.rows("education_assistance"))


def households(registers: Registers) -> Iterator[Household]:
    """Every person in exactly one: the poverty register's, else the allowance's, else alone."""
    registered = _deciding(registers, "poverty_register")
    on_certificate = _deciding(registers, "minimum_allowance")
    groups: dict[Key, list[str]] = {}
    for person in registers.persons():
        key = registered.get(person) or on_certificate.get(person) or Key("", "", person)
        groups.setdefault(key, []).append(person)
    return (Household(registers, key, members) for key, members in groups.items())


def _deciding(registers: Registers, feed: str) -> dict[str, Key]:
    """Person → household: of several records the one that changed last, then the smallest number."""
    best: dict[str, tuple[int, str, str]] = {}
    for held in registers.held(feed):
        person = held.row["citizen_id"]
        rank = (-held.since.toordinal(), held.row[_NUMBERS[feed]], held.county)
        if person not in best or rank < best[person]:
            best[person] = rank
    return {person: Key(feed, county, number) for person, (_, number, county) in best.items()}


def eldest(citizen_ids: list[str]) -> str:
    return min(citizen_ids, key=lambda number: (number[6:14], number))
