"""What the registers hold of one family on the day asked about, and what indicators.md reads out of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from doudi.synth.records import Fact, Row
from doudi.synth.standards import RURAL, Standards
from doudi.synth.timeline import Timeline

_AT_RISK = ("not_lifted", "returned", "unstable", "marginal")
_ID_COLUMNS = ("citizen_id", "head_citizen_id", "guardian_citizen_id")


@dataclass(frozen=True)
class Household:
    """Who is judged together. ``deciding`` is the feed that says so, empty for a person alone."""

    deciding: str
    number: str
    members: tuple[str, ...]
    head: str


class Registers:
    """What all registers hold of one family on the day asked about.

    ``since`` of a fact is the data date from which its row holds; a snapshot's data date is that of its feed's last
    delivery, whichever row it holds.
    """

    def __init__(self, facts: Iterable[Fact], *, timeline: Timeline, standards: Standards) -> None:
        self.today = timeline.as_of
        self._timeline = timeline
        self._standards = standards
        self._facts: dict[str, list[Fact]] = {}
        for fact in facts:
            self._facts.setdefault(fact.feed, []).append(fact)

    def rows(self, feed: str, citizen_id: str | None = None) -> list[Row]:
        rows = [fact.row for fact in self._facts.get(feed, ())]
        return rows if citizen_id is None else [row for row in rows if row["citizen_id"] == citizen_id]

    # Households

    def households(self) -> list[Household]:
        """Every person in exactly one: the poverty register's, else the allowance's, else alone."""
        registered = self._deciding("poverty_register", "household_no")
        on_certificate = self._deciding("minimum_allowance", "certificate_no")
        groups: dict[tuple[str, str], list[str]] = {}
        for person in self._persons():
            if person in registered:
                key = ("poverty_register", registered[person])
            elif person in on_certificate:
                key = ("minimum_allowance", on_certificate[person])
            else:
                key = ("", person)
            groups.setdefault(key, []).append(person)
        return [
            Household(feed, number, tuple(members), self._head(feed, number, members))
            for (feed, number), members in groups.items()
        ]

    def _persons(self) -> list[str]:
        found: dict[str, None] = {}  # a set that keeps its order
        for facts in self._facts.values():
            for fact in facts:
                for column in _ID_COLUMNS:
                    if number := fact.row.get(column):
                        found[number] = None
        return list(found)

    def _deciding(self, feed: str, number: str) -> dict[str, str]:
        """Person → household: of several records the one that changed last, then the smallest number."""
        best: dict[str, tuple[int, str]] = {}
        for fact in self._facts.get(feed, ()):
            person = fact.row["citizen_id"]
            rank = (-fact.since.toordinal(), fact.row[number])
            if person not in best or rank < best[person]:
                best[person] = rank
        return {person: found for person, (_, found) in best.items()}

    def _head(self, feed: str, number: str, members: list[str]) -> str:
        named: list[str] = []
        if feed == "poverty_register":
            rows = [row for row in self.rows(feed) if row["household_no"] == number]
            named = [row["citizen_id"] for row in rows if row["relation_to_head"] == "self"]
        elif feed == "minimum_allowance":
            named = [row["head_citizen_id"] for row in self.rows(feed) if row["certificate_no"] == number]
        return next((person for person in named if person in members), None) or min(members, key=_eldest_first)

    # What is said of a person or a household

    def receives(self, feed: str, person: str) -> bool:
        """On minimum allowance or special hardship today, the first and the last day included."""
        return any(
            row["start_date"] <= self.today and (row["end_date"] is None or row["end_date"] >= self.today)
            for row in self.rows(feed, person)
        )

    def covered(self, person: str) -> bool:
        return self.receives("minimum_allowance", person) or self.receives("special_hardship", person)

    def household_covered(self, household: Household) -> bool:
        return any(self.covered(person) for person in household.members)

    def at_risk(self, household: Household) -> bool:
        if household.deciding != "poverty_register":
            return False
        rows = [row for row in self.rows("poverty_register") if row["household_no"] == household.number]
        rows = [row for row in rows if row["citizen_id"] in household.members]
        rows.sort(key=lambda row: (row["citizen_id"] != household.head, row["citizen_id"]))
        return rows[0]["status"] in _AT_RISK

    def checks(self, household: Household) -> list[Row]:
        """The members' economic checks of the last twelve months, the latest last."""
        rows = [
            row
            for row in self.rows("economic_check")
            if row["citizen_id"] in household.members and self._within_year(row["checked_on"])
        ]
        return sorted(rows, key=lambda row: row["checked_on"])

    def _within_year(self, day: date) -> bool:
        return self._timeline.year_ago < day <= self.today

    def yearly_income(self, household: Household) -> int | None:
        """Fen per person and year, so that no twelfth is rounded; of the newest source, None where there is none."""
        sources = [(row["checked_on"], 0, row, 12 * row["monthly_income_per_capita"]) for row in self.checks(household)]
        for row in self._of_members("minimum_allowance", household):
            sources.append((self._data_date("minimum_allowance"), 1, row, 12 * row["monthly_income_per_capita"]))
        for row in self._of_members("poverty_register", household):
            sources.append((self._data_date("poverty_register"), 2, row, row["annual_income_per_capita"]))
        if not sources:
            return None
        best = min(
            sources,
            key=lambda source: (
                -source[0].toordinal(),
                source[1],
                source[2]["citizen_id"] != household.head,
                source[2]["citizen_id"],
            ),
        )
        return best[3]

    def _of_members(self, feed: str, household: Household) -> list[Row]:
        return [row for row in self.rows(feed) if row["citizen_id"] in household.members]

    def _data_date(self, feed: str) -> date:
        return self._timeline.dates[feed][-1]

    def area_type(self, household: Household) -> str:
        dated = [
            (self._data_date(feed), row["area_type"])
            for feed in ("minimum_allowance", "special_hardship")
            for row in self._of_members(feed, household)
        ]
        dated += [(row["checked_on"], row["area_type"]) for row in self._of_members("economic_check", household)]
        return max(dated)[1] if dated else RURAL

    def yearly_standard(self, household: Household) -> int:
        return 12 * self._standards.of(self.area_type(household))

    def on_margin(self, household: Household) -> bool:
        income = self.yearly_income(household)
        if income is None or self.household_covered(household) or self._assets_over_limit(household):
            return False
        return self.yearly_standard(household) <= income < 12 * self._standards.margin(self.area_type(household))

    def _assets_over_limit(self, household: Household) -> bool:
        checks = self.checks(household)
        return bool(checks) and checks[-1]["assets_over_limit"]

    def low_income(self, household: Household) -> bool:
        return self.household_covered(household) or self.on_margin(household) or self.at_risk(household)

    def self_paid(self, person: str) -> int:
        """Of twelve months, in fen."""
        rows = self.rows("medical_assistance", person)
        return sum(row["self_paid"] for row in rows if self._within_year(row["settled_on"]))

    def valid_certificates(self, person: str) -> list[Row]:
        return [
            row
            for row in self.rows("disability", person)
            if row["status"] == "valid" and (row["expires_on"] is None or row["expires_on"] >= self.today)
        ]


def _eldest_first(citizen_id: str) -> tuple[str, str]:
    return citizen_id[6:14], citizen_id
