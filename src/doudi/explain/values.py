"""Values as people read them: numbers with their units, days, yes and no, and codes in the department's own words."""

from datetime import date
from decimal import Decimal

from doudi.contracts import Contract
from doudi.explain.words import Language, words

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def number(value: object) -> Decimal | None:
    """The number that a JSON value is; None for yes and no, and for text, though it may be of digits only."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    converted = Decimal(str(value))
    return converted if converted.is_finite() else None


def plain(value: Decimal, *, decimals: int = 4) -> str:
    """With thousands marked, and no decimals that say nothing."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".")


def per_cent(share: Decimal) -> str:
    """A share above 0 in per cent, to one decimal; what would round to none is told as less than one."""
    return plain(share * 100, decimals=1) if share >= Decimal("0.0005") else "<0.1"


def measured(value: Decimal, unit: str | None, language: Language, *, short: bool = False) -> str:
    """A number with its unit; one that the wording table does not know is told as it was written."""
    if not unit:
        return plain(value)
    known = words().units.get(unit)
    phrase = known.short or known if known and short else known
    text = plain(value, decimals=2 if unit.startswith("yuan") else 4)
    if phrase is None:
        return f"{text} {unit}"
    return text + ("" if language == "zh" else " ") + phrase.say(language)


def day(value: date, language: Language) -> str:
    """A day written out: 30 June 2020, 2020年6月30日."""
    if language == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def as_date(value: object) -> date | None:
    """The day that a JSON text is, in the form in which Postgres writes days."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def in_words(value: object, language: Language) -> str:
    """A value without a unit: a day, a number, yes or no, or text as it is."""
    if value is None:
        return words().frame["empty"].say(language)
    if isinstance(value, bool):
        return words().frame[str(value).lower()].say(language)
    if (on := as_date(value)) is not None:
        return day(on, language)
    numeric = number(value)
    return str(value) if numeric is None else plain(numeric)


def code(value: object, *, contract: Contract, column: str, language: Language) -> str:
    """A code as the department writes it; in English the canonical word with the department's behind it."""
    codes = contract.column(column).codes
    sent = next((sent for sent, canonical in codes.items() if canonical == str(value)), str(value))
    if language == "zh" or sent == str(value):
        return sent
    return f"{str(value).replace('_', ' ')} ({sent})"
