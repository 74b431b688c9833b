"""Judging on a real Postgres: sound rows pass, each rule finds exactly the rows that break it."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import as_step
from made_up import VILLAGE, citizen_id
from psycopg import sql
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.quality import Suite, SuiteError, Verdict, judge, load_suite
from doudi.quality.suites import PARAMETER_NAMES
from doudi.settings import Settings
from doudi.warehouse.connection import WarehouseError

DATA_DATE = date(2020, 6, 30)
PUPIL = citizen_id(0, born="20100101")
ELDER = citizen_id(2, born="19500101")
WOMAN = citizen_id(1, born="19800101")
MAN = citizen_id(2, born="19800101")

# A row of each feed that no rule objects to.
SOUND: dict[str, dict[str, Any]] = {
    "minimum_allowance": {
        "certificate_no": "D1", "head_name": "某甲", "head_citizen_id": MAN, "name": "某甲", "citizen_id": MAN,
        "relation_to_head": "self", "area_type": "rural", "household_size": 3, "covered_members": 3,
        "monthly_income_per_capita": -10, "monthly_amount": 800, "single_person_household": False,
        "start_date": "2020-01-01", "end_date": None, "gradual_exit_until": "2020-12-31",
    },
    "special_hardship": {
        "certificate_no": "T1", "name": "某甲", "citizen_id": ELDER, "area_type": "rural", "self_care": "able",
        "support_mode": "institution", "institution": "某福利院", "monthly_amount": 900, "start_date": "2019-01-01",
        "end_date": "2019-01-01",
    },
    "temporary_assistance": {
        "grant_no": "L1", "name": "某甲", "citizen_id": MAN, "kind": "urgent", "reason": "火灾", "amount": 3000,
        "granted_on": "2020-06-30",
    },
    "disability": {
        "certificate_no": f"{MAN}42B1", "name": "某甲", "citizen_id": MAN, "category": "4", "grade": "2",
        "issued_on": "2015-01-01", "expires_on": "2025-01-01", "status": "valid", "living_subsidy": True,
        "care_subsidy": False,
    },
    "education_assistance": {
        "student_no": "G1", "name": "某甲", "citizen_id": PUPIL, "guardian_citizen_id": MAN, "school": "某小学",
        "stage": "primary", "enrolment": "enrolled", "term": "2019-2020-2", "aid_kind": "寄宿生补助",
        "aid_amount": 500, "self_paid": 0,
    },
    "housing_assistance": {
        "head_name": "某甲", "head_citizen_id": MAN, "safety_grade": "C", "only_home": True,
        "appraised_on": "2019-05-01", "works": "completed", "subsidy_amount": 20000, "completed_on": "2020-05-01",
    },
    "medical_assistance": {
        "settlement_no": "J1", "name": "某甲", "citizen_id": MAN, "visit_kind": "inpatient", "disease": "肺炎",
        "major_illness": True, "settled_on": "2020-06-01", "total_cost": "1000.10", "basic_paid": "600.05",
        "serious_paid": None, "aid_paid": "0.05", "self_paid": 400, "insured": True,
    },
    "poverty_register": {
        "household_no": "H1", "name": "某甲", "citizen_id": MAN, "relation_to_head": "self", "status": "lifted",
        "annual_income_per_capita": -500, "labour": "ordinary", "migrant_work": True, "lifted_year": 2020,
    },
    "economic_check": {
        "check_no": "C1", "name": "某甲", "citizen_id": MAN, "area_type": "rural",
        "applied_for": "minimum_allowance", "applied_on": "2020-06-01", "checked_on": "2020-06-01",
        "household_size": 3, "monthly_income_per_capita": -5, "assets_over_limit": False, "result": "approved",
        "refusal_reason": None, "authorisation_no": "S1",
    },
    "left_behind": {
        "kind": "child", "name": "某甲", "citizen_id": PUPIL, "guardian_citizen_id": ELDER,
        "registered_on": "2020-01-01",
    },
    "child_protection": {
        "kind": "orphan", "name": "某甲", "citizen_id": PUPIL, "father_state": "dead", "mother_state": "missing",
        "monthly_amount": None, "start_date": None, "end_date": None,
    },
    "household_visit": {
        "warning_id": "W1", "visited_on": "2020-06-30", "visitor": "某乙", "finding": "refer", "refer_to": "housing",
    },
}  # fmt: skip

# What breaks one rule and no other: the rule, the column it is reported at, and what to change in the sound row.
BROKEN: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "minimum_allowance": [
        ("covered_members_within_household", "covered_members", {"covered_members": 4}),
        ("end_not_before_start", "end_date", {"end_date": "2019-12-31"}),
        ("amount_not_negative", "monthly_amount", {"monthly_amount": "-0.01"}),
        ("amount_plausible", "monthly_amount", {"monthly_amount": "20000.01"}),
        ("amount_plausible", "monthly_income_per_capita", {"monthly_income_per_capita": 80000}),
        ("gradual_exit_not_before_start", "gradual_exit_until", {"gradual_exit_until": "2019-12-31"}),
        ("head_is_self", "relation_to_head", {"head_citizen_id": WOMAN}),
        ("head_is_self", "relation_to_head", {"relation_to_head": "spouse"}),
        ("single_person_covers_one", "covered_members", {"single_person_household": True}),
        ("not_after_data_date", "start_date", {"start_date": "2020-07-01"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "special_hardship": [
        ("end_not_before_start", "end_date", {"end_date": "2018-12-31"}),
        ("amount_not_negative", "monthly_amount", {"monthly_amount": -1}),
        ("amount_plausible", "monthly_amount", {"monthly_amount": 10800}),
        ("institution_named", "institution", {"institution": None}),
        ("not_after_data_date", "start_date", {"start_date": "2020-07-01", "end_date": None}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "temporary_assistance": [
        ("amount_not_negative", "amount", {"amount": "-0.01"}),
        ("amount_plausible", "amount", {"amount": 300000}),
        ("not_after_data_date", "granted_on", {"granted_on": "2020-07-01"}),
    ],
    "disability": [
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{WOMAN}42"}),
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{MAN}43"}),
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{MAN}32B1"}),
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{MAN}42C1"}),
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{MAN}42B"}),
        ("certificate_matches_holder", "certificate_no", {"certificate_no": f"{MAN}4"}),
        ("expiry_not_before_issue", "expires_on", {"expires_on": "2014-01-01", "status": "cancelled"}),
        ("status_fits_expiry", "status", {"expires_on": "2020-06-29"}),
        ("status_fits_expiry", "status", {"status": "expired"}),
        ("not_after_data_date", "issued_on", {"issued_on": "2020-07-01"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "education_assistance": [
        ("amount_not_negative", "aid_amount", {"aid_amount": -1}),
        ("amount_not_negative", "self_paid", {"self_paid": -1}),
        ("amount_plausible", "aid_amount", {"aid_amount": 250000}),
        ("amount_plausible", "self_paid", {"self_paid": 250000}),
        ("term_well_formed", "term", {"term": "2019-2020学年"}),
        ("guardian_is_another", "guardian_citizen_id", {"guardian_citizen_id": PUPIL}),
        ("aid_has_amount", "aid_amount", {"aid_amount": None}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "housing_assistance": [
        ("amount_not_negative", "subsidy_amount", {"subsidy_amount": -1}),
        ("amount_plausible", "subsidy_amount", {"subsidy_amount": 3000000}),
        ("completion_dated", "completed_on", {"completed_on": None}),
        ("completion_dated", "completed_on", {"works": "under_way"}),
        ("not_after_data_date", "appraised_on", {"appraised_on": "2020-07-01"}),
        ("not_after_data_date", "completed_on", {"completed_on": "2020-07-01"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "medical_assistance": [
        ("settlement_adds_up", "total_cost", {"total_cost": "1000.11"}),
        ("settlement_adds_up", "total_cost", {"serious_paid": "0.01"}),
        ("amount_not_negative", "total_cost", {"total_cost": -1, "basic_paid": None, "aid_paid": None, "self_paid": 0,
                                               "serious_paid": -1}),
        ("amount_not_negative", "basic_paid", {"basic_paid": -1, "total_cost": "399.05"}),
        ("amount_not_negative", "aid_paid", {"aid_paid": -1, "total_cost": "999.05"}),
        ("amount_not_negative", "self_paid", {"self_paid": -1, "total_cost": "599.10"}),
        ("amount_plausible", "total_cost", {"total_cost": 2500000, "basic_paid": 2500000, "aid_paid": 0,
                                            "self_paid": 0}),
        ("not_after_data_date", "settled_on", {"settled_on": "2020-07-01"}),
        ("major_illness_named", "disease", {"disease": None}),
        ("uninsured_without_insurance_payment", "insured", {"insured": False}),
    ],
    "poverty_register": [
        ("amount_plausible", "annual_income_per_capita", {"annual_income_per_capita": 900000}),
        ("lifted_has_year", "lifted_year", {"lifted_year": None}),
        ("lifted_year_reached", "lifted_year", {"lifted_year": 2021}),
        ("migrant_can_work", "labour", {"labour": "lost"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "economic_check": [
        ("check_not_before_application", "checked_on", {"checked_on": "2020-05-31"}),
        ("refusal_explained", "refusal_reason", {"result": "refused"}),
        ("approved_within_limit", "result", {"assets_over_limit": True}),
        ("amount_plausible", "monthly_income_per_capita", {"monthly_income_per_capita": 60000}),
        ("not_after_data_date", "checked_on", {"checked_on": "2020-07-01"}),
    ],
    "left_behind": [
        ("kind_fits_age", "kind", {"citizen_id": citizen_id(0, born="20040630")}),
        ("kind_fits_age", "kind", {"kind": "elder", "citizen_id": citizen_id(0, born="19600701")}),
        ("kind_fits_sex", "kind", {"kind": "woman", "citizen_id": MAN}),
        ("guardian_is_another", "guardian_citizen_id", {"guardian_citizen_id": PUPIL}),
        ("not_after_data_date", "registered_on", {"registered_on": "2020-07-01"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "child_protection": [
        ("end_not_before_start", "end_date", {"start_date": "2020-01-02", "end_date": "2020-01-01"}),
        ("amount_not_negative", "monthly_amount", {"monthly_amount": -1}),
        ("amount_plausible", "monthly_amount", {"monthly_amount": 12000}),
        ("parents_fit_kind", "kind", {"mother_state": "imprisoned"}),
        ("parents_fit_kind", "kind", {"kind": "de_facto_unsupported", "mother_state": "able"}),
        ("child_under_18", "citizen_id", {"citizen_id": citizen_id(0, born="20020630")}),
        ("not_after_data_date", "start_date", {"start_date": "2020-07-01"}),
        ("home_in_area", "division_code", {"_area_code": "510000"}),
    ],
    "household_visit": [
        ("referral_names_department", "refer_to", {"refer_to": None}),
        ("visited_by_now", "visited_on", {"visited_on": "2999-01-01"}),
        ("warning_known", "warning_id", {"warning_id": "W2"}),
        ("warning_known", "warning_id", {"warning_id": "W1；W2"}),
        ("warning_known", "warning_id", {"warning_id": "；"}),
    ],
}  # fmt: skip

# Sound too: the other sides of the same rules.
ALSO_SOUND: dict[str, list[dict[str, Any]]] = {
    "minimum_allowance": [
        {"citizen_id": WOMAN, "relation_to_head": "spouse"},
        {"single_person_household": True, "covered_members": 1},
        {"end_date": "2020-01-01", "gradual_exit_until": None},
    ],
    "special_hardship": [{"support_mode": "home", "institution": None, "end_date": None}],
    "disability": [
        {"certificate_no": f"{MAN}42"},
        {"certificate_no": f"{MAN}42B12", "expires_on": "2020-06-30"},
        {"expires_on": None, "status": "expired"},
    ],
    "education_assistance": [{"guardian_citizen_id": None, "aid_kind": None, "aid_amount": None, "self_paid": None}],
    "housing_assistance": [{"works": "listed", "completed_on": None, "subsidy_amount": None}],
    "medical_assistance": [
        {"total_cost": 400, "basic_paid": None, "aid_paid": None, "insured": False},
        {"disease": None, "major_illness": False},
    ],
    "poverty_register": [{"status": "not_lifted", "lifted_year": None, "migrant_work": None, "labour": "lost"}],
    "economic_check": [{"result": "refused", "refusal_reason": "财产超标", "assets_over_limit": True}],
    "left_behind": [
        {"citizen_id": citizen_id(0, born="20040701")},
        {"kind": "elder", "citizen_id": citizen_id(0, born="19600630"), "guardian_citizen_id": None},
        {"kind": "woman", "citizen_id": WOMAN},
    ],
    "child_protection": [
        {"kind": "de_facto_unsupported", "father_state": "dead", "mother_state": "imprisoned"},
        {"citizen_id": citizen_id(0, born="20020701"), "start_date": "2020-01-01", "end_date": "2020-01-01"},
    ],
    "household_visit": [
        {"finding": "confirmed", "refer_to": None},
        {"warning_id": "W1；w3"},
        {"visited_on": "2020-07-01"},  # the list went out the day before
    ],
}

Judge = Callable[..., list[Verdict]]


@pytest.fixture
def session(warehouse_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        yield session


@pytest.fixture
def judged(
    session: psycopg.Connection, warehouse_url: str, settings: Settings, contracts: dict[str, Contract]
) -> Judge:
    """Types ``rows`` as the landing would, and lets the feed's suite, or the one given, judge them."""

    def judged(
        feed: str,
        rows: list[dict[str, Any]],
        *,
        suite: Suite | None = None,
        last_observed: dict[tuple[str, str | None], float] | None = None,
        **last: int | date | None,
    ) -> list[Verdict]:
        table = _typed_table(session, contracts[feed], rows)
        return judge(
            url=warehouse_url,
            table=table,
            row_count=session.execute(f"select count(*) from {table} where _faults is null").fetchone()[0],
            suite=suite or load_suite(settings.expectations / f"{feed}.yml"),
            contract=contracts[feed],
            parameters=dict.fromkeys(PARAMETER_NAMES) | {"data_date": DATA_DATE} | last,
            last_observed=last_observed or {},
        )

    return judged


def _typed_table(session: psycopg.Connection, contract: Contract, rows: list[dict[str, Any]]) -> str:
    table = f"landing.{contract.name}_1_typed"
    columns = ", ".join(f"{column.name} {column.physical_type}" for column in contract.columns)
    with as_step(session, "loader"):
        session.execute(f"drop table if exists {table}")
        session.execute(f"create unlogged table {table} (_row_no bigint, _area_code text, _faults jsonb, {columns})")
    home = {"division_code": VILLAGE} if contract.has("division_code") else {}
    for row_no, row in enumerate(rows, start=1):
        values = {"_row_no": row_no, "_area_code": VILLAGE} | home | row
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        insert = sql.SQL("insert into {} ({}) values ({})").format(sql.SQL(table), names, marks)
        session.execute(insert, list(values.values()))
    return table


def _failing_rows(session: psycopg.Connection, verdict: Verdict) -> list[int]:
    assert verdict.failing_rows_sql
    return [row_no for (row_no,) in session.execute(f"{verdict.failing_rows_sql} order by 1")]


def _make_references(session: psycopg.Connection) -> None:
    with as_step(session, "transformer"):
        session.execute("create table reference.division (code text, valid_from date, valid_to date)")
        session.execute("create table marts.warning (warning_id text)")
        session.execute("select access.entitle('marts.warning')")
    session.execute(f"insert into reference.division values ('513431'), ('{VILLAGE}')")
    session.execute("insert into marts.warning values ('W1'), ('W3')")


@pytest.mark.parametrize("feed", SOUND)
def test_sound_rows_pass_and_each_rule_finds_exactly_the_rows_that_break_it(
    judged: Judge, session: psycopg.Connection, settings: Settings, feed: str
) -> None:
    _make_references(session)
    sound = [SOUND[feed] | changes for changes in ({}, *ALSO_SOUND.get(feed, []))]
    broken = [SOUND[feed] | changes for _, _, changes in BROKEN[feed]]
    verdicts = judged(feed, sound + broken, last_rows=len(sound + broken))

    planted: dict[tuple[str, str], list[int]] = {}
    for row_no, (rule, column, _) in enumerate(BROKEN[feed], start=len(sound) + 1):
        planted.setdefault((rule, column), []).append(row_no)
    if feed == "medical_assistance":  # a part below zero needs another one, so that the sum stays what it is
        planted["amount_not_negative", "serious_paid"] = [row_no for row_no, row in enumerate(sound + broken, start=1)
                                                          if row["serious_paid"] == -1]  # fmt: skip
    found: dict[tuple[str, str | None], list[int]] = {}
    for verdict in verdicts:
        if verdict.failing_rows_sql is None:
            assert verdict.success
            continue
        rows = _failing_rows(session, verdict)
        assert (verdict.unexpected, verdict.success) == (len(rows), not rows)
        if rows:
            key = (verdict.rule, verdict.column_name)
            found[key] = sorted(found.get(key, []) + rows)
    assert found == planted

    tested = {each.rule for each in load_suite(settings.expectations / f"{feed}.yml").expectations}
    assert tested - {rule for rule, _ in planted} <= {"division_known"} | {
        check.expectation.rule for check in load_suite(settings.expectations / f"{feed}.yml").checks
        if not check.expectation.by_row
    }  # fmt: skip


@pytest.mark.parametrize("feed", SOUND)
def test_an_empty_delivery_passes_every_rule_about_rows(judged: Judge, session: psycopg.Connection, feed: str) -> None:
    _make_references(session)
    for verdict in judged(feed, []):
        assert verdict.success
        assert _failing_rows(session, verdict) == []


def test_a_row_that_the_contract_refused_is_not_judged(judged: Judge, session: psycopg.Connection) -> None:
    broken = SOUND["medical_assistance"] | {"total_cost": -1}
    refused = broken | {"_faults": Jsonb([{"column": "insured", "rule": "required"}]), "citizen_id": "1.1E+17"}
    adds_up = next(v for v in judged("medical_assistance", [refused, broken]) if v.rule == "settlement_adds_up")
    assert (adds_up.evaluated, adds_up.unexpected, _failing_rows(session, adds_up)) == (1, 1, [2])


def test_a_null_is_not_evaluated(judged: Judge) -> None:
    verdicts = judged("medical_assistance", [SOUND["medical_assistance"]] * 3)
    evaluated = {v.column_name: v.evaluated for v in verdicts if v.rule == "amount_not_negative"}
    assert evaluated == {"total_cost": 3, "basic_paid": 3, "serious_paid": 0, "aid_paid": 3, "self_paid": 3}


@pytest.mark.parametrize(("last_rows", "success"), [(1, False), (2, True), (4, True), (8, True), (10, False)])
def test_a_list_that_halves_or_doubles_is_warned_about(judged: Judge, last_rows: int, success: bool) -> None:
    verdicts = judged("left_behind", [SOUND["left_behind"]] * 4, last_rows=last_rows)
    volume = next(v for v in verdicts if v.rule == "volume_of_list")
    assert (volume.severity, volume.success, volume.failing_rows_sql) == ("warn", success, None)
    assert volume.observed == {"observed_value": 4, "min_value": last_rows // 2, "max_value": last_rows * 2}


def test_a_rule_without_its_parameter_or_relation_is_skipped(judged: Judge) -> None:
    rules = {v.rule for v in judged("left_behind", [SOUND["left_behind"]])}
    assert "kind_fits_age" in rules
    assert not rules & {"volume_of_list", "division_known"}


def test_a_division_is_known_by_its_village_or_where_no_village_is_listed_by_its_county_and_on_its_day(
    judged: Judge, session: psycopg.Connection
) -> None:
    with as_step(session, "transformer"):
        session.execute("create table reference.division (code text, valid_from date, valid_to date)")
    session.execute(
        """
        insert into reference.division values
            ('513431', null, null), ('513431001001', null, null), ('513431001002', '2020-07-01', null),
            ('513431001003', null, '2020-06-29'), ('513431001004', '2020-06-30', '2020-06-30'),
            ('511102', null, null)
        """
    )
    codes = ["513431001001", "513431001002", "513431001003", "513431001004", "513431001009", "511102001001",
             "990001001001"]  # fmt: skip
    rows = [SOUND["temporary_assistance"] | {"division_code": code} for code in codes]
    known = next(v for v in judged("temporary_assistance", rows) if v.rule == "division_known")
    assert _failing_rows(session, known) == [2, 3, 5, 7]


@pytest.mark.parametrize(("day", "wrong"), [("2021-01-19", "513402"), ("2021-01-20", "513425")])
def test_a_county_that_became_a_city_is_called_by_the_code_of_the_day(
    judged: Judge, session: psycopg.Connection, settings: Settings, day: str, wrong: str
) -> None:
    with as_step(session, "transformer"):
        session.execute(
            """
            create table reference.division (
                code text, name text, level text, parent_code text, valid_from date, valid_to date
            )
            """
        )
    with session.cursor().copy("copy reference.division from stdin (format csv, header)") as copy:
        copy.write((settings.dbt_project / "seeds" / "division.csv").read_bytes())
    (village,) = session.execute("select min(code) from reference.division where code like '513402______'").fetchone()
    codes = ["513425" + village[6:], village]
    rows = [SOUND["temporary_assistance"] | {"division_code": code} for code in codes]
    verdicts = judged("temporary_assistance", rows, data_date=date.fromisoformat(day))
    known = next(v for v in verdicts if v.rule == "division_known")
    assert [codes[row_no - 1][:6] for row_no in _failing_rows(session, known)] == [wrong]


def _suite(tmp_path: Path, expression: str) -> Suite:
    (tmp_path / "_shared.yml").write_text("rules: {}", encoding="utf-8")
    path = tmp_path / "temporary_assistance.yml"
    path.write_text(
        f"""
        derived: {{worked_out: "{expression}"}}
        expectations:
        - rule: worked_out
          severity: stop
          type: expect_column_values_to_be_between
          columns: [worked_out]
          reported_as: amount
          kwargs: {{min_value: 0}}
          reason: {{en: wrong, zh: 错}}
        - rule: amount_not_negative
          severity: stop
          type: expect_column_values_to_be_between
          columns: [amount]
          kwargs: {{min_value: 0}}
          reason: {{en: negative, zh: 负}}
        """,
        encoding="utf-8",
    )
    return load_suite(path)


def test_a_rule_that_cannot_be_evaluated_is_an_error_and_quotes_no_row(
    judged: Judge, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(WarehouseError) as raised:
        judged("temporary_assistance", [SOUND["temporary_assistance"]], suite=_suite(tmp_path, "name::integer"))
    assert str(raised.value) == "suite temporary_assistance, rule worked_out: InvalidTextRepresentation 22P02"
    assert raised.value.__cause__ is None
    assert not raised.value.transient
    assert "某甲" not in caplog.text + "".join(capsys.readouterr())


def test_a_derived_column_that_is_no_sql_is_told_as_it_is(judged: Judge, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match='suite temporary_assistance: column "granted" does not exist'):
        judged("temporary_assistance", [SOUND["temporary_assistance"]], suite=_suite(tmp_path, "granted + 1"))


def test_a_load_without_a_parameter_is_an_error(
    warehouse_url: str, settings: Settings, contracts: dict[str, Contract]
) -> None:
    suite = load_suite(settings.expectations / "disability.yml")
    with pytest.raises(
        SuiteError, match="suite disability: judged without due_on, last_data_date, last_rows, same_file"
    ):
        judge(
            url=warehouse_url, table="landing.none", row_count=0, suite=suite, contract=contracts["disability"],
            parameters={"data_date": DATA_DATE}, last_observed={},
        )  # fmt: skip


def test_how_many_rows_there_are_is_taken_from_whoever_typed_them(
    session: psycopg.Connection, warehouse_url: str, settings: Settings, contracts: dict[str, Contract]
) -> None:
    verdicts = judge(
        url=warehouse_url,
        table=_typed_table(session, contracts["disability"], [SOUND["disability"]]),
        row_count=1000,
        suite=load_suite(settings.expectations / "disability.yml"),
        contract=contracts["disability"],
        parameters=dict.fromkeys(PARAMETER_NAMES) | {"data_date": DATA_DATE},
        last_observed={},
    )
    assert max(verdict.evaluated for verdict in verdicts if verdict.evaluated is not None) in (999, 1000)


@pytest.mark.parametrize(("last", "success"), [(None, True), (1600, True), (1601, False), (400, True), (399, False)])
def test_a_mean_is_held_against_that_of_the_last_delivery_and_told_to_the_next(
    judged: Judge, last: float | None, success: bool
) -> None:
    observed = {("amount_mean_steady", "monthly_amount"): last} if last else {}
    verdicts = judged("minimum_allowance", [SOUND["minimum_allowance"]] * 30, last_observed=observed)
    mean = next(v for v in verdicts if v.rule == "amount_mean_steady")
    assert (mean.severity, mean.success, mean.failing_rows_sql) == ("warn", success, None)
    bounds = {"min_value": last / 2, "max_value": last * 2} if last else {}
    assert mean.observed == {"observed_value": 800} | bounds


def test_the_share_of_rows_filled_in_and_of_severe_grades_may_not_leap(judged: Judge) -> None:
    rows = [SOUND["minimum_allowance"] | {"category": "A" if n % 2 else None} for n in range(30)]
    for last, success in ((0.6, True), (0.8, False)):
        verdicts = judged("minimum_allowance", rows, last_observed={("filled_as_before", "category"): last})
        filled = {v.column_name: (v.success, v.observed["observed_value"]) for v in verdicts
                  if v.rule == "filled_as_before"}  # fmt: skip
        assert filled == {"category": (success, 0.5), "cause": (True, 0)}
    rows = [SOUND["disability"] | {"grade": "2" if n % 2 else "3"} for n in range(30)]
    for last, success in ((0.4, True), (0.2, False), (0.8, False)):
        verdicts = judged("disability", rows, last_observed={("share_steady", "grade"): last})
        assert [(v.success, v.observed["observed_value"]) for v in verdicts if v.rule == "share_steady"] == [
            (success, 0.5)
        ]


def test_of_few_rows_no_mean_is_told(judged: Judge) -> None:
    for count, told in ((29, False), (30, True)):
        rules = {v.rule for v in judged("minimum_allowance", [SOUND["minimum_allowance"]] * count)}
        assert ("amount_mean_steady" in rules, "filled_as_before" in rules) == (told, told)


@pytest.mark.parametrize(("due_on", "success"), [(date(2020, 6, 24), True), (date(2020, 6, 23), False)])
def test_a_delivery_that_was_due_and_never_came_is_told(judged: Judge, due_on: date, success: bool) -> None:
    verdicts = judged("left_behind", [SOUND["left_behind"]], due_on=due_on)
    in_time = next(v for v in verdicts if v.rule == "delivered_in_time")
    assert (in_time.success, in_time.column_name) == (success, None)


@pytest.mark.parametrize(
    ("last_data_date", "same_file", "success"),
    [(date(2020, 5, 31), 1, False), (date(2020, 5, 31), 0, True), (DATA_DATE, 1, True)],
)
def test_the_last_file_under_a_new_date_is_told(
    judged: Judge, last_data_date: date, same_file: int, success: bool
) -> None:
    rows = [SOUND["left_behind"]]
    verdicts = judged("left_behind", rows, last_data_date=last_data_date, same_file=same_file)
    assert [v.success for v in verdicts if v.rule == "file_is_new"] == [success]


def test_it_scans_thrice_fetches_no_value_and_leaves_nothing_behind(judged: Judge, session: psycopg.Connection) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    scans: list[str] = []
    samples: list[tuple[str, int]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: dict, *_: Any) -> None:
        if limit := re.search(r"LIMIT %\((\w+)\)s", statement):
            samples.append((statement, parameters[limit[1]]))
        elif "FROM judged" in statement:
            scans.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        verdicts = judged("medical_assistance", [SOUND["medical_assistance"]] * 30, last_rows=30)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    count, figures, bundle = sorted(scans, key=len)
    assert count.startswith("SELECT count(*)")
    assert figures.count('AS "column.non_null_count') == 2
    assert bundle.count("sum(CASE WHEN") > len(verdicts) > 10
    assert all(limit == 0 or statement.startswith("SELECT 1 ") for statement, limit in samples)

    assert _other_sessions(session) == 0
    assert session.execute("select count(*) from pg_class where relname = 'judged'").fetchone() == (0,)


def _other_sessions(session: psycopg.Connection) -> int:
    """Sessions on this database beside the test's own; a server needs a moment to notice that one has gone."""
    deadline = time.monotonic() + 10
    while True:
        (others,) = session.execute(
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
            """
        ).fetchone()
        if not others or time.monotonic() > deadline:
            return others
        time.sleep(0.05)
