"""The dbt project agrees with the contracts, with its own seeds, and with what is handed out of its marts."""

import csv
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from doudi.contracts import Contract, load_contracts
from doudi.extracts import load_declarations
from doudi.extracts.marts import load_marts
from doudi.settings import Settings, load_settings
from doudi.transform.runner import indicators

SETTINGS = load_settings()
FEEDS = sorted(load_contracts(SETTINGS.contracts))
INDICATORS = indicators(SETTINGS)
ADDED = ["_area_code", "_valid_from", "_load_id", "_row_no"]


def _seed(settings: Settings, name: str) -> list[dict[str, str]]:
    with (settings.dbt_project / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _model(settings: Settings, name: str) -> str:
    (path,) = (settings.dbt_project / "models").rglob(f"{name}.sql")
    return path.read_text(encoding="utf-8")


def _described(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, [])


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_has_a_source_and_a_staging_model_with_its_columns(
    settings: Settings, contracts: dict[str, Contract], feed: str
) -> None:
    beside = settings.dbt_project / "models" / "staging" / f"stg_{feed}.yml"
    (source,) = _described(beside, "sources")
    assert (source["name"], [table["name"] for table in source["tables"]]) == ("register", [feed])
    assert f"stg_{feed}" in {model["name"] for model in _described(beside, "models")}
    selected = re.findall(r"^ {8}versions\.(\w+),?$", _model(settings, f"stg_{feed}"), re.MULTILINE)
    assert selected == ["_county_code", *(column.name for column in contracts[feed].columns), *ADDED]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_snapshot_feed_is_as_recent_as_its_latest_delivery(
    settings: Settings, contracts: dict[str, Contract], feed: str
) -> None:
    is_dated_by_deliveries = f"latest_snapshots('{feed}')" in _model(settings, f"stg_{feed}")
    assert is_dated_by_deliveries == (contracts[feed].mode == "snapshot")


def test_staging_reads_a_register_only_where_people_who_were_joined_are_one(settings: Settings) -> None:
    models = {path.stem: path.read_text(encoding="utf-8") for path in (settings.dbt_project / "models").rglob("*.sql")}
    assert [name for name, sql in models.items() if "source('register'" in sql] == []
    reading = {
        name: re.findall(r"versions_of\('(\w+)'\)", sql) for name, sql in models.items() if "versions_of(" in sql
    }
    over_everybody = {name for name in reading if "everybody=true" in models[name]}
    assert over_everybody == {"int_benefit_amount", "int_list_day"}  # all others see whom the night touches
    reading = {name: feeds for name, feeds in reading.items() if name not in over_everybody}
    assert reading == {name: [name.removeprefix("stg_").removesuffix("__versions")] for name in reading}
    assert {feed for (feed,) in reading.values()} == set(FEEDS)


def test_every_indicator_has_one_model_and_one_row_of_the_catalogue(settings: Settings) -> None:
    codes = [row["code"] for row in _seed(settings, "indicator")]
    assert sorted(codes) == sorted(name.split("_")[1].upper() for name in INDICATORS)


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_is_described_and_unit_tested_beside_its_model(settings: Settings, name: str) -> None:
    beside = settings.dbt_project / "models" / "indicators" / f"{name}.yml"
    assert [model["name"] for model in _described(beside, "models") if model["description"]] == [name]
    assert all(test["model"] == name for test in _described(beside, "unit_tests"))
    assert list(_described(beside, "unit_tests"))


@pytest.mark.parametrize("name", INDICATORS)
def test_the_sentence_of_an_indicator_says_what_its_evidence_holds(settings: Settings, name: str) -> None:
    code, sql = name.split("_")[1].upper(), _model(settings, name)
    (sentence,) = (row["reason_zh"] for row in _seed(settings, "indicator") if row["code"] == code)
    filled = set(re.findall(r"fact\('\w+', '(\w+)'", sql))
    for call in re.split(r"\bcompared\(", sql)[1:]:
        compared = call.split("'")[1]
        filled |= {compared, f"{compared}.limit"} if "limit=" in call else {compared}
    assert set(re.findall(r"\{([^}]*)\}", sentence)) <= filled


def test_every_parameter_that_is_asked_for_has_a_national_default_without_an_end(settings: Settings) -> None:
    sql = "".join(_model(settings, path.stem) for path in (settings.dbt_project / "models").rglob("*.sql"))
    asked = set(re.findall(r"local_standard\('([^']+)'\)", sql))
    asked |= {
        prefix + end
        for prefix, ends in {
            "minimum_allowance_monthly.": ["rural", "urban"],
            "visit_deadline.": [row["level"] for row in _seed(settings, "level")],
        }.items()
        for end in ends
        if f"'{prefix}' ||" in sql
    }
    lasting = {row["name"] for row in _seed(settings, "local_standard") if row["area"] == "*" and not row["valid_to"]}
    assert asked
    assert asked <= lasting


def test_departments_are_those_of_the_contracts(settings: Settings, contracts: dict[str, Contract]) -> None:
    owners = {contract.department for contract in contracts.values()} - {"township"}
    referred_to = set(contracts["household_visit"].column("refer_to").codes.values())
    assert {row["department"] for row in _seed(settings, "department")} == owners | referred_to


def test_every_division_lies_in_the_one_above_it(settings: Settings) -> None:
    rows = _seed(settings, "division")
    codes = {row["code"] for row in rows}
    digits = {"province": 2, "prefecture": 4, "county": 6, "township": 9, "village": 12}
    assert all(len(row["code"]) == digits[row["level"]] for row in rows)
    assert all(row["parent_code"] in codes and row["code"].startswith(row["parent_code"]) for row in rows
               if row["level"] != "province")  # fmt: skip


def test_an_area_that_took_the_place_of_another_begins_when_that_ends(settings: Settings) -> None:
    divisions = {row["code"]: row for row in _seed(settings, "division")}
    changes = _seed(settings, "division_change")
    assert not {row["old_code"] for row in changes} & {row["new_code"] for row in changes}
    for row in changes:
        old, new = divisions[row["old_code"]], divisions[row["new_code"]]
        last_day = date.fromisoformat(row["changed_on"]) - timedelta(days=1)
        assert len(row["old_code"]) == len(row["new_code"])
        assert (old["valid_to"], new["valid_from"]) == (last_day.isoformat(), row["changed_on"])


def test_what_is_handed_out_is_there(settings: Settings) -> None:
    marts = load_marts(settings.dbt_project)
    for declaration in load_declarations(settings.extracts).values():
        rows = {"division_code" if name == "area" else name for name in declaration.rows}
        used = {column.name for column in declaration.columns} | rows | set(declaration.order_by)
        assert used <= set(marts[declaration.source].columns), declaration.recipient
