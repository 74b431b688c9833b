"""What the registers hold of one family on a day, and what indicators.md reads out of it about one person."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from doudi.synth.records import History, Row, Version
from doudi.synth.standards import Standards
from doudi.synth.timeline import Timeline, months_before

BENEFITS = ("minimum_allowance", "special_hardship")
_ID_COLUMNS = ("citizen_id", "head_citizen_id", "guardian_citizen_id")


class Held(NamedTuple):
    """A row that holds on the day, and the history of its record."""

    row: Row
    since: date
    history: History

    @property
    def county(self) -> str:
        return self.history.county


class Registers:
    """The registers of one family on ``today``, with what had been delivered by then."""

    def __init__(self, histories: Iterable[History], *, today: date, timeline: Timeline, standards: Standards) -> None:
        self.today = today
        self.year_ago = months_before(today, 12)
        self.standards = standards
        self._timeline = timeline
        self._histories = list(histories)
        self._held: dict[str, list[Held]] = {}
        self._of_person: dict[tuple[str, str], list[Held]] = {}
        self._feeds: dict[str, set[str]] = {}  # of every person, in the order of being named
        for history in self._histories:
            for version in history.versions:
                if version.holds_on(today):
                    self._hold(history.feed, Held(version.row, version.since, history))
        self._covered = {row["citizen_id"] for feed in BENEFITS for row in self.rows(feed) if self._counts(row)}

    def _hold(self, feed: str, held: Held) -> None:
        self._held.setdefault(feed, []).append(held)
        row = held.row
        person = row.get("citizen_id") or row.get("head_citizen_id")
        if person:
            self._of_person.setdefault((feed, person), []).append(held)
        for column in _ID_COLUMNS:
            if number := row.get(column):
                self._feeds.setdefault(number, set()).add(feed)

    # Rows

    def held(self, feed: str, person: str | None = None) -> Sequence[Held]:
        """What holds today, of all or of the person whose ID stands in the row (in a dwelling's, its head's)."""
        return self._held.get(feed, ()) if person is None else self._of_person.get((feed, person), ())

    def rows(self, feed: str, person: str | None = None) -> list[Row]:
        return [held.row for held in self.held(feed, person)]

    def histories(self, feed: str) -> Iterator[History]:
        return (history for history in self._histories if history.feed == feed)

    def then(self, feed: str, day: date) -> Iterator[tuple[str, Row]]:
        """County and row of what held on an earlier day."""
        for history in self.histories(feed):
            for version in history.versions:
                if version.holds_on(day):
                    yield history.county, version.row

    def known(self, history: History) -> list[Version]:
        """The versions of a record that had been delivered, whether the last of them still holds or not."""
        return [version for version in history.versions if version.since <= self.today]

    def data_date(self, feed: str) -> date:
        """Of the latest list: what holds is as true as that."""
        return max(day for day in self._timeline.dates[feed] if day <= self.today)

    def within_year(self, day: date) -> bool:
        return self.year_ago < day <= self.today

    def in_state_since(self, held: Held, in_state: Callable[[Row], bool]) -> date:
        """The data date since when a record has been in the state that its current row is in, without a break."""
        since = held.since
        for version in reversed(held.history.versions):
            if version.until == since and in_state(version.row):
                since = version.since
        return since

    # People

    def persons(self) -> Iterable[str]:
        """Everybody whose ID stands anywhere, as a head's or guardian's, too."""
        return self._feeds

    def feeds(self, person: str) -> set[str]:
        """Those that name somebody by ID."""
        return self._feeds[person]

    def age(self, citizen_id: str) -> int:
        """Whole years; whoever was born on 29 February grows older on 1 March."""
        birthday = (int(citizen_id[10:12]), int(citizen_id[12:14]))
        return self.today.year - int(citizen_id[6:10]) - ((self.today.month, self.today.day) < birthday)

    def receiving(self, feed: str, person: str) -> list[Held]:
        """The rows by which a person receives a benefit today, the first and the last day included."""
        return [held for held in self.held(feed, person) if self._counts(held.row)]

    def receives(self, feed: str, person: str) -> bool:
        return any(self._counts(held.row) for held in self.held(feed, person))

    def _counts(self, row: Row) -> bool:
        return row["start_date"] <= self.today and (row["end_date"] is None or row["end_date"] >= self.today)

    def covered(self, person: str) -> bool:
        return person in self._covered

    def settlements(self, person: str) -> list[Row]:
        """Of the twelve months."""
        return [row for row in self.rows("medical_assistance", person) if self.within_year(row["settled_on"])]

    def self_paid(self, person: str) -> int:
        """For treatment in the twelve months, in fen."""
        return sum(row["self_paid"] for row in self.settlements(person))

    def valid_certificates(self, person: str) -> list[Row]:
        return [
            row
            for row in self.rows("disability", person)
            if row["status"] == "valid" and (row["expires_on"] is None or row["expires_on"] >= self.today)
        ]

    def severely_disabled(self, person: str) -> bool:
        return any(severe(row) for row in self.valid_certificates(person))


def severe(certificate: Row) -> bool:
    return certificate["grade"] in "12" or (certificate["grade"] == "3" and certificate["category"] in "56")
