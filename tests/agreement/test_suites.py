"""Suites and contracts: each feed has both, and a suite tests what the contract has."""

import re
from pathlib import Path

import pytest
import yaml

from doudi.contracts import Contract, load_contracts
from doudi.quality import gx, load_suite
from doudi.quality.suites import ROWS_BY_QUERY, check_against_contract
from doudi.settings import Settings, load_settings

FEEDS = sorted(load_contracts(load_settings().contracts))
INCOMES = {"monthly_income_per_capita", "annual_income_per_capita"}  # a loss is an income below zero


def _suites(settings: Settings) -> list[Path]:
    return sorted(path for path in settings.expectations.glob("*.yml") if not path.name.startswith("_"))


def test_every_feed_has_a_suite_and_every_suite_a_feed(settings: Settings) -> None:
    assert [path.stem for path in _suites(settings)] == FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_a_suite_fits_its_contract(settings: Settings, contracts: dict[str, Contract], feed: str) -> None:
    check_against_contract(load_suite(settings.expectations / f"{feed}.yml"), contracts[feed])


@pytest.mark.parametrize("feed", FEEDS)
def test_every_expectation_is_one_of_great_expectations_and_builds(settings: Settings, feed: str) -> None:
    checks = load_suite(settings.expectations / f"{feed}.yml").checks
    built = gx.build_suite(feed, checks)
    assert [each.expectation_type for each in built.expectations] == [check.expectation.type for check in checks]


@pytest.mark.parametrize("feed", FEEDS)
def test_what_is_judged_row_by_row_is_judged_in_the_one_scan(settings: Settings, feed: str) -> None:
    """Expectations on one column without a row condition share a select, and figures of columns another.

    Every other kind has scans of its own.
    """
    from great_expectations.expectations.expectation import ColumnAggregateExpectation, ColumnMapExpectation

    checks = load_suite(settings.expectations / f"{feed}.yml").checks
    for check, built in zip(checks, gx.build_suite(feed, checks).expectations, strict=True):
        if check.column:
            assert isinstance(built, ColumnMapExpectation if check.expectation.by_row else ColumnAggregateExpectation)
            assert built.row_condition is None
        else:
            assert check.expectation.type in (ROWS_BY_QUERY, "expect_table_row_count_to_be_between")


@pytest.mark.parametrize("feed", FEEDS)
def test_no_figure_of_a_delivery_gives_away_a_row(
    settings: Settings, contracts: dict[str, Contract], feed: str
) -> None:
    """Means and shares are of thirty rows and more; a largest value is only taken of what is the same for all rows."""
    contract, suite = contracts[feed], load_suite(settings.expectations / f"{feed}.yml")
    for check in suite.checks:
        if check.expectation.by_row or not check.column:
            continue
        if check.expectation.type == "expect_column_max_to_be_between":
            named = set(re.findall(r"\w+", suite.derived[check.column]))
            assert not named & {"_row_no", "_area_code", *(column.name for column in contract.columns)}
            continue
        assert check.expectation.from_rows >= 30
        if check.expectation.type == "expect_column_mean_to_be_between" and contract.has(check.column):
            assert contract.column(check.column).required  # or the mean could be that of one row that is filled in
        else:
            assert check.expectation.type in (
                "expect_column_mean_to_be_between",
                "expect_column_proportion_of_non_null_values_to_be_between",
            )


@pytest.mark.parametrize("feed", FEEDS)
def test_a_suite_limits_the_share_of_refused_rows(settings: Settings, feed: str) -> None:
    assert 0 < load_suite(settings.expectations / f"{feed}.yml").max_refused_share <= 0.5


@pytest.mark.parametrize("feed", FEEDS)
def test_no_amount_but_an_income_may_be_negative(settings: Settings, contracts: dict[str, Contract], feed: str) -> None:
    checks = load_suite(settings.expectations / f"{feed}.yml").checks
    guarded = {check.column for check in checks if check.expectation.rule == "amount_not_negative"}
    assert guarded == {column.name for column in contracts[feed].columns if column.type == "money"} - INCOMES


@pytest.mark.parametrize("feed", FEEDS)
def test_a_suite_does_not_repeat_its_contract(settings: Settings, contracts: dict[str, Contract], feed: str) -> None:
    """Required, types, codes, keys and minima have their home in the contract."""
    contract = contracts[feed]
    for check in load_suite(settings.expectations / f"{feed}.yml").checks:
        if not check.column or not contract.has(check.column):
            continue
        column = contract.column(check.column)
        assert check.expectation.type not in (
            "expect_column_values_to_not_be_null",
            "expect_column_values_to_be_unique",
        )
        assert not (column.type == "code" and check.expectation.type == "expect_column_values_to_be_in_set")
        assert not (column.minimum is not None and "min_value" in check.expectation.kwargs)


def test_every_shared_rule_is_shared(settings: Settings) -> None:
    shared = yaml.safe_load((settings.expectations / "_shared.yml").read_text(encoding="utf-8"))["rules"]
    uses = [each.rule for path in _suites(settings) for each in load_suite(path).expectations]
    assert {rule for rule in shared if uses.count(rule) < 2} == set()
