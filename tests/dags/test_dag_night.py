"""How a night is driven on a made-up Airflow: what is triggered, when it is over, and when it is given up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from doudi.orchestration import night as night_module
from doudi.orchestration.api import AirflowError
from doudi.orchestration.night import Night
from doudi.orchestration.progress import Progress

NOW = datetime(2020, 6, 30, 2, tzinfo=UTC)


class MadeUpAirflow:
    """An Airflow whose runs end at once: a triggered DAG's tasks take the states that it is told beforehand."""

    def __init__(self, **states: list[str]) -> None:
        self.states = states
        self.triggered: list[str] = []
        self.given_up: list[str] = []
        self.forgotten: list[str] = []
        self.unpaused: list[str] = []
        self.leftovers: list[dict[str, Any]] = []
        self.paused: list[str] = []
        self.started = NOW - timedelta(minutes=1)
        self.airflow = SimpleNamespace(logs="logs")
        self.api = self
        self._runs: list[dict[str, Any]] = []
        self._tasks: list[dict[str, Any]] = []
        self._clock = NOW

    def check(self) -> None: ...

    def pages(self, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
        if path == "/importErrors":
            return []
        ids = self.paused if query.get("paused") else ["feed_a", "feed_b", "build_marts", "send_extracts"]
        return [{"dag_id": dag_id, "last_parsed_time": NOW.isoformat()} for dag_id in ids]

    def runs(self, **query: Any) -> list[dict[str, Any]]:
        return self.leftovers

    def runs_since(self, since: datetime) -> list[dict[str, Any]]:
        return self.leftovers + self._runs

    def task_instances_since(self, since: datetime) -> list[dict[str, Any]]:
        return self._tasks

    def give_up(self, dag_id: str, run_id: str) -> None:
        self.given_up.append(dag_id)

    def forget_queued_events(self, dag_id: str) -> None:
        self.forgotten.append(dag_id)

    def unpause(self, dag_id: str) -> None:
        self.unpaused.append(dag_id)

    def return_value(self, dag_id: str, run_id: str, task_id: str) -> dict[str, int]:
        return {"rows": 1}

    def trigger(self, dag_id: str) -> str:
        self.triggered.append(dag_id)
        return self.happen(dag_id)

    def happen(self, dag_id: str) -> str:
        """A run of a DAG begins and ends, whoever asked for it."""
        state = self.states.get(dag_id, ["success"])
        state = state.pop(0) if len(state) > 1 else state[0]
        task_id = {"build_marts": "build", "send_extracts": "send"}.get(dag_id, "load")
        run_id = f"run_{len(self._runs)}"
        begins, self._clock = self._clock, self._clock + timedelta(seconds=1)
        run_state = {"skipped": "success"}.get(state, state)
        self._runs.append({"dag_id": dag_id, "dag_run_id": run_id, "state": run_state})
        self._tasks.append({
            "dag_id": dag_id, "dag_run_id": run_id, "task_id": task_id,
            "state": None if state in ("queued", "running") else state,
            "start_date": begins.isoformat(), "end_date": self._clock.isoformat(),
        })  # fmt: skip
        return run_id


@pytest.fixture
def night_on(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Night]:
    """A night of two feeds on a made-up Airflow, where a second of waiting passes at once."""
    clock = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(night_module, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))

    def make(airflow: MadeUpAirflow, *, due: Callable[[], bool] = lambda: False) -> Night:
        progress = Progress(Console(quiet=True))
        return Night(server=airflow, feeds=["a", "b"], marts_are_due=due, progress=progress, started=NOW)

    return make


def test_where_nothing_is_new_what_follows_is_triggered_as_its_time_would(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow(feed_a=["skipped"], feed_b=["skipped"], build_marts=["skipped"], send_extracts=["skipped"])
    result = night_on(airflow).run()
    assert airflow.triggered == ["feed_a", "feed_b", "build_marts", "send_extracts"]
    assert result.failed == []


def test_what_the_scheduler_does_by_itself_is_not_triggered(
    night_on: Callable[..., Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = MadeUpAirflow()
    trigger = airflow.trigger

    def trigger_with_events(dag_id: str) -> str:
        run_id = trigger(dag_id)
        if dag_id == "feed_b":
            airflow.happen("build_marts")
            airflow.happen("send_extracts")
        return run_id

    monkeypatch.setattr(airflow, "trigger", trigger_with_events)
    result = night_on(airflow).run()
    assert airflow.triggered == ["feed_a", "feed_b"]
    assert {dag_id for dag_id, _ in result.runs} == {"feed_a", "feed_b", "build_marts", "send_extracts"}


def test_an_event_that_led_nowhere_is_made_good(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow()
    night_on(airflow).run()
    assert airflow.triggered == ["feed_a", "feed_b", "build_marts", "send_extracts"]


def test_marts_that_missed_the_last_delivery_are_built_again(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow(feed_a=["success"], feed_b=["skipped"])
    airflow.happen("build_marts")  # too early
    night_on(airflow, due=lambda: airflow.triggered.count("build_marts") == 0).run()
    assert airflow.triggered == ["feed_a", "feed_b", "build_marts", "send_extracts"]


def test_a_failed_build_ends_the_night_without_extracts(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow(build_marts=["failed"])
    result = night_on(airflow, due=lambda: True).run()
    assert airflow.triggered == ["feed_a", "feed_b", "build_marts"]
    assert result.failed == ["build_marts.build"]


def test_a_failed_feed_does_not_hold_up_the_others(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow(feed_a=["failed"])
    result = night_on(airflow).run()
    assert airflow.triggered[-2:] == ["build_marts", "send_extracts"]
    assert result.failed == ["feed_a.load"]


def test_a_night_that_was_cut_off_does_not_confuse_the_next(night_on: Callable[..., Night]) -> None:
    airflow = MadeUpAirflow()
    airflow.leftovers = [{"dag_id": "feed_a", "dag_run_id": "of yesterday", "state": "failed"}]
    airflow.paused = ["feed_b"]
    result = night_on(airflow).run()
    assert airflow.given_up == ["feed_a"]
    assert airflow.forgotten == ["build_marts", "send_extracts"]
    assert airflow.unpaused == ["feed_b"]
    assert result.failed == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_night_in_which_nothing_moves_is_given_up(night_on: Callable[..., Night], state: str) -> None:
    airflow = MadeUpAirflow(feed_a=[state])
    with pytest.raises(AirflowError, match=r"nothing has moved for \d+ s, though feed_a is not over"):
        night_on(airflow).run()


def test_import_errors_are_told(night_on: Callable[..., Night], monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = MadeUpAirflow()
    error = {"filename": "feeds.py", "stack_trace": "ContractError: broken.yml"}
    monkeypatch.setattr(airflow, "pages", lambda path, key, **_: [error] if path == "/importErrors" else [])
    with pytest.raises(AirflowError, match="broken"):
        night_on(airflow).run()
