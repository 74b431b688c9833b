"""Alerts through the DAGs' own tasks and callbacks, at a mail server and a web service that keep what arrives."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace

import psycopg
import pytest
from alert_sinks import RECIPIENTS, Sink, mail_sink, webhook_sink

from doudi import loads
from doudi.contracts import load_contracts
from doudi.orchestration.dags import feed_dag, watch_dag
from doudi.orchestration.failures import RefusalsFound, TaskFailed
from doudi.settings import Settings
from doudi.summary import print_status

CITIZEN_ID = "99000119800101001X"  # belongs to nobody
TODAY = date(2020, 8, 20)


@dataclass(frozen=True, kw_only=True)
class Night:
    """A warehouse, what runs in it, and where its alerts go."""

    settings: Settings
    mail: Sink
    webhook: Sink

    def query(self, statement: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.settings.database_url) as session:
            cursor = session.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def fail(self, feed: str, error: Exception) -> None:
        """Let the callback of a feed's own task tell of a failure, as Airflow does after the last try."""
        task = feed_dag(load_contracts(self.settings.contracts)[feed]).get_task("load")
        (callback,) = task.on_failure_callback
        instance = SimpleNamespace(dag_id=task.dag_id, task_id="load", run_id="scheduled__1", try_number=3)
        callback({"ti": instance, "exception": error})

    def watch(self) -> dict[str, int]:
        return watch_dag().get_task("tell_alerts").python_callable()

    def publish(self, feed: str, area: str, day: str) -> None:
        self.query(
            """
            insert into ops.load (feed, area_code, data_date, file_name, source_uri, source_modified_at, sha256,
                size_bytes, archive_path, mode, status, finished_at, rows_read, rows_published, rows_unchanged,
                rows_quarantined)
            values (%s, %s, %s, '', '', now(), gen_random_uuid()::text, 1, '', 'snapshot', 'published', now(),
                0, 0, 0, 0)
            """,
            feed, area, day,
        )  # fmt: skip

    def warn(self, county: str, count: int) -> None:
        self.query("create table if not exists marts.warning (county_code text, lead_department text, level text, "
                   "is_overdue boolean, closed_on date, due_on date, person text)")  # fmt: skip
        self.query("grant select on marts.warning to doudi_owner")
        self.query(
            "insert into marts.warning select %s, 'civil_affairs', 'red', true, null, '2020-07-10', %s "
            "from generate_series(1, %s)",
            county, CITIZEN_ID, count,
        )  # fmt: skip


@pytest.fixture
def night(installation: Settings, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    own = replace(installation, database_url=warehouse_url, as_of=TODAY)
    for module in ("tasks", "failures"):
        monkeypatch.setattr(f"doudi.orchestration.{module}.load_settings", lambda: own)
    with mail_sink() as mail, webhook_sink() as webhook:
        monkeypatch.setenv("AIRFLOW_CONN_DOUDI_ALERT_MAIL", mail.connection)
        monkeypatch.setenv("AIRFLOW_CONN_DOUDI_ALERT_WEBHOOK", webhook.connection)
        yield Night(settings=own, mail=mail, webhook=webhook)


@pytest.fixture
def refuse(night: Night) -> Callable[..., None]:
    """Take in deliveries that are refused as a whole."""

    def refuse(*names: str) -> None:
        night.settings.inbox.mkdir(exist_ok=True)
        for name in names:
            path = night.settings.inbox / name
            path.write_text(f"<html>{CITIZEN_ID} {name}</html>", encoding="utf-8")
            (result,) = loads.land_files([path], settings=night.settings)
            assert result.status == "refused"

    return refuse


def _one(sink: Sink, title: str) -> str:
    """The text of the one message that arrived and has ``title`` in its title."""
    taken = [text for told, text in sink.arrived if title in told]
    assert len(taken) == 1, sink.arrived
    return taken[0]


def test_an_alert_of_each_kind_arrives_once_by_mail_and_webhook(night: Night, refuse: Callable[..., None]) -> None:
    refuse("disability_513431_20200731.csv", "left_behind_513431_20200731.csv")
    night.publish("disability", "513431", "2020-06-30")
    night.publish("minimum_allowance", "513430", "2020-06-30")
    night.publish("minimum_allowance", "513431", "2020-08-10")
    night.warn("513431", 3)
    night.fail("disability", TaskFailed("ContractError: no such column"))
    assert [title for title, _ in night.mail.arrived] == [
        "兜底：夜间任务有 1 处故障 | Doudi: 1 failures in the night's tasks"
    ]
    night.fail("left_behind", ValueError(f"cannot read {CITIZEN_ID}"))  # waits: the night has had its message
    assert len(night.mail.arrived) == len(night.webhook.arrived) == 1
    night.fail("disability", RefusalsFound(f"1 refused of disability: {CITIZEN_ID}.csv"))  # the watch tells it
    night.mail.take(), night.webhook.take()

    assert night.watch() == {"alerts_sent": 8, "alerts_not_taken": 0}
    for sink in (night.mail, night.webhook):
        failure = _one(sink, "1 failures")
        assert "feed_left_behind.load: ValueError" in failure
        assert "docs/operations.md#alert-failure" in failure
        refused = _one(sink, "2 deliveries refused")
        assert "退回" in refused
        assert re.search(r"load \d+, disability of 513431 for 2020-07-31: refused by file.html", refused)
        assert "left_behind of 513431" in refused
        assert "docs/operations.md#alert-refused-delivery" in refused
        late = _one(sink, "2 late feeds")
        assert "minimum_allowance of 513430: last data date 2020-06-30, due on 2020-07-30, late by 21 days" in late
        assert "minimum_allowance of 513431" not in late
        assert "最低生活保障" in late
        assert "docs/operations.md#alert-late-feed" in late
        overdue = _one(sink, "3 overdue red warnings")
        assert "county 513431, led by civil_affairs: 3 red warnings past their deadline" in overdue
        assert "docs/operations.md#alert-overdue-red-warnings" in overdue
        for text in (failure, refused, late, overdue):
            assert {"发生了什么", "到哪里看", "怎么处理"} <= set(re.findall(r"^(?:<pre[^>]*>)?(\w+)：", text, re.M))
            assert "index.html" in text
        assert CITIZEN_ID not in "".join(sink.raw)
        assert "html>" not in "".join(text for _, text in sink.arrived)
    assert set(night.mail.recipients) == set(RECIPIENTS)


def test_what_is_unchanged_is_not_told_again_and_what_is_worse_is(night: Night, refuse: Callable[..., None]) -> None:
    night.publish("minimum_allowance", "513431", "2020-06-30")
    night.warn("513431", 2)
    refuse("disability_513431_20200731.csv")
    assert night.watch()["alerts_sent"] == 6
    assert night.watch()["alerts_sent"] == 0
    night.mail.take()
    night.warn("513431", 1)
    refuse("left_behind_513431_20200731.csv")
    assert night.watch()["alerts_sent"] == 4
    titles = [title for title, _ in night.mail.take()]
    assert any("1 deliveries refused" in title for title in titles)
    assert any("3 overdue red warnings" in title for title in titles)

    night.publish("disability", "513431", "2020-07-31")  # what came in the refused one's place ends it
    night.query("delete from marts.warning")
    assert night.watch()["alerts_sent"] == 0
    night.warn("513431", 1)  # news again, though once there were more
    assert night.watch()["alerts_sent"] == 2


def test_a_late_feed_is_told_again_when_twice_as_much_has_been_missed(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.publish("household_visit", "513431", "2020-06-30")  # every week
    told = []
    for day in (7, 8, 13, 14, 15, 20, 21, 28, 29):
        on = replace(night.settings, as_of=date(2020, 7, day))
        monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda on=on: on)
        if night.watch()["alerts_sent"]:
            told.append(day)
    assert told == [8, 14, 28]


def test_a_channel_that_takes_nothing_fails_nothing_is_on_record_and_is_tried_again(
    night: Night, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    night.publish("minimum_allowance", "513431", "2020-06-30")
    night.mail.broken = True
    assert night.watch() == {"alerts_sent": 1, "alerts_not_taken": 1}
    print_status(night.settings)
    told = capsys.readouterr().out
    assert "Alerts that were not taken" in told
    assert "late_feed" in told
    assert RECIPIENTS[0] not in told
    assert night.query("select channel, kind, error is null from ops.alert order by channel") == [
        ("mail", "late_feed", False), ("webhook", "late_feed", True),
    ]  # fmt: skip
    night.mail.broken = False
    assert night.watch() == {"alerts_sent": 1, "alerts_not_taken": 0}  # the web service was told already
    night.webhook.broken = True
    night.warn("513431", 1)
    assert night.watch() == {"alerts_sent": 1, "alerts_not_taken": 1}


def test_a_kind_may_go_to_others(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.publish("minimum_allowance", "513431", "2020-06-30")
    night.warn("513431", 1)
    with mail_sink() as office:
        monkeypatch.setenv("AIRFLOW_CONN_DOUDI_ALERT_MAIL_OVERDUE_RED_WARNINGS", office.connection)
        night.watch()
        assert ["overdue" in title for title, _ in office.arrived] == [True]
        assert ["late" in title for title, _ in night.mail.arrived] == [True]


def test_without_connections_nothing_is_told_and_nothing_is_lost(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.publish("minimum_allowance", "513431", "2020-06-30")
    with monkeypatch.context() as patch:
        patch.delenv("AIRFLOW_CONN_DOUDI_ALERT_MAIL")
        patch.delenv("AIRFLOW_CONN_DOUDI_ALERT_WEBHOOK")
        assert night.watch() == {"alerts_sent": 0, "alerts_not_taken": 0}
    assert night.watch() == {"alerts_sent": 2, "alerts_not_taken": 0}
