"""Names in both languages: of what the catalogue's seeds name, and of what words.yml names."""

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from doudi.reports.document import Text


@cache
def words(kind: str) -> dict[str, Text]:
    """Everything of a kind in words.yml, in its order."""
    content = yaml.safe_load(files("doudi.reports").joinpath("words.yml").read_text(encoding="utf-8"))
    return {code: Text(**name) for code, name in content[kind].items()}


def word(kind: str, code: str) -> Text:
    """The name of a code; the code itself where a mart has one that is not named yet."""
    return words(kind).get(code, Text(code, code))


@cache
def seed(folder: Path, name: str) -> dict[str, Text]:
    """The names in a seed of the catalogue, by its first column."""
    with (folder / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    key = next(iter(rows[0]))
    return {row[key]: Text(row["name_zh"], row["name_en"]) for row in rows}
