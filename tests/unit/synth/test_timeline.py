"""Data dates of the deliveries, and months counted as Postgres counts them."""

from datetime import date

import pytest

from doudi.synth.standards import Standards
from doudi.synth.timeline import Timeline, months_before, school_term


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2020, 6, 30), 12, date(2019, 6, 30)),
        (date(2020, 2, 29), 12, date(2019, 2, 28)),
        (date(2020, 3, 31), 1, date(2020, 2, 29)),
        (date(2020, 1, 15), 13, date(2018, 12, 15)),
    ],
)
def test_a_day_that_a_month_lacks_becomes_its_last(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


@pytest.mark.parametrize("as_of", [date(2020, 6, 30), date(2020, 7, 19)])
def test_data_dates_up_to_a_day(as_of: date) -> None:
    timeline = Timeline.up_to(as_of)
    months = (date(2020, 3, 31), date(2020, 4, 30), date(2020, 5, 31), date(2020, 6, 30))
    assert timeline.dates["minimum_allowance"] == timeline.dates["medical_assistance"] == months
    assert timeline.dates["poverty_register"] == (date(2019, 3, 31), date(2019, 6, 30), *months)
    assert timeline.dates["household_visit"] == months[1:]
    assert timeline.dates["left_behind"] == (date(2020, 3, 31), date(2020, 6, 30))
    assert timeline.dates["education_assistance"] == (date(2019, 9, 30), date(2020, 3, 31))
    assert timeline.last == date(2020, 6, 30)


def test_a_fact_comes_with_the_first_delivery_that_can_know_it() -> None:
    timeline = Timeline.up_to(date(2020, 6, 30))
    assert timeline.delivery_of("medical_assistance", date(2019, 7, 1)) == 0
    assert timeline.delivery_of("medical_assistance", date(2020, 4, 30)) == 1
    assert timeline.delivery_of("medical_assistance", date(2020, 5, 1)) == 2


def test_what_was_held_a_year_ago() -> None:
    """A list of the very day counts; of a leap year's February, the list a year later is one day too late."""
    on_month_end = Timeline.up_to(date(2020, 6, 30))
    assert on_month_end.dates["poverty_register"][1] == on_month_end.year_ago
    assert on_month_end.held_on("poverty_register", on_month_end.year_ago) == 1
    after_leap_day = Timeline.up_to(date(2021, 2, 28))
    assert after_leap_day.dates["poverty_register"][1] == date(2020, 2, 29)
    assert after_leap_day.held_on("poverty_register", after_leap_day.year_ago) == 0


@pytest.mark.parametrize("as_of", [date(2020, 6, 30), date(2020, 7, 19), date(2020, 4, 30), date(2020, 1, 1)])
def test_past_days_are_month_ends_by_which_every_list_had_come(as_of: date) -> None:
    timeline = Timeline.up_to(as_of)
    assert timeline.past_days == timeline.dates["minimum_allowance"][-3:-1]
    for day in timeline.past_days:
        assert all(dates[0] <= day for dates in timeline.dates.values())


def test_terms() -> None:
    assert school_term(date(2019, 9, 30)) == "2019-2020-1"
    assert school_term(date(2020, 3, 31)) == "2019-2020-2"


def test_the_standard_is_that_of_the_latest_notice() -> None:
    before, after, later = (Standards.on(date(*day)) for day in ((2019, 12, 31), (2020, 1, 1), (2030, 1, 1)))
    assert [(one.rural, one.urban) for one in (before, after, later)] == [
        (445_00, 624_00),
        (497_00, 678_00),
        (621_00, 786_00),
    ]
    assert [one.poverty_line for one in (before, after, later)] == [5000_00, 5000_00, 7000_00]
    with pytest.raises(ValueError, match="2018-12-31"):
        Standards.on(date(2018, 12, 31))


def test_the_disposable_income_is_that_of_the_year_before() -> None:
    in_2019, in_2020, in_2030 = (Standards.on(date(year, 5, 1)) for year in (2019, 2020, 2030))
    assert (in_2019.rural_income, in_2019.urban_income) == (14617_00, 39251_00)
    assert (in_2020.rural_income, in_2020.urban_income) == (16021_00, 42359_00)
    assert in_2030.rural_income == 21691_00  # the last that is published
