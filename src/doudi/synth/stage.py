"""Where a planted case is played: a family of its own, and the records that come to be told of it."""

from datetime import date, timedelta
from random import Random

from doudi.synth import rows
from doudi.synth.names import pick
from doudi.synth.people import Family, People, Person
from doudi.synth.records import Fault, Record, Row
from doudi.synth.timeline import months_before
from doudi.synth.world import World


class Stage:
    """One family and its records. Days are given as such, money in fen."""

    def __init__(self, *, world: World, people: People, rng: Random, number: int) -> None:
        self.world = world
        self.timeline = world.timeline
        self.records: list[Record] = []
        self._people = people
        self._rng = rng
        self._number = number
        self.home: Family

    def family(self, shape: str, *, urban: bool = False, unique_names: bool = False) -> list[Person]:
        """Move a family in; its members, the head first."""
        places = self.world.places
        self.home = self._people.family(
            self._rng,
            number=self._number,
            village=pick(self._rng, places.urban if urban else places.rural),
            shape=shape,
            unique_names=unique_names,
        )
        return self.home.members

    def aged(self, person: Person, years: int, *, in_days: int = 0) -> None:
        """Have ``person``, of whom nothing is told yet, grow so old on the day asked about or so many days later."""
        birth = months_before(self.timeline.as_of, 12 * years) + timedelta(days=in_days)
        self._people.born_on(person, birth)

    @property
    def standard(self) -> int:
        """The minimum allowance standard for the family, per person and month."""
        return self.world.standards.of(rows.area_type(self.home))

    @property
    def margin(self) -> int:
        """The income from which a household like the family is no margin household any more."""
        return self.world.standards.margin(rows.area_type(self.home))

    def snapshot(self, feed: str, row: Row, *, since: date | None = None, end: date | None = None) -> Record:
        """Known to the department from the delivery after ``since`` on; ``end`` is news of the last delivery."""
        record = self.world.steady(feed, row)
        dates = self.timeline.dates[feed]
        if since:
            record.start(next((index for index, day in enumerate(dates) if day >= since), len(dates) - 1))
        if end:
            record.change(-1, end_date=end)
        self.records.append(record)
        return record

    def event(self, feed: str, row: Row, *, day: date) -> Record:
        """Told in the first delivery on or after ``day``."""
        record = self.world.event(feed, row, index=self.timeline.delivery_of(feed, day))
        self.records.append(record)
        return record

    def correct(self, record: Record, *, index: int, **values: object) -> None:
        """Send an event again in the delivery at ``index``, with other values."""
        known = next(row for row in record.states if row)
        record.states[index] = {**known, **values}

    def refuse(self, record: Record, fault: Fault, *, index: int = -1) -> None:
        """Damage the record's row in the delivery at ``index``."""
        record.refused[index % len(record.states)] = fault
