"""Whatever an indicator compares, a township worker is told in Chinese and in English."""

import csv
import re
from pathlib import Path

import pytest

from doudi.contracts import Contract
from doudi.explain.words import Compared, source, words
from doudi.settings import Settings, load_settings
from doudi.transform.runner import indicators

SETTINGS = load_settings()
_MODELS = SETTINGS.dbt_project / "models"
_NAME = re.compile(r"\bcompared\(\s*(?:name=)?'(\w+)'")
_UNIT = re.compile(r"\bunit='([^']+)'")
_CODE = re.compile(r"^[a-z_]+$")


def _seed(settings: Settings, name: str) -> list[dict[str, str]]:
    with (settings.dbt_project / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sql(pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(_MODELS.rglob(pattern)))


@pytest.mark.parametrize("indicator", indicators(SETTINGS))
def test_every_compared_value_of_an_indicator_has_wording(indicator: str) -> None:
    named = set(_NAME.findall(_sql(f"{indicator}.sql")))
    assert named
    assert named <= set(words().compared)


def test_there_is_wording_for_nothing_else() -> None:
    assert set(words().compared) == set(_NAME.findall(_sql("*.sql")))


def test_every_limit_has_a_noun_and_every_unit_a_word(settings: Settings) -> None:
    seed = {row["name"]: row["unit"] for row in _seed(settings, "local_standard")}
    sql = _sql("ind_*.sql") + _sql("int_household__low_income.sql")
    asked = set(re.findall(r"local_standard\('([^']+)'\)", sql))
    asked |= {name for prefix in re.findall(r"'([a-z_]+[.])' \|\|", sql) for name in seed if name.startswith(prefix)}
    assert asked
    assert asked <= set(words().parameters) <= set(seed)
    units = {seed[name] for name in asked} | set(_UNIT.findall(_sql("*.sql")))
    assert units <= set(words().units)


def test_sources_and_clauses_that_are_shipped_are_told_in_chinese(settings: Settings) -> None:
    limits = words().parameters
    shipped = {row["source"] for row in _seed(settings, "local_standard") if row["name"] in limits}
    shipped |= {row["clause"] for row in _seed(settings, "indicator")}
    assert [text for text in shipped if source(text, "zh") == text] == []
    assert source("昭觉县民政局公告", "zh") == source("昭觉县民政局公告", "en") == "昭觉县民政局公告"


@pytest.mark.parametrize("name", sorted(words().compared))
def test_codes_are_those_of_a_contract(name: str, contracts: dict[str, Contract]) -> None:
    wording: Compared = words().compared[name]
    if wording.codes and wording.codes != "indicator":
        feed, column = wording.codes.split(".")
        assert contracts[feed].column(column).codes


def test_the_two_languages_fill_the_same_places() -> None:
    table = words()
    phrases = [*table.frame.values(), *(each.told for each in table.compared.values() if each.told)]
    places = re.compile(r"\{(\w+)\}")
    assert all(set(places.findall(phrase.en)) == set(places.findall(phrase.zh)) for phrase in phrases)
    assert not any(_CODE.match(phrase.zh) for phrase in phrases)


def test_the_tables_are_part_of_the_package() -> None:
    import doudi.explain

    folder = Path(doudi.explain.__file__).parent
    assert {path.name for path in folder.iterdir()} >= {"words.yml", "sources.csv"}
