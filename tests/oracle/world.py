"""How people and households stand on the day: the page's section on person and household."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import chain

from oracle.dates import age_on, months_before
from oracle.households import FEEDS, Household, Mention, homes, household_of, mentions
from oracle.register import Register, Row
from oracle.standards import Standards

AT_RISK = ("not_lifted", "returned", "unstable", "marginal")


@dataclass(frozen=True, kw_only=True)
class World:
    """The registers of a day, asked as the page asks. People are citizen IDs; money is yuan."""

    register: Register
    standards: Standards

    @property
    def day(self) -> date:
        return self.register.day

    # --- people and households

    @cached_property
    def mentions(self) -> list[Mention]:
        return mentions(self.register)

    @cached_property
    def household_of(self) -> dict[str, Household]:
        return household_of(self.register, homes(self.mentions))

    @cached_property
    def households(self) -> list[Household]:
        return list({household.head: household for household in self.household_of.values()}.values())

    def parameter(self, name: str, household: Household) -> Decimal:
        return self.standards.value(name, household.division, self.day)

    # --- facts by person

    def of(self, person: str, feed: str) -> list[Row]:
        """A person's own current rows, events dated after the day left out."""
        return self._by_person[feed].get(person, [])

    @cached_property
    def _by_person(self) -> dict[str, dict[str, list[Row]]]:
        happened = {
            "medical_assistance": "settled_on",
            "temporary_assistance": "granted_on",
            "economic_check": "checked_on",
        }
        found: dict[str, dict[str, list[Row]]] = {feed: defaultdict(list) for feed in FEEDS}
        for each in self.mentions:
            row = each.row
            if each.own and (row.feed not in happened or row[happened[row.feed]] <= self.day):
                found[row.feed][each.person].append(row)
        return found

    def of_members(self, household: Household, feed: str) -> list[Row]:
        return list(chain.from_iterable(self.of(person, feed) for person in household.members))

    def in_the_months(self, rows: Iterable[Row], column: str, household: Household) -> list[Row]:
        """Those dated after D − 12 months, up to and including D."""
        after = months_before(self.day, int(self.parameter("look_back_months", household)))
        return [row for row in rows if after < row[column] <= self.day]

    def counting(self, person: str, feed: str) -> list[Row]:
        """Rows of a benefit that has begun and has not ended before the day."""
        return [row for row in self.of(person, feed) if row["start_date"] <= self.day <= (row["end_date"] or self.day)]

    def covered(self, person: str) -> bool:
        return bool(self.counting(person, "minimum_allowance") or self.counting(person, "special_hardship"))

    def certificates(self, person: str) -> list[Row]:
        """Valid disability certificates."""
        return [
            row
            for row in self.of(person, "disability")
            if row["status"] == "valid" and (row["expires_on"] is None or row["expires_on"] >= self.day)
        ]

    def severe(self, person: str) -> list[Row]:
        return [
            row
            for row in self.certificates(person)
            if row["grade"] in ("1", "2") or (row["grade"] == "3" and row["category"] in ("5", "6"))
        ]

    def settlements(self, person: str) -> list[Row]:
        return self.in_the_months(self.of(person, "medical_assistance"), "settled_on", self.household_of[person])

    def self_paid(self, person: str) -> Decimal:
        return total(self.settlements(person), "self_paid")

    def major_illness(self, person: str) -> bool:
        return any(row["major_illness"] for row in self.settlements(person))

    def age(self, person: str) -> int:
        return age_on(self.day, person)

    # --- facts by household

    def household_covered(self, household: Household) -> bool:
        return any(self.covered(person) for person in household.members)

    def status(self, household: Household) -> str | None:
        """Of a household of the poverty register, what its head's row says."""
        return household.rows[household.head]["status"] if household.register == "poverty_register" else None

    def at_risk(self, household: Household) -> bool:
        return self.status(household) in AT_RISK

    def checks(self, household: Household) -> list[Row]:
        """Economic checks of members within the months, the latest first; of one day, the head's first."""
        checks = self.in_the_months(self.of_members(household, "economic_check"), "checked_on", household)
        return sorted(checks, key=lambda row: (-row["checked_on"].toordinal(), *self._order(household, row)))

    def area_type(self, household: Household) -> str:
        told = [
            (
                -(row["checked_on"] if feed == "economic_check" else row.data_date).toordinal(),
                rank,
                *self._order(household, row),
                row["area_type"],
            )
            for rank, feed in enumerate(("minimum_allowance", "special_hardship", "economic_check"))
            for row in self.of_members(household, feed)
        ]
        return min(told)[-1] if told else "rural"

    @staticmethod
    def _order(household: Household, row: Row) -> tuple[bool, str, str]:
        return row["citizen_id"] != household.head, row["citizen_id"], row.key[0]

    def standard(self, household: Household) -> Decimal:
        """S: the minimum allowance standard, yuan a month."""
        return self.parameter(f"minimum_allowance_monthly.{self.area_type(household)}", household)

    def margin_standard(self, household: Household) -> Decimal:
        return self.parameter("low_margin_multiple", household) * self.standard(household)

    def income(self, household: Household) -> Fraction | None:
        """Per person and month; exact, since a twelfth of a yearly income may be no decimal."""
        told: list[tuple[date, int, Fraction]] = []
        if checks := self.checks(household):
            told.append((checks[0]["checked_on"], 3, Fraction(checks[0]["monthly_income_per_capita"])))
        if allowances := self.of_members(household, "minimum_allowance"):
            row = min(allowances, key=lambda row: (-row.data_date.toordinal(), *self._order(household, row)))
            told.append((row.data_date, 2, Fraction(row["monthly_income_per_capita"])))
        if household.register == "poverty_register":
            row = household.rows[household.head]
            told.append((row.data_date, 1, Fraction(row["annual_income_per_capita"]) / 12))
        return max(told)[2] if told else None

    def below(self, household: Household, limit: Callable[[Household], Decimal]) -> bool:
        """Whether an income is known and below a limit."""
        income = self.income(household)
        return income is not None and income < Fraction(limit(household))

    def margin(self, household: Household) -> bool:
        income = self.income(household)
        return (
            income is not None
            and not self.household_covered(household)
            and Fraction(self.standard(household)) <= income < Fraction(self.margin_standard(household))
            and not any(row["assets_over_limit"] for row in self.checks(household))
        )

    def low_income(self, household: Household) -> bool:
        return self.household_covered(household) or self.margin(household) or self.at_risk(household)

    def education_paid(self, household: Household) -> Decimal:
        return total(self.of_members(household, "education_assistance"), "self_paid")

    def rigid(self, household: Household) -> Decimal:
        return sum((self.self_paid(person) for person in household.members), self.education_paid(household))

    # --- when a state came about

    def since(self, row: Row, holds: Callable[[Row], bool]) -> date:
        """The data date on which a state that a row is in was first seen, without a break since."""
        first = row.valid_from
        for earlier in reversed(self.register.of_record(row)):
            if earlier.valid_to == first and holds(earlier):
                first = earlier.valid_from
        return first

    def days_before(self, days: Decimal) -> date:
        return self.day - timedelta(days=int(days))


def total(rows: Iterable[Row], column: str) -> Decimal:
    """The sum of a column, in which what is empty counts as 0."""
    return sum((row[column] or Decimal(0) for row in rows), Decimal(0))
