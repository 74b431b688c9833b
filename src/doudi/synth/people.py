"""Families of one county: who lives together, how old they are, what they are called."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from doudi.synth import citizen_id
from doudi.synth.names import Namer, UniqueNames, pick
from doudi.synth.places import Village

HEAD, SPOUSE, CHILD, PARENT, OTHER = "self", "spouse", "child", "parent", "other"


@dataclass(slots=True)
class Person:
    """``died`` is the day of death where it falls into the months that are delivered."""

    ordinal: int
    citizen_id: str
    name: str
    male: bool
    birth: date
    relation: str
    died: date | None = None

    def alive_on(self, day: date) -> bool:
        return self.birth <= day and (self.died is None or self.died > day)

    def age_on(self, day: date) -> int:
        return day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))


@dataclass(slots=True)
class Family:
    """People under one roof, the head first. ``number`` is unique and makes up their registers' numbers."""

    number: int
    village: Village
    members: list[Person]

    @property
    def head(self) -> Person:
        return self.members[0]

    def alive_on(self, day: date) -> list[Person]:
        return [person for person in self.members if person.alive_on(day)]


# (relation, male (None: either), from, to): the head's age; of all others, how many years younger than the head.
_Member = tuple[str, bool | None, int, int]
SHAPES: dict[str, tuple[_Member, ...]] = {
    "alone": ((HEAD, None, 22, 60),),
    "elder_alone": ((HEAD, None, 65, 88),),
    "elder_couple": ((HEAD, True, 62, 84), (SPOUSE, False, 0, 6)),
    "young_couple": ((HEAD, True, 21, 30), (SPOUSE, False, -1, 3)),
    "couple_one_child": ((HEAD, True, 24, 46), (SPOUSE, False, -1, 5), (CHILD, None, 21, 30)),
    "couple_two_children": (
        (HEAD, True, 26, 50),
        (SPOUSE, False, -1, 5),
        (CHILD, None, 20, 25),
        (CHILD, None, 26, 32),
    ),
    "couple_four_children": (
        (HEAD, True, 33, 52),
        (SPOUSE, False, -1, 4),
        (CHILD, None, 20, 22),
        (CHILD, None, 23, 25),
        (CHILD, None, 26, 28),
        (CHILD, None, 29, 33),
    ),
    "grown_children": ((HEAD, True, 48, 62), (SPOUSE, False, -1, 4), (CHILD, True, 21, 25), (CHILD, False, 26, 30)),
    "three_generations": (
        (HEAD, True, 27, 48),
        (SPOUSE, False, -1, 5),
        (CHILD, None, 20, 25),
        (CHILD, None, 26, 31),
        (PARENT, False, -32, -20),
    ),
    "both_grandparents": (
        (HEAD, True, 26, 46),
        (SPOUSE, False, -1, 5),
        (CHILD, None, 20, 28),
        (PARENT, True, -34, -22),
        (PARENT, False, -31, -20),
    ),
    "one_parent": ((HEAD, False, 24, 46), (CHILD, None, 19, 24), (CHILD, None, 25, 30)),
    "skipped_generation": ((HEAD, True, 54, 70), (SPOUSE, False, 0, 5), (OTHER, None, 46, 54), (OTHER, None, 50, 60)),
    "orphans": ((HEAD, True, 32, 52), (SPOUSE, False, -1, 4), (OTHER, None, 22, 38)),
}
_SHARES = (
    ("couple_two_children", 22),
    ("couple_one_child", 14),
    ("couple_four_children", 11),
    ("three_generations", 13),
    ("both_grandparents", 6),
    ("grown_children", 8),
    ("one_parent", 6),
    ("skipped_generation", 5),
    ("elder_alone", 5),
    ("elder_couple", 4),
    ("alone", 3),
    ("young_couple", 2),
    ("orphans", 1),
)
_DRAWN_SHAPES = tuple(shape for shape, share in _SHARES for _ in range(share))
_NEWBORN_CHANCE, _DEATH_CHANCE = 0.03, 0.012
_GROWN_UP, _OLD = 40, 65
_YOUNGEST, _DAYS_PER_YEAR = 0.6, 365.2425  # whoever is born within the delivered months comes by chance


class People:
    """Makes persons one after the other; holds only their count."""

    def __init__(self, *, as_of: date, last: date) -> None:
        self._ordinal = 0
        self._as_of = as_of
        self._last = last
        self._unique = UniqueNames()

    def person(self, *, name: str, male: bool, birth: date, relation: str) -> Person:
        number, birth = citizen_id.compose(self._ordinal, birth=birth, male=male)
        person = Person(self._ordinal, number, name, male, birth, relation)
        self._ordinal += 1
        return person

    def born_on(self, person: Person, birth: date) -> None:
        """Give ``person`` another ID, with exactly this birth date."""
        made = self.person(name=person.name, male=person.male, birth=birth, relation=person.relation)
        while made.birth != birth:  # an ordinal out of 31 leaves the day as it is
            made = self.person(name=person.name, male=person.male, birth=birth, relation=person.relation)
        person.ordinal, person.citizen_id, person.birth = made.ordinal, made.citizen_id, made.birth

    def unique_name(self) -> str:
        """A name that nobody else of the county has."""
        return self._unique.next()

    def family(
        self, rng: Random, *, number: int, village: Village, shape: str | None = None, unique_names: bool = False
    ) -> Family:
        """A family of a given shape, or of a drawn one that births and deaths may change."""
        namer = Namer(rng, yi=rng.random() < (0.5 if village.urban else 0.9))
        members: list[Person] = []
        head_age = 0.0
        for relation, male, low, high in SHAPES[shape or pick(rng, _DRAWN_SHAPES)]:
            sex = rng.random() < 0.5 if male is None else male
            name = self.unique_name() if unique_names else namer.name(male=sex, born_here=relation != SPOUSE)
            years = low + rng.random() * (high - low)
            age = max(head_age - years, _YOUNGEST) if members else years
            head_age = head_age or age
            birth = self._as_of - timedelta(days=int(age * _DAYS_PER_YEAR))
            members.append(self.person(name=name, male=sex, birth=birth, relation=relation))
        if shape is None:
            self._births_and_deaths(rng, members, namer)
        return Family(number, village, members)

    def _births_and_deaths(self, rng: Random, members: list[Person], namer: Namer) -> None:
        """A birth or a death within the delivered months; a head dies only where that ends the household."""
        young = len(members) > 1 and members[1].relation == SPOUSE and members[1].age_on(self._as_of) < _GROWN_UP
        if young and rng.random() < _NEWBORN_CHANCE:
            birth = self._last - timedelta(days=int(rng.random() * 75))
            sex = rng.random() < 0.52
            name = namer.name(male=sex, born_here=True)
            members.append(self.person(name=name, male=sex, birth=birth, relation=CHILD))
        for person in members:
            may_die = person.relation != HEAD or len(members) == 1
            if may_die and person.age_on(self._as_of) >= _OLD and rng.random() < _DEATH_CHANCE:
                person.died = self._last - timedelta(days=int(rng.random() * 85))
