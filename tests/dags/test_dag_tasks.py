"""What the tasks make of what the core tells them: counts, skips, failures for good, and what is tried again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from doudi.extracts import NotBuiltError
from doudi.orchestration import tasks
from doudi.orchestration.failures import TaskFailed
from doudi.settings import Settings
from doudi.warehouse.connection import WarehouseError

CITIZEN_ID = "99000119800101001X"  # belongs to nobody


def result(status: str, **counts: int) -> SimpleNamespace:
    names = ("rows_read", "rows_published", "rows_unchanged", "rows_quarantined", "rows_ended")
    return SimpleNamespace(status=status, **(dict.fromkeys(names) | counts))


@pytest.fixture
def take_in(monkeypatch: pytest.MonkeyPatch, installation: Settings) -> Callable[[Any], None]:
    """Make the core take in what it is told, or raise it."""

    def prepare(outcome: Any) -> None:
        def fake(feed: str, *, settings: Settings, progress: Callable[[str], None]) -> Any:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr("doudi.loads.take_in", fake)

    return prepare


def test_load_returns_counts_of_what_was_published(take_in: Callable[[Any], None]) -> None:
    take_in([
        result("published", rows_read=10, rows_published=7, rows_unchanged=2, rows_quarantined=1, rows_ended=3),
        result("refused", rows_read=99),
        result("published", rows_read=5, rows_published=5),
    ])  # fmt: skip
    assert tasks.load("disability") == {
        "deliveries": 2, "rows_read": 15, "rows_published": 12, "rows_unchanged": 2, "rows_quarantined": 1,
        "rows_ended": 3,
    }  # fmt: skip


@pytest.mark.parametrize("outcome", [[], [result("refused")], [result("superseded")]])
def test_load_is_skipped_where_nothing_was_published(take_in: Callable[[Any], None], outcome: list) -> None:
    take_in(outcome)
    with pytest.raises(AirflowSkipException):
        tasks.load("disability")


@pytest.mark.parametrize("error", [WarehouseError("gone", sqlstate="57P01"), ConnectionError(), OSError(28, "full")])
def test_what_may_pass_is_tried_again(take_in: Callable[[Any], None], error: Exception) -> None:
    take_in(error)
    with pytest.raises(type(error)) as caught:
        tasks.load("disability")
    assert not isinstance(caught.value, AirflowFailException)


def test_a_broken_contract_is_not_tried_again(take_in: Callable[[Any], None]) -> None:
    take_in(WarehouseError("load 3: UndefinedColumn 42703", sqlstate="42703"))
    with pytest.raises(TaskFailed, match="UndefinedColumn 42703"):
        tasks.load("disability")
    assert issubclass(TaskFailed, AirflowFailException)


def test_what_others_say_of_a_row_is_not_told(take_in: Callable[[Any], None]) -> None:
    take_in(ValueError(f"cannot read {CITIZEN_ID}"))
    with pytest.raises(TaskFailed) as caught:
        tasks.load("disability")
    assert "ValueError at" in str(caught.value)
    assert CITIZEN_ID not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def ledger(warehouse_url: str, installation: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Enter deliveries on the ledger of a warehouse that the tasks then ask."""
    own = replace(installation, database_url=warehouse_url)
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)

    def enter(feed: str, status: str, *, finished_at: datetime, error_code: str | None = None) -> int:
        with psycopg.connect(warehouse_url) as session:
            return session.execute(
                """
                insert into ops.load (feed, area_code, data_date, file_name, source_uri, source_modified_at, sha256,
                    size_bytes, archive_path, mode, status, finished_at, error_code, error,
                    rows_read, rows_published, rows_unchanged, rows_quarantined)
                values (%(feed)s, '5134', '2020-06-30', %(feed)s || '_5134_20200630.csv', '', now(),
                    gen_random_uuid()::text, 1, '', 'events', %(status)s, %(at)s, %(code)s, 'declared 3, read 2',
                    0, 0, 0, 0)
                returning load_id
                """,
                {"feed": feed, "status": status, "at": finished_at, "code": error_code},
            ).fetchone()[0]

    return enter


def test_refusals_name_load_file_and_rule(ledger: Callable[..., int]) -> None:
    now = datetime.now(UTC)
    ledger("disability", "refused", finished_at=now - timedelta(days=1), error_code="file.name")
    ledger("left_behind", "refused", finished_at=now, error_code="file.name")
    ledger("disability", "published", finished_at=now)
    tasks.report_refusals("disability", since=now - timedelta(minutes=1))
    load_id = ledger("disability", "refused", finished_at=now, error_code="manifest.rows")
    with pytest.raises(TaskFailed) as caught:
        tasks.report_refusals("disability", since=now - timedelta(minutes=1))
    told = f"1 refused of disability: load {load_id}, disability_5134_20200630.csv: manifest.rows: declared 3, read 2"
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("waiting", "active", "waited", "ready"),
    [
        ([], False, timedelta(0), True),
        (["disability"], True, timedelta(hours=1), False),
        (["disability"], True, tasks.BUSY_PATIENCE, True),
        (["disability"], False, timedelta(seconds=1), False),
        (["disability"], False, tasks.IDLE_PATIENCE, True),
    ],
)
def test_marts_wait_for_feeds_that_are_being_taken_in(
    installation: Settings,
    monkeypatch: pytest.MonkeyPatch,
    waiting: list[str],
    active: bool,
    waited: timedelta,
    ready: bool,
) -> None:
    monkeypatch.setattr("doudi.loads.waiting", lambda *, settings: waiting)
    began = datetime(2020, 6, 30, tzinfo=UTC)
    assert tasks.all_is_in(since=began, is_active=lambda feed: active, now=began + waited) is ready
    told = installation.home / "alerts.jsonl"
    assert told.exists() is (ready and bool(waiting))  # going on without a feed is said


def test_build_is_skipped_where_nothing_changed(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(installation, database_url="postgresql://nowhere/doudi")
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    monkeypatch.setattr("doudi.transform.is_needed", lambda url, as_of: False)
    with pytest.raises(AirflowSkipException):
        tasks.build(date(2020, 6, 30))


def test_build_computes_the_day_it_is_told(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(installation, database_url="postgresql://nowhere/doudi", as_of=date(2024, 1, 1))
    days = []

    def build(*, settings: Settings, as_of: date, **_: Any) -> SimpleNamespace:
        days.extend([as_of, settings.as_of])
        counts = SimpleNamespace(open=5, opened=2, cleared=1)
        suffix = "" if as_of.month == 6 else "_as_of_20200531"
        return SimpleNamespace(models=40, tests=90, warnings={"BL01": counts, "RP03": counts}, schema_suffix=suffix)

    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    monkeypatch.setattr("doudi.transform.is_needed", lambda url, as_of: True)
    monkeypatch.setattr("doudi.transform.build", build)
    counts = {"models": 40, "tests": 90, "warnings_open": 10, "warnings_opened": 4, "warnings_cleared": 2}
    assert tasks.build(date(2020, 6, 30)) == (counts, True)
    assert tasks.build(date(2020, 5, 31)) == (counts, False)  # what was built is not what is handed out
    assert days == [date(2020, 6, 30)] * 2 + [date(2020, 5, 31)] * 2


def test_pages_that_cannot_be_built_are_told_and_fail_nothing(
    installation: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(**_: Any) -> None:
        raise ValueError("某甲")

    own = replace(installation, database_url="postgresql://nowhere/doudi")
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    monkeypatch.setattr("doudi.quality.data_docs.build_data_docs", break_down)
    tasks.data_docs()
    told = (installation.home / "alerts.jsonl").read_text(encoding="utf-8")
    assert '"data_docs"' in told
    assert "ValueError" in told
    assert "某甲" not in told


def test_extracts_are_sent_of_each_day_and_never_twice(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[date | None] = []

    def send_all(*, settings: Settings, as_of: date | None, progress: Callable) -> list[SimpleNamespace]:
        fresh = as_of not in sent
        sent.append(as_of)
        return [SimpleNamespace(rows=3), SimpleNamespace(rows=4)] if fresh else []

    monkeypatch.setattr("doudi.extracts.send_all", send_all)
    days = [date(2020, 5, 31), date(2020, 6, 30)]
    assert tasks.send(days, asked_for=False) == {"files": 4, "rows": 14}
    with pytest.raises(AirflowSkipException):
        tasks.send(days, asked_for=False)


def test_handing_out_before_the_first_build_fails_only_who_asked_for_it(
    installation: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_all(**_: Any) -> None:
        raise NotBuiltError("no marts have been built: run doudi build first")

    monkeypatch.setattr("doudi.extracts.send_all", send_all)
    with pytest.raises(AirflowSkipException):
        tasks.send([None], asked_for=False)
    with pytest.raises(TaskFailed, match="no marts have been built"):
        tasks.send([date(2020, 6, 30)], asked_for=True)


def run(run_type: str) -> SimpleNamespace:
    return SimpleNamespace(run_type=run_type, logical_date=datetime(2020, 3, 31, 20, 30, tzinfo=UTC))


def test_the_day_is_the_parameters_then_the_backfills_then_the_settings(installation: Settings) -> None:
    settings = replace(installation, as_of=date(2020, 6, 30))
    day = tasks.day_to_build
    assert day(params={"as_of": "2020-01-31"}, dag_run=run("backfill"), settings=settings) == date(2020, 1, 31)
    assert day(params={"as_of": None}, dag_run=run("backfill"), settings=settings) == date(2020, 4, 1)  # in Shanghai
    assert day(params={"as_of": None}, dag_run=run("scheduled"), settings=settings) == date(2020, 6, 30)


def test_extracts_are_of_the_day_just_built(installation: Settings) -> None:
    settings = replace(installation, as_of=date(2020, 6, 30))
    days = tasks.days_to_send
    assert days(params={"as_of": "2020-01-31"}, built=["2020-02-29"], settings=settings) == [date(2020, 1, 31)]
    assert days(params={"as_of": None}, built=["2020-02-29"] * 2, settings=settings) == [date(2020, 2, 29)]
    assert days(params={"as_of": None}, built=[], settings=settings) == [date(2020, 6, 30)]
    assert days(params={"as_of": None}, built=[], settings=installation) == [None]
