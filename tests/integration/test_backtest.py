"""What the indicators saw coming, on a county small enough to count by hand."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from databases import copied
from made_up import citizen_id
from made_up_county import County, opened, person

from doudi.backtest import BacktestError, Hindsight, present, replay
from doudi.settings import Settings

JANUARY, MARCH, AUGUST, DECEMBER = date(2020, 1, 31), date(2020, 3, 31), date(2020, 8, 31), date(2020, 12, 31)


def _register(county: County, numbers: range, *, day: date) -> None:
    """Households of one person each, at risk and not covered: RP03."""
    county.file(
        "poverty_register",
        *(person(n, household_no=f"H{n}", relation_to_head="self", status="not_lifted", annual_income_per_capita=20000,
                 labour="ordinary") for n in numbers),
        day=day,
    )  # fmt: skip


def _allow(county: County, number: int, start: date, *, day: date) -> None:
    county.file(
        "minimum_allowance",
        person(number, certificate_no=f"M{number}", head_citizen_id=citizen_id(number), area_type="rural",
               start_date=start),
        day=day,
    )  # fmt: skip


def _fill(county: County) -> None:
    """RP03 finds 1 to 4 in January. 1 enters after 40 days, 2 after 201 (too late for the horizon), 3 gets a grant
    after 60; 5, of whom no warning ever spoke, enters too; 6 was covered all along and gets a grant."""
    _register(county, range(1, 5), day=JANUARY)
    _allow(county, 6, date(2019, 1, 1), day=JANUARY)
    _allow(county, 1, date(2020, 3, 11), day=MARCH)
    _allow(county, 5, date(2020, 3, 1), day=MARCH)
    _allow(county, 2, date(2020, 8, 19), day=AUGUST)
    county.file(
        "temporary_assistance",
        person(3, grant_no="G3", granted_on=date(2020, 3, 31), amount=500),
        person(6, grant_no="G6", granted_on=date(2020, 3, 31), amount=500),
        day=MARCH,
    )


@pytest.fixture
def county(server_url: str, template: str, settings: Settings) -> Iterator[County]:
    with copied(server_url, template=template) as name, opened(server_url, name, settings) as county:
        _fill(county)
        yield county


def _row(rows: list[Hindsight], code: str) -> Hindsight:
    (row,) = [row for row in rows if row.indicator_code == code]
    return row


def test_warnings_are_held_against_visits_and_later_benefits(county: County) -> None:
    county.build(JANUARY)
    for number, finding in ((1, "confirmed"), (2, "refer"), (4, "not_confirmed")):
        county.file(
            "household_visit",
            {
                "warning_id": county.warning_id(number, "RP03").lower(),
                "visited_on": date(2020, 2, 5),
                "finding": finding,
            },
            day=date(2020, 2, 5),
        )
    county.build(DECEMBER)
    row = _row(present(url=county.url), "RP03")
    assert (row.warnings, row.visited_warnings, row.confirmed_warnings) == (4, 3, 2)
    assert row.confirmed_share == Decimal("0.6667")
    assert (row.aged_warnings, row.followed_warnings, row.followed_share) == (4, 2, Decimal("0.5"))
    # 1, 2, 3 and 5 entered; 1 was foreseen by 40 days, 3 by 60
    assert (row.entries, row.foreseen_entries, row.foreseen_share) == (4, 2, Decimal("0.5"))
    assert (row.days_before_p25, row.days_before_median, row.days_before_p75) == (45, 50, 55)
    everything = _row(present(url=county.url), "any")
    assert (everything.entries, everything.foreseen_entries) == (4, 2)
    silent = _row(present(url=county.url), "BL08")
    assert (silent.warnings, silent.confirmed_share, silent.foreseen_entries) == (0, None, 0)
    assert silent.days_before_median is None


def test_past_months_are_played_as_if_the_warehouse_had_run_then(county: County) -> None:
    county.build(DECEMBER)
    assert _row(present(url=county.url), "any").entries == 0  # the first warning is of December
    state = "select md5(string_agg(warning::text, '|' order by warning_id)) from marts.warning"
    before = county.query(state), county.query("select count(*) from ops.build")
    row = _row(replay(url=county.url, settings=county.settings, first=JANUARY, last=MARCH), "RP03")
    assert (row.warnings, row.entries, row.foreseen_entries) == (4, 3, 2)
    assert (row.days_before_median, row.aged_warnings, row.followed_share) == (50, 0, None)
    assert (county.query(state), county.query("select count(*) from ops.build")) == before
    assert county.query("select to_regnamespace('marts_backtest')") == [(None,)]
    with pytest.raises(BacktestError, match="the first delivery is of 2020-01-31"):
        replay(url=county.url, settings=county.settings, first=date(2019, 12, 31), last=MARCH)
