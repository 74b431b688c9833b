"""What a department knows of one thing over time, and what happens to it on its way into the register."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from doudi.synth.places import COUNTY

# Contract column → value: str, int, bool, date, None; money in fen; codes as canonical values.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is refused and how it is made wrong.

    ``rule`` and ``column`` are as in ops.quarantine (no column where the rule is of the line or the whole row).
    ``text`` is written into the column as it stands, ``edits`` are typed values put into the row, ``line`` says
    how the line itself is broken: ``extra``, ``comma``, ``short``, ``quote``, ``encoding`` or ``nul``.
    """

    rule: str
    column: str = ""
    text: str | None = None
    edits: Row | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """One more row in the delivery at position ``index``, refused, that says nothing about the record itself."""

    index: int
    row: Row
    fault: Fault
    first: bool = False  # stands before the record's own row


@dataclass(slots=True)
class Record:
    """One key of one feed: the row each delivery holds (None: not in it), oldest first.

    ``refused`` gives the deliveries in which that row is damaged; ``beside`` further rows. Deliveries may be counted
    from the end: -1 is the last. ``county`` is the one whose department sends it.
    """

    feed: str
    states: list[Row | None]
    refused: dict[int, Fault] = field(default_factory=dict)
    beside: list[Beside] = field(default_factory=list)
    county: str = COUNTY

    def change(self, index: int, **values: Any) -> None:
        """From the delivery at ``index`` on the record reads differently."""
        edited: dict[int, Row] = {}  # one new row for one old, so that unchanged rows stay the same object
        for position in range(len(self.states))[index:]:
            row = self.states[position]
            if row is not None:
                if id(row) not in edited:
                    edited[id(row)] = {**row, **values}
                self.states[position] = edited[id(row)]

    def end(self, index: int) -> None:
        """The record is not in the delivery at ``index`` nor in later ones."""
        self.states[index:] = [None] * len(self.states[index:])

    def start(self, index: int) -> None:
        """The record first appears in the delivery at ``index``."""
        self.states[:index] = [None] * len(self.states[:index])


class Version(NamedTuple):
    """A row as a register took it in: it holds from the data date ``since``, up to but not on ``until``, if ever."""

    row: Row
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or self.until > day)


class History(NamedTuple):
    """All versions of one record that ``county`` filed, oldest first; no two of them at the same time."""

    feed: str
    county: str
    versions: tuple[Version, ...]
