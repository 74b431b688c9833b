"""Suites as models: closed to what they do not know, and the stop rules that others rely on."""

import subprocess
import sys
from pathlib import Path

import pytest

from doudi.contracts import Contract
from doudi.quality import SuiteError, gx, load_suite
from doudi.quality.suites import Check, Suite, check_against_contract
from doudi.settings import Settings
from doudi.warehouse.connection import WarehouseError

STOP_RULES = {
    "minimum_allowance": {"covered_members_within_household", "end_not_before_start", "amount_not_negative"},
    "special_hardship": {"end_not_before_start", "amount_not_negative"},
    "temporary_assistance": {"amount_not_negative"},
    "disability": {"certificate_matches_holder"},
    "education_assistance": {"amount_not_negative"},
    "housing_assistance": {"amount_not_negative"},
    "medical_assistance": {"settlement_adds_up", "amount_not_negative"},
    "poverty_register": set(),
    "economic_check": set(),
    "left_behind": set(),
    "child_protection": {"end_not_before_start", "amount_not_negative"},
    "household_visit": set(),
}
SHARED = """
derived:
    doubled: 2 * amount
rules:
    amount_not_negative:
        severity: stop
        type: expect_column_values_to_be_between
        kwargs: {min_value: 0}
        reason: {en: negative, zh: 负}
    never_used:
        severity: nonsense
"""
OWN = """
expectations:
    - rule: amount_not_negative
      columns: [amount, doubled]
    - rule: granted
      severity: warn
      type: expect_column_values_to_be_between
      columns: [granted_on]
      kwargs: {max_value: {$PARAMETER: data_date}}
      reason: {en: late, zh: 晚}
"""


def _load(folder: Path, own: str = OWN) -> Suite:
    (folder / "_shared.yml").write_text(SHARED, encoding="utf-8")
    path = folder / "temporary_assistance.yml"
    path.write_text(own, encoding="utf-8")
    return load_suite(path)


def test_an_entry_takes_the_rest_from_the_shared_rule_of_its_name(tmp_path: Path) -> None:
    suite = _load(tmp_path)
    assert suite.derived == {"doubled": "2 * amount"}
    assert [(check.expectation.rule, check.column) for check in suite.checks] == [
        ("amount_not_negative", "amount"),
        ("amount_not_negative", "doubled"),
        ("granted", "granted_on"),
    ]
    assert [each.severity for each in suite.expectations] == ["stop", "warn"]
    assert suite.expectations[1].parameters == {"data_date"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("columns: [granted_on]", "column: [granted_on]", "column"),
        ("severity: warn", "severity: shout", "severity"),
        ("expectations:", "expectation:\n    - {}\nexpectations:", "expectation"),
        ("columns: [amount, doubled]", "columns: [amount]\n      severity: warn", "severity is settled in _shared.yml"),
        ("columns: [amount, doubled]", "columns: [amount, amount]", "tests a column twice"),
        ("expectations:", "derived: {tripled: 3 * amount}\nexpectations:", "tested by no rule: ['tripled']"),
        ("max_value: {$PARAMETER: data_date}", "max_value: '5 % 3'", "taken for a placeholder"),
        ("data_date", "last_row", "unknown parameters ['last_row']"),
        ("max_value: {$PARAMETER: data_date}", "column: granted_on", "under columns"),
        (
            "severity: warn\n      type: expect_column_values_to_be_between\n      columns: [granted_on]",
            "severity: stop\n      type: expect_table_row_count_to_be_between",
            "only what is judged row by row can stop a row",
        ),
        (
            "severity: warn\n      type: expect_column_values_to_be_between",
            "severity: warn\n      from_rows: 30\n      type: expect_column_values_to_be_between",
            "belong to figures of the whole delivery",
        ),
        (
            "values_to_be_between\n      columns: [granted_on]\n      kwargs: {max_value: {$PARAMETER: data_date}}",
            "mean_to_be_between\n      columns: [amount, granted_on]\n      reported_as: amount\n"
            "      kwargs: {max_value: {$PARAMETER: 2 * last_observed}}",
            "its last figure is ambiguous",
        ),
        ("expectations:", "max_refused_share: 1.2\nexpectations:", "max_refused_share"),
        ("expectations:", "[", "not YAML"),
    ],
)
def test_a_suite_with_a_fault_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    own = OWN.replace(old, new)
    assert own != OWN
    with pytest.raises(SuiteError) as raised:
        _load(tmp_path, own)
    assert str(raised.value).startswith("temporary_assistance.yml: ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("refused", "rows", "past"),
    [(11, 50, True), (10, 50, False), (49, 49, False), (0, 0, False), (200_001, 1_000_000, True)],
)
def test_past_its_share_of_refused_rows_a_delivery_is_refused_unless_it_is_small(
    tmp_path: Path, refused: int, rows: int, past: bool
) -> None:
    suite = _load(tmp_path, "max_refused_share: 0.2\nrefused_share_from_rows: 50\n" + OWN)
    assert suite.refuses(refused=refused, rows=rows) is past


def test_the_limits_are_the_shared_ones_where_a_suite_has_none_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "_shared.yml").write_text(
        "max_refused_share: 0.2\nrefused_share_from_rows: 50\n" + SHARED, encoding="utf-8"
    )
    limits = {}
    for name, own in (("temporary_assistance", OWN), ("disability", "max_refused_share: 0.01\n" + OWN)):
        (tmp_path / f"{name}.yml").write_text(own, encoding="utf-8")
        suite = load_suite(tmp_path / f"{name}.yml")
        limits[name] = (suite.max_refused_share, suite.refused_share_from_rows)
    assert limits == {"temporary_assistance": (0.2, 50), "disability": (0.01, 50)}


def test_a_feed_without_a_suite_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"nothing\.yml: there is no such suite"):
        load_suite(tmp_path / "nothing.yml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[granted_on]", "[granted]", "rule granted: neither in the contract nor derived: granted"),
        ("[amount]", "[doubled]", "reported_as must name one of the contract"),
        ("[amount]", "[amount]\n      reported_as: sum", "reported_as sum is no column of the contract"),
        ("expectations:", 'derived: {amount: "1"}\nexpectations:', "derived hides columns of the contract: amount"),
    ],
)
def test_a_suite_must_fit_its_contract(
    tmp_path: Path, contracts: dict[str, Contract], old: str, new: str, said: str
) -> None:
    own = OWN.replace("[amount, doubled]", "[amount]")
    with pytest.raises(SuiteError, match=f"suite temporary_assistance.*{said}"):
        check_against_contract(_load(tmp_path, own.replace(old, new)), contracts["temporary_assistance"])


def test_a_suite_does_not_judge_another_feed(tmp_path: Path, contracts: dict[str, Contract]) -> None:
    with pytest.raises(SuiteError, match="cannot judge feed disability"):
        check_against_contract(_load(tmp_path), contracts["disability"])


@pytest.mark.parametrize("feed", STOP_RULES)
def test_the_stop_rules_are_the_agreed_ones(settings: Settings, feed: str) -> None:
    suite = load_suite(settings.expectations / f"{feed}.yml")
    assert {each.rule for each in suite.expectations if each.severity == "stop"} == STOP_RULES[feed]


def test_great_expectations_is_imported_only_when_it_judges() -> None:
    code = "import sys, doudi.quality; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_check_that_is_dropped_in_silence_stops_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations

    class Forgetful(great_expectations.ExpectationSuite):
        def __init__(self, name: str, expectations: list) -> None:
            super().__init__(name=name, expectations=expectations[1:])

    monkeypatch.setattr(great_expectations, "ExpectationSuite", Forgetful)
    with pytest.raises(SuiteError, match="3 checks were declared, 2 built"):
        gx.build_suite("temporary_assistance", _load(tmp_path).checks)


@pytest.mark.parametrize(
    ("old", "new"),
    [("max_value", "most"), ("values_to_be_between\n      columns: [gr", "values_to_be_beautiful\n      columns: [gr")],
)
def test_an_expectation_that_does_not_build_is_named(tmp_path: Path, old: str, new: str) -> None:
    own = OWN.replace(old, new)
    assert own != OWN
    with pytest.raises(SuiteError, match="rule granted"):
        gx.build_suite("temporary_assistance", _load(tmp_path, own).checks)


def test_a_check_that_cannot_name_its_rows_cannot_stop(tmp_path: Path) -> None:
    class Result:
        result = {"observed_value": 3.5}  # noqa: RUF012

    own = OWN.replace("severity: warn", "severity: stop").replace("values_to_be_between", "mean_to_be_between")
    check = Check(expectation=_load(tmp_path, own).expectations[1], column="granted_on")
    with pytest.raises(SuiteError, match="cannot say which rows it would stop"):
        gx._outcome(Result(), check, "select 1")


@pytest.mark.parametrize(
    ("text", "kind", "said", "transient"),
    [
        ("… psycopg.errors.DivisionByZero: …", WarehouseError, "here: DivisionByZero 22012", False),
        ('psycopg.errors.InvalidTextRepresentation: "某甲"', WarehouseError, "InvalidTextRepresentation 22P02", False),
        ("psycopg.OperationalError: consuming input failed", WarehouseError, "here: OperationalError", True),
        ("psycopg.errors.AdminShutdown: terminating", WarehouseError, "here: AdminShutdown 57P01", True),
        (
            "in psycopg.connect\nKeyError: '某甲'\nMetricResolutionError: 某甲",
            SuiteError,
            "MetricResolutionError",
            None,
        ),
        ("某甲", SuiteError, "unknown error", None),
    ],
)
def test_an_error_tells_its_class_and_no_value(text: str, kind: type, said: str, transient: bool | None) -> None:
    error = gx._failure("here", text)
    assert type(error) is kind
    assert said in str(error)
    assert "某甲" not in str(error)
    assert getattr(error, "transient", None) is transient
