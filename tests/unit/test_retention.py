"""retention.yml as people write it: what is wrong is told by file, line and key; months end where they end."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from doudi.maintenance import RetentionError, load_policy
from doudi.maintenance.policy import Duration
from doudi.private import append_line, keep_lines

SOUND = """\
# 注释
archived_deliveries: forever
closed_quarantine_rows: 1 year
check_results: 12 months
failures_and_alerts: 52 weeks
airflow_history: 180 days
past_day_marts: 1 day
build_files: 1 month
"""


def _read(folder: Path, text: str) -> None:
    path = folder / "retention.yml"
    path.write_text(text, encoding="utf-8")
    load_policy(path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "retention.yml").write_text(SOUND, encoding="utf-8")
    policy = load_policy(tmp_path / "retention.yml")
    now = datetime(2026, 8, 31, 14)
    assert policy.cutoff("archived_deliveries", now=now) is None
    assert policy.cutoff("check_results", now=now) == datetime(2025, 8, 31, 14)
    assert policy.cutoff("past_day_marts", now=now) == datetime(2026, 8, 30, 14)
    assert [policy.kept(name) for name in ("archived_deliveries", "past_day_marts")] == ["forever", "1 day"]


def test_the_projects_own_file_is_read(project: Path) -> None:
    assert load_policy(project / "retention.yml").archived_deliveries is not None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("1 year", "one year", "line 3: closed_quarantine_rows: one year is no duration: write 6 months, 2 years or"),
        ("1 year", "1year", "line 3: closed_quarantine_rows: 1year is no duration"),
        ("1 year", "0 years", "line 3: closed_quarantine_rows: 0 years is no duration"),
        ("1 year", "12", "line 3: closed_quarantine_rows: 12 is no duration"),
        ("1 year", "[1 year]", "line 3: closed_quarantine_rows: this is no duration"),
        ("1 year", "2 days", "line 3: closed_quarantine_rows: 2 days is too short: 1 month at the least"),
        ("1 year", "900 years", "line 3: closed_quarantine_rows: 900 years is longer than this can count"),
        ("forever", "11 months", "line 2: archived_deliveries: 11 months is too short: 1 year at the least"),
        ("check_results", "chekc_results", "line 4: chekc_results: no such key; there are archived_deliveries, "),
        ("check_results", "build_files", "line 8: build_files: is there twice"),
        ("check_results: 12 months\n", "", "line 7: check_results: is missing; forever keeps everything"),
        ("build_files: 1 month", "build_files: [", "line 9: not YAML"),
    ],
)
def test_a_fault_is_told_by_file_line_and_key(tmp_path: Path, before: str, after: str, told: str) -> None:
    with pytest.raises(RetentionError) as caught:
        _read(tmp_path, SOUND.replace(before, after, 1))
    assert str(caught.value).startswith("retention.yml, ")
    assert told in str(caught.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match=r"line 3: .*; line 4: "):
        _read(tmp_path, SOUND.replace("1 year", "soon").replace("12 months", "later"))


@pytest.mark.parametrize("text", ["", "- 1 year\n", "forever\n"])
def test_a_file_that_names_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(RetentionError, match=r"^retention\.yml, line 1: one line for each kind of thing"):
        _read(tmp_path, text)


def test_a_project_without_the_file(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match=r"there is no retention\.yml"):
        load_policy(tmp_path / "retention.yml")


def test_months_end_on_the_last_day_of_shorter_ones() -> None:
    assert Duration(6, "month").before(datetime(2026, 8, 31)) == datetime(2026, 2, 28)
    assert Duration(1, "year").before(datetime(2024, 2, 29)) == datetime(2023, 2, 28)
    assert Duration(13, "month").before(datetime(2026, 1, 15)) == datetime(2024, 12, 15)


def test_no_line_is_lost_that_is_added_while_others_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    for number in range(50):
        append_line(path, f"old {number}")

    code = "for number in range(500): append_line(Path(sys.argv[1]), f'new {number}')"
    program = f"import sys; from pathlib import Path; from doudi.private import append_line\n{code}"
    removed = 0
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as adding:
        while adding.poll() is None:
            append_line(path, "old")
            removed += keep_lines(path, lambda line: line.startswith("new"))[0]
    assert removed > 50  # it was at work meanwhile
    assert path.read_text().splitlines() == [f"new {number}" for number in range(500)]
    assert path.stat().st_mode & 0o777 == 0o600
