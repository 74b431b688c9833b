"""Who lives with whom on the day: everybody whom a current row names, where they live, and who belongs together."""

from collections import defaultdict
from dataclasses import dataclass

from oracle.dates import born_on
from oracle.register import Register, Row

# Whose row is believed where several tell of one day: its own order, then the alphabet. Of one feed it is
# the head's row, then that of the smallest number: any rule would do, as long as each build follows the same one.
FEEDS = (
    "poverty_register",
    "minimum_allowance",
    "special_hardship",
    "economic_check",
    "child_protection",
    "disability",
    "education_assistance",
    "housing_assistance",
    "left_behind",
    "medical_assistance",
    "temporary_assistance",
)


@dataclass(frozen=True, kw_only=True)
class Household:
    """``register`` is the one that decides, None for somebody alone; ``rows`` are its members' rows in it."""

    register: str | None
    members: tuple[str, ...]
    head: str
    division: str
    rows: dict[str, Row]


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A citizen ID in a current row: whose, the row, the name beside it, and whether the row is about them."""

    person: str
    row: Row
    name: str | None
    own: bool


def mentions(register: Register) -> list[Mention]:
    """Every citizen ID in a current row."""
    return [
        Mention(
            person=row[column],
            row=row,
            name=row.values.get(column.replace("citizen_id", "name")),
            own=column == "citizen_id" or feed == "housing_assistance",
        )
        for feed in FEEDS
        for row in register.current(feed)
        for column in ("citizen_id", "head_citizen_id", "guardian_citizen_id")
        if row.values.get(column)
    ]


def homes(mentioned: list[Mention]) -> dict[str, str]:
    """Each person's division: of the latest row about them, else of the latest that mentions them."""
    latest: dict[str, tuple] = {}
    for each in mentioned:
        row = each.row
        age = -row.data_date.toordinal()
        rank = (not each.own, each.name is None, age, FEEDS.index(row.feed), row["division_code"])
        latest[each.person] = min(rank, latest.get(each.person, rank))
    return {person: rank[-1] for person, rank in latest.items()}


def household_of(register: Register, homes: dict[str, str]) -> dict[str, Household]:
    """Each person's household."""
    deciding = _deciding_rows(register)
    together: dict[tuple, list[str]] = defaultdict(list)
    for person in homes:
        row = deciding.get(person)
        together[(row.feed, row.county, row.key[0]) if row else (None, "", person)].append(person)
    households = {}
    for (feed, _, _), members in together.items():
        rows = {person: deciding[person] for person in members if person in deciding}
        head = _head(members, rows)
        household = Household(register=feed, members=tuple(sorted(members)), head=head, division=homes[head], rows=rows)
        households |= dict.fromkeys(members, household)
    return households


def _deciding_rows(register: Register) -> dict[str, Row]:
    """The row that says with whom somebody lives: of the poverty register, else of the minimum allowance."""
    deciding: dict[str, Row] = {}
    order = {
        "poverty_register": lambda row: (-row.valid_from.toordinal(), row.county, row.key),
        "minimum_allowance": lambda row: (-row.valid_from.toordinal(), row.key, row.county),
    }
    for feed, latest_first in order.items():
        for row in sorted(register.current(feed), key=latest_first):
            deciding.setdefault(row["citizen_id"], row)
    return deciding


def _head(members: list[str], rows: dict[str, Row]) -> str:
    """Whom the deciding register names and who is a member, else the eldest."""
    named = [
        person
        for person, row in rows.items()
        if (row["relation_to_head"] == "self" if row.feed == "poverty_register" else row["head_citizen_id"] == person)
    ]
    return min(named or members, key=lambda person: (born_on(person), person))
