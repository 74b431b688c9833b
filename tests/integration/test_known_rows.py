"""A row that comes as it stands is known by its text, which spares its typing and changes nothing else."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from made_up import as_csv, poverty_row, write

from doudi import publishing
from doudi.quality import Verdict
from doudi.typed_rows import RowTyping

FIRST, SECOND, THIRD = (f"poverty_register_513431_2020{day}.csv" for day in ("0331", "0430", "0531"))
STANDING = """
    select household_no, annual_income_per_capita::integer from register.poverty_register
    where _valid_to = 'infinity' order by household_no
"""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each delivery had that were known, as it was published."""
    return _seen_before_publishing(monkeypatch, lambda typing: [typing.known])


@pytest.fixture
def scanned_apart(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Per delivery how many of what was set apart entered the join that judges it, and how many records were."""

    def look(typing: RowTyping) -> list[tuple[int, int]]:
        if not typing.known:
            return []  # nothing was set apart
        run, apart = typing.connection.execute, typing.tables.apart
        (plan,) = run(f"explain (analyze, format json) select name from {typing.tables.judged}").fetchone()
        (records,) = run(f"select count(_row_hash) from {apart}").fetchone()
        return [(int(_scanned(plan[0]["Plan"], apart.split(".")[1])), records)]

    return _seen_before_publishing(monkeypatch, look)


def _seen_before_publishing(monkeypatch: pytest.MonkeyPatch, look: Callable[[RowTyping], list]) -> list:
    found: list = []
    published = publishing.publish

    def publish(*arguments: object, typing: RowTyping, **others: object) -> publishing.Published:
        found.extend(look(typing))
        return published(*arguments, typing=typing, **others)

    monkeypatch.setattr(publishing, "publish", publish)
    return found


def _scanned(plan: dict, table: str) -> float:
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    return own + sum(_scanned(below, table) for below in plan.get("Plans", ()))


def _rows(*numbers: int, **changes: str) -> list[dict[str, str]]:
    return [poverty_row(number, **changes) for number in numbers]


def test_rows_as_they_stand_are_known_and_only_the_others_are_typed(
    take: Callable, query: Callable, known: list[int], tmp_path: Path
) -> None:
    changed = poverty_row(2, 家庭年人均纯收入="1")
    _, second = take(
        write(tmp_path, FIRST, as_csv(_rows(1, 2, 3))),
        write(tmp_path, SECOND, as_csv([*_rows(1), changed, *_rows(4)])),
    )
    assert known == [0, 1]
    assert (second.rows_published, second.rows_unchanged, second.rows_ended) == (2, 1, 1)
    assert query(STANDING) == [("H001", 3000), ("H002", 1), ("H004", 3000)]


def test_new_rows_do_not_enter_the_join_that_judges_the_known_ones(
    take: Callable, scanned_apart: list[tuple[int, int]], tmp_path: Path
) -> None:
    take(
        write(tmp_path, FIRST, as_csv(_rows(*range(1, 10)))),
        write(tmp_path, SECOND, as_csv([*_rows(*range(1, 9)), *_rows(*range(10, 60))])),
    )
    assert scanned_apart == [(1, 1)]


def test_the_same_in_other_words_is_no_change_and_is_known_from_then_on(
    take: Callable, query: Callable, known: list[int], tmp_path: Path
) -> None:
    take(write(tmp_path, FIRST, as_csv(_rows(1, 2))))
    written = query("select ctid, xmin, _row_hash from register.poverty_register")
    other_words = as_csv(_rows(1, 2, 家庭年人均纯收入="￥3,000.00"))
    loads = take(write(tmp_path, SECOND, other_words), write(tmp_path, THIRD, other_words))
    assert [load.rows_unchanged for load in loads] == [2, 2]
    assert known == [0, 0, 2]
    assert query("select ctid, xmin, _row_hash from register.poverty_register") == written


def test_of_other_words_the_last_ones_are_known_beside_the_first(
    take: Callable, query: Callable, known: list[int], tmp_path: Path
) -> None:
    months = [f"poverty_register_513431_2020{day}.csv" for day in ("0331", "0430", "0531", "0630", "0731")]
    incomes = ["3000", "3000.0", "3,000", "3000", "3000.0"]
    for name, income in zip(months, incomes, strict=True):
        take(write(tmp_path, name, as_csv(_rows(1, 2, 家庭年人均纯收入=income))))
    assert known == [0, 0, 0, 2, 0]
    assert query("select count(*) from register.poverty_register") == [(2,)]
    assert query("select count(*) from other_text.poverty_register") == [(2,)]


def test_what_is_said_again_in_other_words_after_it_was_not_is_a_change_and_known_later(
    take: Callable, query: Callable, known: list[int], tmp_path: Path
) -> None:
    months = [f"poverty_register_513431_2020{day}.csv" for day in ("0331", "0430", "0531", "0630", "0731", "0831")]
    incomes = ["3000", "3,000", "1", "3,000", "3,000", "3,000"]
    loads = []
    for name, income in zip(months, incomes, strict=True):
        others = _rows(2, 家庭年人均纯收入="3000" if name == months[0] else "3,000")
        loads += take(write(tmp_path, name, as_csv([poverty_row(1, 家庭年人均纯收入=income), *others])))
    assert [load.rows_published for load in loads] == [2, 0, 1, 1, 0, 0]
    assert known == [0, 0, 1, 1, 1, 2]
    assert query(STANDING) == [("H001", 3000), ("H002", 3000)]


@pytest.mark.parametrize(
    ("incomes", "stands", "published"),
    [(["3000", "3000"], 3000, 0), (["3000", "1"], 3000, 0), (["1", "3000"], 1, 1)],
    ids=["the same row twice", "known first", "changed first"],
)
def test_a_known_row_and_another_of_its_key_are_a_repeated_key(
    take: Callable, query: Callable, tmp_path: Path, incomes: list[str], stands: int, published: int
) -> None:
    rows = [poverty_row(1, 家庭年人均纯收入=income) for income in incomes]
    *_, second = take(
        write(tmp_path, FIRST, as_csv(_rows(1, 2))),
        write(tmp_path, SECOND, as_csv([*rows, *_rows(2)])),
    )
    assert (second.rows_published, second.rows_unchanged, second.rows_quarantined) == (published, 2 - published, 1)
    assert query("select row_no, rule from ops.quarantine") == [(2, "duplicate_key")]
    assert query(STANDING) == [("H001", stands), ("H002", 3000)]


def test_a_known_row_that_a_suite_stops_is_quarantined_and_ends_nothing(
    take: Callable, query: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    take(write(tmp_path, FIRST, as_csv(_rows(1, 2))))

    def judge(*, table: str, **_: object) -> list[Verdict]:
        return [
            Verdict(
                rule="made_up", expectation="expect_made_up", column_name="name", severity="stop", success=False,
                evaluated=2, unexpected=1, observed={}, reason_en="wrong", reason_zh="错",
                failing_rows_sql=f"select _row_no from {table} where household_no = 'H002'",
            )
        ]  # fmt: skip

    monkeypatch.setattr("doudi.quality.judge", judge)
    (second,) = take(write(tmp_path, SECOND, as_csv(_rows(1, 2))))
    assert (second.rows_unchanged, second.rows_quarantined, second.rows_ended) == (1, 1, 0)
    assert query("select row_no, rule, raw ->> '户编号' from ops.quarantine") == [(2, "made_up", "H002")]
    assert query(STANDING) == [("H001", 3000), ("H002", 3000)]


def test_a_suite_and_control_totals_see_the_known_rows_too(
    take: Callable, query: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []

    def judge(*, table: str, **_: object) -> list[Verdict]:
        seen.extend(
            query(f"select household_no, annual_income_per_capita::integer, _area_code from {table} order by 1")
        )
        return []

    take(write(tmp_path, FIRST, as_csv(_rows(1, 2, 3))))
    monkeypatch.setattr("doudi.quality.judge", judge)
    write(tmp_path, f"{SECOND}.manifest.json", '{"control_totals": {"annual_income_per_capita": 6001}}')
    (second,) = take(write(tmp_path, SECOND, as_csv([*_rows(1, 2), poverty_row(3, 家庭年人均纯收入="1")])))
    assert second.status == "published"
    division = poverty_row(1)["行政区划代码"]
    assert seen == [("H001", 3000, division), ("H002", 3000, division), ("H003", 1, division)]


def test_by_other_rules_nothing_is_known(
    take: Callable, query: Callable, known: list[int], warehouse_url: str, tmp_path: Path
) -> None:
    take(write(tmp_path, FIRST, as_csv(_rows(1))))
    with psycopg.connect(warehouse_url) as session:
        session.execute(
            "create or replace function ops.to_money(value text) returns numeric language sql stable parallel safe"
            " return 2 * ops.money_as_written(value)"
        )
    (second,) = take(write(tmp_path, SECOND, as_csv(_rows(1))))
    assert (known, second.rows_published) == ([0, 0], 1)
    assert query(STANDING) == [("H001", 6000)]


def test_a_row_that_reads_the_same_only_where_its_columns_are_written_as_one_is_a_change(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    *_, second = take(
        write(tmp_path, FIRST, as_csv(_rows(1, 人编号="P1\x1f阿", 姓名="某"))),
        write(tmp_path, SECOND, as_csv(_rows(1, 人编号="P1", 姓名="阿\x1f某"))),
    )
    assert second.rows_published == 1
    assert query("select name from register.poverty_register where _valid_to = 'infinity'") == [("阿\x1f某",)]
