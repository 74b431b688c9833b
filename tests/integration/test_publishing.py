"""Versions: what a register says of any day is what the deliveries say, in whatever order they arrive."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from made_up import as_csv, poverty_row, visit_row, write

from doudi import loads
from doudi.settings import Settings
from doudi.warehouse import bulk

STANDING = """
    select household_no, annual_income_per_capita::integer from register.poverty_register
    where _valid_from <= %s and _valid_to > %s order by household_no
"""
INDEXES = "select indexdef from pg_indexes where schemaname = 'register' order by 1"


def _list(tmp_path: Path, day: str, incomes: dict[int, int], *, n: str = "", area: str = "513431") -> Path:
    rows = [poverty_row(number, 家庭年人均纯收入=str(income)) for number, income in incomes.items()]
    return write(tmp_path, f"poverty_register_{area}_{day}{n}.csv", as_csv(rows))


def test_an_unchanged_record_costs_no_new_row_and_a_changed_one_does(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    first, second = take(
        _list(tmp_path, "20200331", {1: 10, 2: 20, 3: 30}), _list(tmp_path, "20200430", {1: 10, 2: 21, 4: 40})
    )
    assert (first.rows_published, first.rows_unchanged, first.rows_ended) == (3, 0, 0)
    assert (second.rows_published, second.rows_unchanged, second.rows_ended) == (2, 1, 1)
    assert query(
        "select household_no, _valid_from::text, _valid_to::text from register.poverty_register order by 1, 2"
    ) == [
        ("H001", "2020-03-31", "infinity"),
        ("H002", "2020-03-31", "2020-04-30"),
        ("H002", "2020-04-30", "infinity"),
        ("H003", "2020-03-31", "2020-04-30"),
        ("H004", "2020-04-30", "infinity"),
    ]


def test_the_same_file_twice_changes_nothing(take: Callable, query: Callable, tmp_path: Path) -> None:
    path = _list(tmp_path, "20200331", {1: 10})
    (first,), (second,) = take(path), take(path)
    assert first == second
    assert query("select count(*) from ops.load") == [(1,)]
    assert query("select count(*) from register.poverty_register") == [(1,)]


def test_a_late_list_is_filed_under_its_own_day_and_overwrites_nothing_newer(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    take(
        _list(tmp_path, "20200331", {1: 10, 2: 20}),
        _list(tmp_path, "20200531", {1: 10, 2: 20}),
        _list(tmp_path, "20200430", {1: 11, 3: 30}),
    )
    for day, standing in {
        "2020-03-31": [("H001", 10), ("H002", 20)],
        "2020-04-30": [("H001", 11), ("H003", 30)],
        "2020-05-31": [("H001", 10), ("H002", 20)],
    }.items():
        assert query(STANDING, day, day) == standing


def test_a_list_of_one_area_ends_nobody_in_another(take: Callable, query: Callable, tmp_path: Path) -> None:
    take(_list(tmp_path, "20200331", {1: 10, 2: 20}), _list(tmp_path, "20200430", {3: 30}, area="513432"))
    assert [row[0] for row in query(STANDING, "2020-04-30", "2020-04-30")] == ["H001", "H002", "H003"]


def test_a_township_s_list_ends_only_its_own(take: Callable, query: Callable, tmp_path: Path) -> None:
    rows = [poverty_row(1), poverty_row(2, 行政区划代码="513431100001")]
    take(
        write(tmp_path, "poverty_register_513431_20200331.csv", as_csv(rows)),
        write(
            tmp_path, "poverty_register_513431100_20200430.csv", as_csv([poverty_row(3, 行政区划代码="513431100001")])
        ),
    )
    assert [row[0] for row in query(STANDING, "2020-04-30", "2020-04-30")] == ["H001", "H003"]


@pytest.mark.parametrize("order", [("", "_2"), ("_2", "")])
def test_of_two_lists_of_one_day_the_higher_number_stands(
    take: Callable, query: Callable, tmp_path: Path, order: tuple[str, str]
) -> None:
    lists = {"": _list(tmp_path, "20200331", {1: 10, 2: 20}), "_2": _list(tmp_path, "20200331", {1: 11}, n="_2")}
    take(*(lists[n] for n in order))
    assert query(STANDING, "2020-03-31", "2020-03-31") == [("H001", 11)]


@pytest.mark.parametrize(
    "changes",
    [{"户状态": "?"}, {"身份证号": "990001197001010010"}, {"户编号": ""}],
    ids=["key readable", "citizen ID damaged", "household number missing"],
)
def test_a_refused_row_never_ends_its_record(
    take: Callable, query: Callable, tmp_path: Path, changes: dict[str, str]
) -> None:
    rows = [poverty_row(1) | changes, poverty_row(2)]
    *_, result = take(
        _list(tmp_path, "20200331", {1: 3000, 2: 3000, 3: 3000}),
        write(tmp_path, "poverty_register_513431_20200430.csv", as_csv(rows)),
    )
    assert (result.rows_quarantined, result.rows_ended) == (1, 1)
    assert [row[0] for row in query(STANDING, "2020-04-30", "2020-04-30")] == ["H001", "H002"]


def test_a_line_that_is_no_record_never_ends_the_record_it_is_about(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    text = as_csv([poverty_row(1), poverty_row(2)])
    *_, result = take(
        _list(tmp_path, "20200331", {1: 3000, 2: 3000, 3: 3000}),
        write(tmp_path, "poverty_register_513431_20200430.csv", text.rstrip() + ",too,many\r\n"),
    )
    assert (result.rows_quarantined, result.rows_ended) == (1, 1)
    assert [row[0] for row in query(STANDING, "2020-04-30", "2020-04-30")] == ["H001", "H002"]


def test_an_event_sent_again_is_a_correction_and_the_later_data_date_wins(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    files = [
        write(tmp_path, f"household_visit_513431_{day}.csv", as_csv([visit_row("W1", "2020-03-01", 核实结果=finding)]))
        for day, finding in [("20200430", "已解决"), ("20200331", "属实")]
    ]
    take(*files)
    found = query("select finding, _valid_from::text, _valid_to::text from register.household_visit order by 2")
    assert found == [("confirmed", "2020-03-31", "2020-04-30"), ("resolved", "2020-04-30", "infinity")]


def test_events_never_end_by_not_being_sent_again(take: Callable, query: Callable, tmp_path: Path) -> None:
    take(
        write(tmp_path, "household_visit_513431_20200331.csv", as_csv([visit_row("W1", "2020-03-01")])),
        write(tmp_path, "household_visit_513431_20200430.csv", as_csv([visit_row("W2", "2020-04-01")])),
        write(tmp_path, "household_visit_513431_20200430_2.csv", as_csv([visit_row("W3", "2020-04-01")])),
    )
    assert query("select count(*) from register.household_visit where _valid_to = 'infinity'") == [(3,)]


@pytest.mark.parametrize("in_bulk", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_gives_what_the_lists_say(
    installation: Settings,
    without_suite: None,
    query: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    in_bulk: bool,
) -> None:
    """Random lists of a county and its townships, taken in in a random order, against a model of a few lines.

    ``in_bulk``: as lists that change most of a large register are.
    """
    if in_bulk:
        monkeypatch.setattr(bulk, "_MANY", 0)
        monkeypatch.setattr(bulk, "_MUCH", 0)
    indexes = query(INDEXES)
    chance = random.Random(seed)
    days = [date(2020, 1, 31) + timedelta(days=30 * month) for month in range(6)]
    lists: dict[date, dict[int, int]] = {
        day: {number: chance.randrange(3) for number in range(6) if chance.random() < 0.7} | {9: 1} for day in days
    }
    arrivals = list(lists)
    chance.shuffle(arrivals)
    for day in arrivals:
        path = _list(tmp_path, f"{day:%Y%m%d}", lists[day])
        (result,) = loads.land_files([path], settings=replace(installation))
        assert result.rows_read == result.rows_published + result.rows_unchanged
    for day in days:
        for later in (0, 15):
            seen = query(STANDING, day + timedelta(days=later), day + timedelta(days=later))
            assert seen == sorted((f"H{number:03d}", income) for number, income in lists[day].items())
    neighbours = query(
        """
        select count(*) from register.poverty_register as a inner join register.poverty_register as b
        on a.household_no = b.household_no and a._valid_to = b._valid_from and a._row_hash = b._row_hash
        """
    )
    assert neighbours == [(0,)], "equal versions that meet are one"
    assert query(INDEXES) == indexes
