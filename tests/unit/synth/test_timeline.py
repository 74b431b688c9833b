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
    assert timeline.dates["poverty_register"] == timeline.dates["medical_assistance"] == months
    assert timeline.dates["household_visit"] == months[1:]
    assert timeline.dates["left_behind"] == (date(2020, 3, 31), date(2020, 6, 30))
    assert timeline.dates["education_assistance"] == (date(2019, 9, 30), date(2020, 3, 31))
    assert timeline.last == date(2020, 6, 30)


def test_a_fact_comes_with_the_first_delivery_that_can_know_it() -> None:
    timeline = Timeline.up_to(date(2020, 6, 30))
    assert timeline.delivery_of("medical_assistance", date(2019, 7, 1)) == 0
    assert timeline.delivery_of("medical_assistance", date(2020, 4, 30)) == 1
    assert timeline.delivery_of("medical_assistance", date(2020, 5, 1)) == 2


def test_terms() -> None:
    assert school_term(date(2019, 9, 30)) == "2019-2020-1"
    assert school_term(date(2020, 3, 31)) == "2019-2020-2"


def test_the_standard_is_that_of_the_latest_notice() -> None:
    assert Standards.on(date(2019, 12, 31)) == Standards(rural=445_00, urban=624_00)
    assert Standards.on(date(2020, 1, 1)) == Standards(rural=497_00, urban=678_00)
    assert Standards.on(date(2030, 1, 1)) == Standards(rural=621_00, urban=786_00)
    with pytest.raises(ValueError, match="2018-12-31"):
        Standards.on(date(2018, 12, 31))
