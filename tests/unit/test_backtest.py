"""Which days a replay falls on, and which it refuses before it asks the warehouse anything."""

from datetime import date

import pytest

from doudi.backtest import BacktestError, months, replay
from doudi.settings import Settings


def test_a_replay_runs_at_every_month_s_end_and_on_the_last_day() -> None:
    assert months(date(2019, 11, 15), date(2020, 3, 10)) == [
        date(2019, 11, 30), date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 10),
    ]  # fmt: skip
    assert months(date(2020, 5, 31), date(2020, 6, 30)) == [date(2020, 5, 31), date(2020, 6, 30)]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2020, 3, 31), date(2020, 3, 31), "the first day must lie before the last"),
        (date(2020, 3, 31), date(2999, 1, 1), "has not come yet"),
    ],
)
def test_days_that_cannot_be_played_are_refused(settings: Settings, first: date, last: date, said: str) -> None:
    with pytest.raises(BacktestError, match=said):
        replay(url="postgresql://nowhere", settings=settings, first=first, last=last)
