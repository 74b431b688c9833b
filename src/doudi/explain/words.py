"""The wording tables: words.yml and sources.csv beside this file."""

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, model_validator

from doudi.closed import Closed

Language = Literal["en", "zh"]
_FOLDER = Path(__file__).parent
_YEAR = re.compile(r"\b(20\d\d)\b")


class Phrase(Closed):
    """The same in both languages; ``{name}`` is a place to be filled."""

    en: str
    zh: str

    def say(self, language: Language, **places: object) -> str:
        """The phrase in one language. Raises KeyError where a place is left open."""
        text: str = getattr(self, language)
        return text.format(**places)


class Unit(Phrase):
    """``short`` is the unit where the noun before it says the rest; the unit itself where it is left out."""

    short: Phrase | None = None


class Compared(Closed):
    """How a value that indicators compare is told; words.yml says what each key is for."""

    label: Phrase | None = None
    says: dict[str, Phrase] = Field(default_factory=dict)
    told: Phrase | None = None
    codes: str | None = None
    percent: bool = False

    @model_validator(mode="after")
    def _can_be_told(self) -> "Compared":
        if not (self.label or self.says or self.told):
            raise ValueError("needs a label, says or told")
        return self


class Words(Closed):
    """All of words.yml, which says what each part is for."""

    compared: dict[str, Compared]
    parameters: dict[str, Phrase]
    units: dict[str, Unit]
    comparisons: dict[str, Phrase]
    frame: dict[str, Phrase]


@cache
def words() -> Words:
    """What words.yml holds, read once."""
    return Words.model_validate(yaml.safe_load((_FOLDER / "words.yml").read_text(encoding="utf-8")))


@cache
def _sources() -> dict[str, str]:
    with (_FOLDER / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["en"]: row["zh"] for row in csv.DictReader(file)}


def source(text: str, language: Language) -> str:
    """A source or clause of the seeds; one that the table does not know is told as it was written."""
    if language == "en":
        return text
    years = _YEAR.findall(text)
    return _sources().get(_YEAR.sub("{year}", text), text).format(year=years[0] if years else "")


def language_of(environment: Mapping[str, str]) -> Language:
    """Chinese where the environment's locale is, else English."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"
