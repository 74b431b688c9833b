"""Builds on the embedded Postgres: the seven indicators end to end, the life of a warning, builds of past dates."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import psycopg2
import pytest
from databases import copied
from made_up import VILLAGE, citizen_id
from made_up_county import County, opened, person

from doudi import transform
from doudi.explain import Language, UnknownWarning, explain
from doudi.settings import Settings
from doudi.transform import BuildError, record
from doudi.transform.runner import Runner

MAY, JUNE, JULY, AUGUST, SEPTEMBER = (
    date(2020, 5, 31), date(2020, 6, 30), date(2020, 7, 31), date(2020, 8, 31), date(2020, 9, 30),
)  # fmt: skip
FOUND_IN_JUNE = {
    (1, "RP03"), (1, "RP05"), (2, "RP05"), (2, "BL01"), (1, "PT03"), (1, "MR01"), (3, "RP01"),
    (5, "CG02"), (5, "CG03"), (6, "BL04"), (7, "BL08"), (8, "PT01"),
    (9, "BL01"), (9, "PT02"), (9, "PT03"), (9, "MR01"), (10, "BL02"),
}  # fmt: skip


def _fill(county: County) -> None:
    """The county at the end of June 2020."""
    for feed in county.contracts:
        if feed != "household_visit":
            county.deliver(feed, MAY)
    # H1, at risk and not covered, with a member whose treatment costs a cent too much; H2, at risk and covered
    county.file(
        "poverty_register",
        person(1, household_no="H1", relation_to_head="self", status="not_lifted", annual_income_per_capita=12000),
        person(2, household_no="H1", relation_to_head="child", status="not_lifted", annual_income_per_capita=12000),
        person(3, household_no="H2", relation_to_head="self", status="not_lifted", annual_income_per_capita=3000),
        day=MAY,
    )
    county.file("special_hardship", person(3, certificate_no="T3"), day=MAY)
    county.file(
        "minimum_allowance",
        *(person(n, certificate_no="M4", head_citizen_id=citizen_id(4), area_type="rural") for n in (4, 5)),
        day=MAY,
    )
    county.file(
        "disability",
        person(3, certificate_no="D3", category="4", grade="1"),
        person(5, certificate_no="D5", category="4", grade="2"),
        day=MAY,
    )
    county.file(
        "disability", person(6, certificate_no="D6", category="6", grade="3", issued_on=date(2020, 6, 1)), day=JUNE
    )
    county.file(
        "housing_assistance",
        {"head_citizen_id": citizen_id(7), "safety_grade": "D", "only_home": True, "works": "listed"},
        day=MAY,
    )
    # one fen below the standard, at the standard and so at the margin, and a patient whose means nobody knows
    county.file(
        "economic_check",
        person(8, check_no="E8", area_type="rural", checked_on=date(2020, 5, 1), monthly_income_per_capita=496.99),
        person(9, check_no="E9", area_type="rural", checked_on=date(2020, 5, 1), monthly_income_per_capita=497),
        day=MAY,
    )
    county.file(
        "medical_assistance",
        person(1, settlement_no="S1", settled_on=date(2020, 5, 1), self_paid=10000),
        person(2, settlement_no="S2", settled_on=date(2020, 4, 1), self_paid=6000),
        person(2, settlement_no="S3", settled_on=date(2020, 5, 2), self_paid=4000.01),
        person(2, settlement_no="S4", settled_on=date(2019, 5, 31), self_paid=99999),
        person(9, settlement_no="S5", settled_on=date(2020, 5, 1), self_paid=20000),
        person(10, settlement_no="S6", settled_on=date(2020, 5, 3), self_paid=30000),
        day=MAY,
    )


@pytest.fixture(scope="module")
def in_june(server_url: str, template: str, settings: Settings) -> Iterator[str]:
    """The name of a database that was built as of the end of June, for each test to copy."""
    with copied(server_url, template=template) as name:
        with opened(server_url, name, settings) as county:
            _fill(county)
            county.build(JUNE)
        yield name


@pytest.fixture
def county(server_url: str, in_june: str, settings: Settings) -> Iterator[County]:
    with copied(server_url, template=in_june) as name, opened(server_url, name, settings) as county:
        yield county


def test_each_indicator_finds_whom_it_should_and_nobody_else(county: County) -> None:
    assert county.standing() == FOUND_IN_JUNE
    assert county.query("select distinct opened_on, last_seen_on, status from marts.warning") == [(JUNE, JUNE, "open")]
    assert county.query("select distinct level, due_on from marts.warning order by due_on") == [
        ("red", date(2020, 7, 3)),
        ("orange", date(2020, 7, 7)),
        ("yellow", date(2020, 7, 14)),
    ]


def test_evidence_leads_to_the_rows_it_was_read_from(county: County) -> None:
    facts = county.query(
        """
        select fact ->> 'feed', fact ->> 'column', fact ->> 'value', fact ->> 'load_id', fact ->> 'row_no'
        from marts.warning cross join lateral jsonb_array_elements(evidence -> 'facts') as fact
        """
    )
    assert len(facts) > len(FOUND_IN_JUNE)
    for feed, column, value, load_id, row_no in facts:
        statement = f"select {column}::text from register.{feed} where _load_id = %s and _row_no = %s"
        assert county.query(statement, load_id, row_no) == [(value,)]
    (compared,) = county.query("select evidence -> 'compared' from marts.warning where indicator_code = 'PT01'")[0]
    assert compared[0] == {
        "name": "income_monthly",
        "value": 496.99,
        "unit": "yuan per person and month",
        "comparison": "<",
        "limit": compared[0]["limit"],
    }
    assert {key: compared[0]["limit"][key] for key in ("name", "value", "area")} == {
        "name": "minimum_allowance_monthly.rural",
        "value": 497,
        "area": "*",
    }


def test_the_visit_list_tells_a_village_worker_where_and_why(county: County) -> None:
    rows = county.query(
        """
        select household_order, indicator_code, household_head_name, name, reason
        from marts.visit_list
        where household_id in (select household_id from marts.visit_list where indicator_code = 'RP03')
            and indicator_code in ('BL01', 'RP03')
        order by level_rank
        """
    )
    assert [row[1:] for row in rows] == [
        ("BL01", "某1", "某2", "低收入家庭，近12个月医疗自付10000.01元，超过10000元"),
        ("RP03", "某1", "某1", "建档立卡监测对象户，家中无人享受低保或特困供养"),
    ]
    assert {row[0] for row in rows} == {1}  # a red one, and the most warnings of the village
    assert county.query("select count(*) from marts.visit_list where reason like '%?%' or county_name <> '昭觉县'") == [
        (0,)
    ]


def test_areas_are_counted_from_the_village_to_the_province(county: County) -> None:
    assert county.query(
        """
        select division_code, open_warnings, opened_warnings, cleared_warnings
        from marts.area_summary
        where indicator_code = 'BL01'
        order by division_code
        """
    ) == [(code, 2, 2, 0) for code in ("51", "5134", "513431", "513431001", VILLAGE)]


def test_the_same_date_again_writes_nothing(county: County) -> None:
    kept = ("marts.warning", "marts.visit_list", "marts.area_summary", "identity.person", "identity.household_member")
    state = " union all ".join(
        f"select '{name}', '{name}'::regclass::oid, ctid::text, xmin::text from {name}" for name in kept
    )
    before = sorted(county.query(state))
    assert not transform.is_needed(county.url, JUNE)
    county.build(JUNE)
    assert sorted(county.query(state)) == before


def test_a_build_opens_a_connection_for_each_thread_of_dbt_and_not_for_each_node(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_connections, connect = [], psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **to: opened_connections.append(to) or connect(**to))
    built = county.build(JUNE)
    assert built.models > 100
    assert 1 < len(opened_connections) < 10


def test_a_warning_is_kept_cleared_restored_and_opened_anew(county: County) -> None:
    (before,) = county.query("select array_agg(load_id) from ops.load")[0]
    county.query("update register.poverty_register set _valid_to = %s where household_no = 'H1'", JULY)
    lifted = [
        person(n, household_no="H1", relation_to_head="self", status="lifted", annual_income_per_capita=12000)
        for n in (1, 2)
    ]
    county.file("poverty_register", *lifted, day=JULY)
    county.file("household_visit", {"warning_id": county.warning_id(7, "BL08"), "finding": "not_confirmed"}, day=JULY)
    county.file("household_visit", {"warning_id": county.warning_id(8, "PT01"), "finding": "confirmed"}, day=JULY)
    result = county.build(JULY)
    assert county.standing() == FOUND_IN_JUNE - {(1, "RP03"), (1, "MR01"), (2, "BL01"), (7, "BL08")}
    assert county.warning(1, "RP03") == [("cleared", JUNE, JULY)]
    assert county.warning(7, "BL08") == [("not_confirmed", JUNE, JULY)]
    assert county.warning(8, "PT01") == [("visited", JUNE, None)]
    assert (result.warnings["RP03"].open, result.warnings["RP03"].cleared) == (0, 1)
    (loads,) = county.query("select load_ids from ops.build where build_id = %s", result.build_id)[0]
    assert len(loads) == 3
    assert not set(loads) & set(before)

    # the same date again, after a correction: as if the first run had not been
    county.query("update register.poverty_register set status = 'returned' where _valid_from = %s", JULY)
    county.build(JULY)
    assert county.warning(1, "RP03") == [("open", JUNE, None)]

    county.query("update register.poverty_register set _valid_to = %s where _valid_from = %s", AUGUST, JULY)
    county.build(AUGUST)
    assert county.warning(1, "RP03") == [("cleared", JUNE, AUGUST)]
    assert county.warning(7, "BL08") == [("not_confirmed", JUNE, JULY)]  # mute, though the home is as unsafe as before

    county.file("poverty_register", person(1, household_no="H1", relation_to_head="self"), day=SEPTEMBER)
    county.build(SEPTEMBER)
    assert county.warning(1, "RP03") == [("cleared", JUNE, AUGUST), ("open", SEPTEMBER, None)]
    assert county.query("select count(*) - count(distinct warning_id) from marts.warning") == [(0,)]


def test_a_past_date_is_built_apart_and_finds_what_held_then(county: County) -> None:
    present = county.query("select * from marts.warning order by warning_id")
    result = county.build(MAY)
    assert result.schema_suffix == "_as_of_20200531"
    assert county.standing(result.schema_suffix) == FOUND_IN_JUNE - {(6, "BL04")}  # issued in June
    assert county.query("select * from marts.warning order by warning_id") == present
    assert county.query("select load_ids from ops.build where build_id = %s", result.build_id) == [([],)]
    assert not transform.is_needed(county.url, MAY)
    assert not transform.is_needed(county.url, JUNE)


def test_a_build_is_needed_for_new_deliveries_other_dates_and_other_models(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not transform.is_needed(county.url, JUNE)
    assert transform.is_needed(county.url, JULY)
    county.deliver("disability", JULY)
    assert not transform.is_needed(county.url, JUNE)  # what came is of a later day
    county.deliver("disability", MAY)
    assert transform.is_needed(county.url, JUNE)
    county.query("update ops.build set load_ids = (select array_agg(load_id) from ops.load)")
    monkeypatch.setattr(record, "content", lambda _: {"seeds": "others", "code": "other"})
    assert transform.is_needed(county.url, JUNE)


def test_what_was_made_ready_is_not_parsed_again_unless_the_date_or_a_file_is_another(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[date] = []
    monkeypatch.setattr(Runner, "parse", lambda self: parsed.append(self.as_of) or f"parsed as of {self.as_of}")
    preparation = transform.Preparation()
    preparation.make(url=county.url, settings=county.settings, as_of=JULY)
    runner = Runner(url=county.url, settings=county.settings, as_of=JULY)
    assert preparation.parsed(runner) == "parsed as of 2020-07-31"
    assert parsed == [JULY]
    preparation.parsed(replace(runner, as_of=AUGUST))
    assert parsed == [JULY, AUGUST]
    content = record.content(county.settings)
    monkeypatch.setattr(record, "content", lambda _: content | {"code": "other"})
    preparation.parsed(runner)
    assert parsed == [JULY, AUGUST, JULY]


@pytest.mark.usefixtures("artifacts")
def test_a_failure_names_the_model_and_no_value(county: County) -> None:
    nobody = "990001197013311238"  # born on 31 January in the thirteenth month; the contract lets no such row in
    county.file("disability", {"certificate_no": "D11", "citizen_id": nobody}, day=JUNE)
    with pytest.raises(BuildError, match=r"^model int_person: .*DatetimeFieldOverflow 22008") as error:
        county.build(JUNE, artifacts=True)
    assert not error.value.transient
    assert county.query("select status, error from ops.build order by build_id desc limit 1") == [
        ("failed", str(error.value))
    ]
    told = str(error.value) + "".join(path.read_text() for path in _artifacts(county.settings))
    assert nobody not in told
    assert "19701331" not in told
    assert county.standing() == FOUND_IN_JUNE
    assert transform.is_needed(county.url, JUNE)


def _artifacts(settings: Settings) -> list[Path]:
    files = [path for path in (settings.home / "dbt").rglob("*") if path.suffix in (".json", ".sql", ".log")]
    assert any(json.loads(path.read_text())["results"] for path in files if path.name == "run_results.json")
    return files


def test_a_second_build_waits_for_the_first(county: County) -> None:
    heard: list[str] = []
    with psycopg.connect(county.url, autocommit=True) as other, ThreadPoolExecutor() as threads:
        other.execute("select pg_advisory_lock(%s)", (transform.builds.LOCK,))
        waiting = threads.submit(county.build, JUNE, progress=heard.append)
        while not heard:
            assert not waiting.done()
            time.sleep(0.05)
        other.execute("select pg_advisory_unlock_all()")
        assert waiting.result().warnings["BL01"].open == 2
    assert heard[0] == "another build is running; waiting for it to end"
    assert "model warning: success" in heard


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_warning_is_told_without_naming_anybody(county: County, language: Language) -> None:
    installation = replace(county.settings, database_url=county.url)
    for warning_id, name_en, name_zh in county.query(
        """
        select warning_id, name_en, name_zh
        from marts.warning inner join reference.indicator as indicator on warning.indicator_code = indicator.code
        """
    ):
        told = "\n".join(explain(warning_id.lower(), settings=installation, language=language))
        assert (name_en if language == "en" else name_zh) in told
        assert "昭觉县" in told
        assert not any(person in told for number in range(20) for person in (citizen_id(number), f"某{number}"))
    with pytest.raises(UnknownWarning, match="no warning RP03-20200630-0000000000"):
        explain("RP03-20200630-0000000000", settings=installation, language=language)


def test_a_day_to_come_is_refused(county: County) -> None:
    with pytest.raises(BuildError, match="has not come yet"):
        county.build(date(2999, 1, 1))


def test_the_unit_tests_of_the_models_pass(warehouse_url: str, settings: Settings) -> None:
    tested: list[str] = []
    assert transform.unit_tests(url=warehouse_url, settings=settings, progress=tested.append) >= 20
    with psycopg.connect(warehouse_url) as session:
        assert session.execute("select to_regnamespace('marts_unit_test')").fetchone() == (None,)


@pytest.fixture
def days(county: County) -> Callable[[date], bool]:
    return lambda day: county.query("select is_working_day from reference.working_day where date = %s", day)[0][0]


def test_the_calendar_has_holidays_and_make_up_days(days: Callable[[date], bool]) -> None:
    assert not days(date(2020, 6, 25))  # Dragon Boat Festival, a Thursday
    assert days(date(2020, 6, 28))  # a Sunday, worked instead
    assert not days(date(2020, 7, 4))
