"""The whole night on synthetic counties: what comes out is what truth/ says, row by row and warning by warning."""

import csv
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from databases import share_parsed_project
from lineage_graph import Graph

from doudi import extracts, loads, transform
from doudi.contracts import load_contracts
from doudi.night import run_in_process
from doudi.settings import Settings
from doudi.synth.generate import generate
from doudi.synth.standards import INDICATORS

AS_OF, PAST = date(2020, 6, 30), (date(2020, 4, 30), date(2020, 5, 31))
PERSONS = 1700  # enough for every planted case
SEEDS = range(1, 6) if os.environ.get("DOUDI_SOAK") else range(1, 2)


def _truth(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _night(installation: Settings, *, seed: int) -> Settings:
    """An installation that has taken in a county made from one seed, and built its marts."""
    share_parsed_project(installation.home, installation.database_url)
    division_file = installation.dbt_project / "seeds" / "division.csv"
    generate(installation.inbox, persons=PERSONS, seed=seed, as_of=AS_OF, division_file=division_file)
    settings = replace(installation, as_of=AS_OF)
    assert run_in_process(settings, progress=lambda line: None) == 0
    return settings


def _standing(schema_suffix: str = "") -> str:
    return f"""
        select warning.indicator_code, person.citizen_id, warning.level, warning.lead_department
        from marts{schema_suffix}.warning as warning
        inner join identity{schema_suffix}.person as person using (person_id)
        where warning.closed_on is null
    """


def _differences(found: list[tuple], expected: list[dict[str, str]]) -> dict[str, list[tuple]]:
    """Warnings that only one of both has, so that a failure says which."""
    found_of, expected_of = Counter(found), Counter(tuple(row.values()) for row in expected)
    sides = {"not found": expected_of - found_of, "not expected": found_of - expected_of}
    return {side: sorted(warnings.elements()) for side, warnings in sides.items() if warnings}


@pytest.mark.parametrize("seed", SEEDS)
def test_warnings_of_the_present_and_of_two_past_days_are_exactly_the_truth(
    seed: int, installation: Settings, query: Callable
) -> None:
    county = _night(installation, seed=seed)
    assert {row["indicator_code"] for row in _truth(county.inbox, "warnings")} == set(INDICATORS)
    assert _differences(query(_standing()), _truth(county.inbox, "warnings")) == {}
    for day in PAST:
        built = transform.build(url=county.database_url, settings=county, as_of=day)
        expected = _truth(county.inbox, f"warnings_{day:%Y%m%d}")
        assert len(expected) > 100
        assert _differences(query(_standing(built.schema_suffix)), expected) == {}, day
    assert _differences(query(_standing()), _truth(county.inbox, "warnings")) == {}


def _check_lineage(county: Settings) -> None:
    """One graph from what each department sends to what others are handed, and nobody in it."""
    graph = Graph(county.home / "lineage" / "events.jsonl")
    database = county.database_url.rpartition("/")[2].partition("?")[0]
    for feed in load_contracts(county.contracts):
        below = graph.below(f"landing/{feed}")
        assert {f"{database}.register.{feed}", f"{database}.marts.warning", "extract/civil_affairs"} <= below, feed
    assert re.search(r"\d{17}[0-9X]", graph.text) is None


@pytest.mark.usefixtures("artifacts")
def test_a_night_takes_in_and_refuses_exactly_the_truth_and_a_second_one_nothing_more(
    installation: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOUDI_LINEAGE", "file")
    county = _night(installation, seed=6)
    _check_lineage(county)

    quarantine = query(
        """
        select file_name, line_no::text, coalesce(column_name, ''), rule
        from ops.quarantine inner join ops.load using (load_id)
        """
    )
    # A suite's rule points to a column for the reader's sake; the truth names columns for the contract's rules only.
    expected = {(row["file_name"], row["line_no"]): row for row in _truth(county.inbox, "quarantine")}
    assert {(name, line): rule for name, line, _, rule in quarantine} == {
        at: row["rule"] for at, row in expected.items()
    }
    for name, line, column, _ in quarantine:
        assert expected[name, line]["column_name"] in ("", column)

    deliveries = query(
        """
        select file_name, rows_read::text, rows_quarantined::text, rows_published::text, rows_unchanged::text
        from ops.load where status = 'published'
        """
    )
    counts = ("file_name", "rows_read", "rows_quarantined", "rows_published", "rows_unchanged")
    assert Counter(deliveries) == Counter(
        tuple(row[name] for name in counts) for row in _truth(county.inbox, "deliveries")
    )

    standing = "select warning_id from marts.warning where closed_on is null"
    warnings = query(standing)
    assert len(set(warnings)) == len(warnings) == len(_truth(county.inbox, "warnings"))
    rows = """
        select (select count(*) from register.poverty_register), (select count(*) from ops.load), count(*)
        from ops.extract
    """
    before = query(rows)
    assert run_in_process(county, progress=lambda line: None) == 0
    assert sorted(query(standing)) == sorted(warnings)
    assert query(rows) == before
    assert [*loads.waiting(settings=county)] == []
    assert extracts.send_all(settings=county, as_of=AS_OF) == []
