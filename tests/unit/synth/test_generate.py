"""The synthesis as a whole: the same bytes each time, every rule broken, flat memory."""

import hashlib
from datetime import date
from pathlib import Path

import pytest
from unit.synth.conftest import AS_OF, PERSONS, County

from doudi.contracts import load_contracts
from doudi.settings import load_settings
from doudi.synth import faults, generate


def _bytes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes(county: County, tmp_path: Path) -> None:
    assert generate(tmp_path, persons=PERSONS, seed=7, as_of=AS_OF) == county.summary
    assert _bytes(tmp_path) == _bytes(county.folder)


def test_it_may_write_over_what_it_wrote(tmp_path: Path) -> None:
    generate(tmp_path, persons=60, seed=1, as_of=AS_OF)
    first = _bytes(tmp_path)
    generate(tmp_path, persons=60, seed=2, as_of=AS_OF)
    assert _bytes(tmp_path) != first
    generate(tmp_path, persons=60, seed=1, as_of=AS_OF)
    assert _bytes(tmp_path) == first


def test_it_does_not_mix_with_other_deliveries(tmp_path: Path) -> None:
    generate(tmp_path, persons=60, seed=1, as_of=AS_OF)
    with pytest.raises(ValueError, match="already holds other deliveries"):
        generate(tmp_path, persons=60, seed=1, as_of=date(2021, 6, 30))


def test_a_larger_county_begins_with_the_smaller(county: County, tmp_path: Path) -> None:
    larger = County(tmp_path, generate(tmp_path, persons=PERSONS + 400, seed=7, as_of=AS_OF))
    smaller = county.truth("warnings")
    assert larger.truth("warnings")[: len(smaller)] == smaller


def test_every_rule_is_broken_and_the_summary_says_how_often(county: County) -> None:
    contracts = load_contracts(load_settings().contracts)
    rules = {rule for contract in contracts.values() for rule, _ in faults.rules_of(contract)}
    assert set(county.summary.faults) == rules
    planted = [row["rule"] for row in county.truth("quarantine")]
    assert county.summary.faults == {rule: planted.count(rule) for rule in rules}


def test_refused_rows_are_few(county: County) -> None:
    for row in county.truth("deliveries"):
        if int(row["rows_read"]) > 100:
            assert int(row["rows_quarantined"]) < 0.1 * int(row["rows_read"]), row["file_name"]


def test_the_summary_is_the_sum_of_the_tables(county: County) -> None:
    deliveries, warnings = county.truth("deliveries"), county.truth("warnings")
    assert county.summary.files == len(deliveries) == len(county.deliveries())
    assert county.summary.rows == sum(int(row["rows_read"]) for row in deliveries)
    assert sum(county.summary.warnings.values()) == len(warnings)
    assert PERSONS <= county.summary.people < PERSONS + 10
    for row in deliveries:
        parts = ("rows_quarantined", "rows_published", "rows_unchanged")
        assert int(row["rows_read"]) == sum(int(row[part]) for part in parts)


def test_most_rows_of_a_monthly_list_do_not_change(county: County) -> None:
    last = next(row for row in county.truth("deliveries") if row["file_name"] == "poverty_register_513431_20200630.csv")
    assert int(last["rows_unchanged"]) > 0.9 * int(last["rows_read"])


def test_a_run_that_breaks_leaves_no_delivery_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> list:
        raise OSError("no space left")

    monkeypatch.setattr("doudi.synth.truth.warnings", broken)
    with pytest.raises(OSError, match="no space left"):
        generate(tmp_path, persons=60, seed=1, as_of=AS_OF)
    assert [path.name for path in tmp_path.iterdir()] == ["truth"]


def test_one_file_holds_one_open_quote_at_most(tmp_path: Path) -> None:
    """Two would close each other, and nobody could tell the lines between them from one long text."""
    larger = County(tmp_path, generate(tmp_path, persons=9000, seed=2, as_of=AS_OF))
    files = [row["file_name"] for row in larger.truth("quarantine") if row["rule"] == "line.quote"]
    assert len(files) == len(set(files)) > 2
