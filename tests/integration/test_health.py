"""The page on the state of the warehouse says what the ledger says, and `doudi status` judges lateness alike."""

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_up import as_csv, citizen_id, poverty_row, write

from doudi.health import build_health
from doudi.settings import Settings
from doudi.summary import print_status

LATE_DAY = date(2020, 8, 20)
Tables = dict[str, list[list[str]]]


class _Tables(HTMLParser):
    """The rows of the page's tables by their ids, heads left out."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: Tables = {}
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables[dict(attrs)["id"]] = []
        elif tag == "tr":
            self._cells = []
        elif tag == "td":
            self._cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._cells:
            list(self.tables.values())[-1].append([cell.strip() for cell in self._cells])

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] += data


def _read(page: Path) -> Tables:
    parser = _Tables()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.tables


def _list(folder: Path, name: str, *numbers: int, **changes: str) -> Path:
    return write(folder, name, as_csv([poverty_row(number, **changes) for number in numbers]))


@pytest.fixture
def judged(installation: Settings) -> Settings:
    return replace(installation, as_of=LATE_DAY)


def test_the_page_shows_what_the_ledger_says_and_nobody(
    take: Callable, query: Callable, judged: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(
        _list(tmp_path, "poverty_register_513431_20200630.csv", 1, 2),
        _list(tmp_path, "poverty_register_513431_20200731.csv", 1, 2, 家庭年人均纯收入="many"),
        _list(tmp_path, "poverty_register_513430_20200810.csv", 3, 4),
        write(tmp_path, "disability_513431_20200731.csv", f"<html>{citizen_id(1)}</html>"),
    )
    page = build_health(url=judged.database_url, settings=judged)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600  # messages name files
    tables = _read(page)

    feeds = {(row[0].split()[1], row[1]): row for row in tables["feeds"]}
    assert feeds["poverty_register", "513431"][3:7:2] == ["2020-07-31", "2020-08-31"]
    assert "in time" in feeds["poverty_register", "513430"][6]
    assert "never came" in feeds["disability", "513431"][6]
    assert feeds["disability", "513431"][7] == "1"
    assert len({feed for feed, _ in feeds}) == query("select count(*) from ops.feed")[0][0]

    ((load, _, area, day, result, rule, message),) = tables["refusals"]
    assert (area, day, rule) == ("513431", "2020-07-31", "file.html")
    assert "refused" in result
    assert query("select error from ops.load where load_id = %s", int(load)) == [(message,)]

    sums = "sum(rows_read), sum(rows_published), sum(rows_unchanged), sum(rows_quarantined)"
    (expected,) = query(f"select count(*), {sums} from ops.load where status = 'published'")
    shown = [int(row[place]) for row in tables["days"] for place in (1, 2, 3, 4, 5, 6)]
    assert shown == [expected[0] + 1, 1, *map(int, expected[1:])]
    assert shown[2] == shown[3] + shown[4] + shown[5] > 0
    assert sum(int(row[3]) for row in tables["refused-rows"]) == shown[5]
    assert len(tables["loads"]) == 4

    text = page.read_text(encoding="utf-8")
    assert not any(citizen_id(number) in text or f"某{number}" in text for number in range(1, 5))
    assert "http" not in text  # it opens without a network
    print_status(judged)
    assert "late by" not in capsys.readouterr().out


def test_late_is_judged_by_area_and_status_says_the_same(
    take: Callable, query: Callable, judged: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(
        _list(tmp_path, "poverty_register_513431_20200630.csv", 1, 2),
        _list(tmp_path, "poverty_register_513430_20200810.csv", 3, 4),
    )
    tables = _read(build_health(url=judged.database_url, settings=judged, out=tmp_path / "elsewhere"))
    states = {row[1]: row[6] for row in tables["feeds"] if "poverty_register" in row[0]}
    assert "21" in states["513431"]
    assert "in time" in states["513430"]
    print_status(judged)
    assert "late by 21 days (1" in capsys.readouterr().out

    take(_list(tmp_path, "poverty_register_5134_20200815.csv", 1, 2, 3, 4))  # of the area around both
    states = {row[1]: row[6] for row in _read(build_health(url=judged.database_url, settings=judged))["feeds"]}
    assert all("in time" in states[area] for area in ("5134", "513430", "513431"))


def test_a_refusal_is_unresolved_until_something_comes_in_its_place(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    unresolved = "select feed, area_code from ops.load_health where is_unresolved"
    take(write(tmp_path, "poverty_register_513431_20200731.csv", "<html></html>"))
    assert query(unresolved) == [("poverty_register", "513431")]
    take(_list(tmp_path, "poverty_register_513431_20200630.csv", 1))
    assert query(unresolved) == [("poverty_register", "513431")]
    take(_list(tmp_path, "poverty_register_5134_20200731.csv", 1))
    assert query(unresolved) == []
