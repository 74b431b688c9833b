"""What a report is made of, whatever file it becomes: sections of paragraphs, key figures, tables and charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NamedTuple

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Text(NamedTuple):
    """The same in Chinese and English."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        return self.en if language == "en" else self.zh


class Hidden(Enum):
    """In the place of a number that is not told."""

    SUPPRESSED = "*"  # small, or a small one could be reckoned from it
    UNKNOWN = "—"  # there is nothing to count, or nothing to hold it against


Value = Text | int | Decimal | date | Hidden | None
_SHORT = 15  # rows: a third of a page
_LONG_HEADING = 6  # characters that a narrow column holds


class Column(NamedTuple):
    """A column's heading; ``kind`` tells how its values are written and aligned."""

    heading: Text
    kind: Literal["text", "number", "money", "change", "money_change"] = "number"


@dataclass(frozen=True, kw_only=True)
class Table:
    """``unit`` stands above the table; a row that is a total comes first and is told as such by its text."""

    caption: Text
    unit: Text | None = None
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    note: Text | None = None

    @property
    def is_short(self) -> bool:
        """Whether it stands on one page, whatever is left of the page before."""
        return len(self.rows) <= _SHORT


@dataclass(frozen=True, kw_only=True)
class Chart:
    """``series``: rows of category, series and number, each in both languages; the order is kept."""

    caption: Text
    kind: Literal["bars", "lines"]
    unit: Text
    series: Sequence[tuple[Text, Text, float]]
    colours: dict[str, str] | None = None  # by the Chinese name of the series


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Key figures that stand out at the top."""

    items: Sequence[tuple[Text, Value]]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and what stands under it."""

    heading: Text
    blocks: Sequence[Text | Table | Chart | Figures]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report. ``facts`` is the head of it: area, period, unit and the like."""

    title: Text
    subtitle: Text
    facts: Sequence[tuple[Text, Text]]
    sections: Sequence[Section]
    as_of: date

    @property
    def tables(self) -> list[Table]:
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]


def on_two_lines(heading: str) -> str:
    """A long heading of a column, with what it has in brackets on a line of its own, or else in halves."""
    if len(heading) <= _LONG_HEADING:
        return heading
    cut = heading.find("（") if "（" in heading else (len(heading) + 1) // 2
    return f"{heading[:cut]}\n{heading[cut:]}"


def written(value: Value, kind: str = "text", *, language: Language = "zh") -> str:
    """A value as it stands in a table: thousands parted, money to the yuan's hundredth, changes with their sign."""
    if value is None:
        return ""
    if isinstance(value, Text):
        return value.in_(language)
    if isinstance(value, Hidden):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    number = f"{value:,.2f}" if kind in ("money", "money_change") else f"{value:,.0f}"
    return f"+{number}" if kind in ("change", "money_change") and value > 0 else number


def change(now: Any, before: Any) -> Value:
    """How much more than before, or Hidden where one of the two is."""
    for value in (now, before):
        if isinstance(value, Hidden):
            return value
    return now - before
