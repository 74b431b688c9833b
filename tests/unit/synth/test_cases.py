"""Every planted case comes out as it was made to, on both sides of each edge, on whatever day is asked about."""

from datetime import date
from pathlib import Path

import pytest
from unit.synth.conftest import County

from doudi.synth import cases, generate
from doudi.synth.standards import INDICATORS


def _wrong(county: County) -> list[str]:
    warned = {(row["indicator_code"], row["citizen_id"]) for row in county.truth("warnings")}
    return [
        row["case"]
        for row in county.truth("cases")
        if ((row["indicator_code"], row["citizen_id"]) in warned) != (row["expected"] == "yes")
    ]


def test_all_cases_are_planted_and_come_out_as_made(county: County) -> None:
    assert {row["case"] for row in county.truth("cases")} == {case.name for case in cases.ALL}
    assert _wrong(county) == []


def test_a_clean_county_has_all_cases_but_those_that_need_refused_rows(clean_county: County) -> None:
    planted = {row["case"] for row in clean_county.truth("cases")}
    assert planted == {case.name for case in cases.ALL if not case.faulty}
    assert _wrong(clean_county) == []


@pytest.mark.parametrize("indicator", INDICATORS)
def test_each_indicator_has_cases_that_hold_and_cases_that_do_not(indicator: str) -> None:
    assert {case.expected for case in cases.ALL if case.indicator == indicator} == {True, False}


def test_names_of_cases_are_unique() -> None:
    assert len({case.name for case in cases.ALL}) == len(cases.ALL)


@pytest.mark.parametrize(
    ("just_not", "just"),
    [
        ("self_paid.exactly_10000", "self_paid.one_fen_more"),
        ("settled.12_months_ago", "settled.the_day_after"),
        ("corrected.downwards", "corrected.upwards"),
        ("corrected.up_and_down", "corrected.down_and_up"),
        ("margin.check_below_standard", "margin.check_at_standard"),
        ("margin.check_at_upper_end", "margin.check_below_upper_end"),
        ("issued.90_days_ago", "issued.89_days_ago"),
        ("severity.grade_3_limb", "severity.grade_3_intellectual"),
        ("certificate.expired_yesterday", "certificate.expires_today"),
        ("covered.ends_today", "covered.ended_yesterday"),
        ("covered.starts_today", "covered.starts_tomorrow"),
        ("at_risk.until_last_month", "at_risk.since_last_month"),
        ("income.at_standard", "income.one_fen_below"),
        ("check.12_months_ago", "check.the_day_after"),
        ("works.completed", "works.under_way"),
        ("living_subsidy.yes", "living_subsidy.no"),
        ("care_subsidy.grade_3", "care_subsidy.grade_2"),
        ("refused.newly_at_risk", "refused.no_longer_at_risk"),
        ("line.at_it", "line.one_fen_below"),
        ("fall.one_fen_less", "fall.to_exactly_70_per_cent"),
        ("fall.already_a_year_ago", "fall.just_after_a_year_ago"),
        ("labour.sixty_tomorrow", "labour.sixty_today"),
        ("illness.half_the_income", "illness.one_fen_more"),
        ("again.at_standard", "again.one_fen_below"),
        ("paid.exactly_26000", "paid.one_fen_more"),
        ("uninsured.once_12_months_ago", "uninsured.once"),
        ("disabled.one_with_two_certificates", "disabled.two"),
        ("school.eighteen_today", "school.eighteen_tomorrow"),
        ("fees.one_not_told", "fees.one_fen_more"),
        ("grants.first_12_months_ago", "grants.first_the_day_after"),
        ("margin.at_its_upper_end", "margin.one_fen_below_upper_end"),
        ("rigid.one_fen_less", "rigid.exactly_60_per_cent"),
        ("refusal.ill_on_the_day", "refusal.then_ill"),
        ("left.12_months_ago", "left.the_day_after"),
        ("exit.in_31_days", "exit.in_30_days"),
        ("single.severe_returned", "single.severe_not_lifted"),
        ("alone.sixty_tomorrow", "alone.sixty_today"),
        ("care.partial_at_home", "care.full_at_home"),
        ("child.paid", "child.amount_zero"),
        ("guardian.only_an_id", "guardian.neither"),
        ("elder.eighty_tomorrow", "elder.eighty_today"),
        ("woman.covered_until_today", "woman.coverage_ended_yesterday"),
        ("benefits.second_ended_yesterday", "benefits.second_ends_today"),
        ("counties.two_certificates_in_one", "counties.two"),
        ("hardship.without", "hardship.with_living_subsidy"),
        ("names.differ_in_one_feed", "names.differ"),
        ("lapsed.expires_today", "lapsed.expired_yesterday"),
        ("risks.two_of_one_kind", "risks.three"),
    ],
)
def test_both_sides_of_an_edge(county: County, just_not: str, just: str) -> None:
    expected = {row["case"]: row["expected"] for row in county.truth("cases")}
    assert (expected[just_not], expected[just]) == ("no", "yes")


@pytest.mark.parametrize("as_of", [date(2019, 3, 15), date(2020, 2, 29), date(2024, 7, 1)])
def test_cases_come_out_on_any_day(tmp_path: Path, as_of: date) -> None:
    """The middle of a month, a leap day, and a day later than the last known standard."""
    county = County(tmp_path, generate(tmp_path, persons=1700, seed=3, as_of=as_of))
    assert _wrong(county) == []
    assert len(county.truth("cases")) >= len(cases.ALL)
