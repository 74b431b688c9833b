"""What every family's history is written against."""

from dataclasses import dataclass
from random import Random

from doudi.synth.people import Person
from doudi.synth.places import Places
from doudi.synth.records import Record, Row
from doudi.synth.standards import Standards
from doudi.synth.timeline import Timeline


@dataclass(frozen=True)
class World:
    timeline: Timeline
    standards: Standards
    places: Places

    def deliveries(self, feed: str) -> int:
        return len(self.timeline.dates[feed])

    def steady(self, feed: str, row: Row) -> Record:
        """A snapshot record that every delivery holds unchanged."""
        return Record(feed, [row] * self.deliveries(feed))

    def event(self, feed: str, row: Row, *, index: int) -> Record:
        """An event that the delivery at ``index`` brings."""
        states: list[Row | None] = [None] * self.deliveries(feed)
        states[index] = row
        return Record(feed, states)

    def limit_to_life(self, record: Record, person: Person) -> None:
        """Take ``person``'s record out of the deliveries before birth and after death."""
        for index, data_date in enumerate(self.timeline.dates[record.feed]):
            if not person.alive_on(data_date):
                record.states[index] = None


def household_random(seed: int, number: int) -> Random:
    """The source of chance of one household: nothing that happens to another can change it."""
    return Random((seed << 40) | number)
