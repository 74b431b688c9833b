"""One night, driven and watched through Airflow's API: feeds taken in, marts built, extracts handed out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from doudi.orchestration.api import AirflowError, Api, instant
from doudi.orchestration.progress import Progress
from doudi.orchestration.server import Server
from doudi.orchestration.snapshot import ACTIVE, OVER, RunKey, Snapshot, Task, look

PARSE_SECONDS = 180
EVENT_SECONDS = 10  # within which the scheduler answers an asset's event
STALL_SECONDS = 300  # without a task at work and without a change
_FOLLOWING = ("build_marts", "send_extracts")


@dataclass(kw_only=True)
class Night:
    """A night on a server that is healthy. ``marts_are_due`` asks the ledger whether the marts lack something."""

    server: Server
    feeds: list[str]
    marts_are_due: Callable[[], bool]
    progress: Progress
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _earlier: set[RunKey] = field(default_factory=set)
    _triggered: set[str] = field(default_factory=set)

    @property
    def api(self) -> Api:
        return self.server.api

    def run(self) -> Snapshot:
        """Run the night to its end. Raises AirflowError where Airflow breaks, or nothing moves any more."""
        self._wait_until_parsed()
        self._clear_the_table()
        for feed in self.feeds:
            self.api.trigger(f"feed_{feed}")
        quiet_since = moved_at = time.monotonic()
        before: frozenset = frozenset()
        while True:
            self.server.check()
            snapshot = look(self.api, since=self.started, without=self._earlier)
            self.progress.show(snapshot, self.api)
            now = time.monotonic()
            if snapshot.states != before or snapshot.at_work:
                before, moved_at = snapshot.states, now
            if snapshot.active:
                quiet_since = now
            elif self._is_over(snapshot, quiet_for=now - quiet_since):
                return snapshot
            if now - moved_at > STALL_SECONDS:
                raise AirflowError(
                    f"nothing has moved for {STALL_SECONDS} s, though {', '.join(snapshot.active)} is not over; "
                    f"see {self.server.airflow.logs}"
                )
            time.sleep(1)

    def _wait_until_parsed(self) -> None:
        """Wait until Airflow has read every DAG since it started. Raises AirflowError with its import errors."""
        expected = {*_FOLLOWING, *(f"feed_{feed}" for feed in self.feeds)}
        deadline = time.monotonic() + PARSE_SECONDS
        while missing := expected - self._parsed():
            self.server.check()
            if errors := self.api.pages("/importErrors", "import_errors"):
                told = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
                raise AirflowError(f"Airflow cannot read the DAGs:\n{told}")
            if time.monotonic() > deadline:
                raise AirflowError(f"Airflow has not read {', '.join(sorted(missing))} within {PARSE_SECONDS} s")
            time.sleep(0.3)

    def _parsed(self) -> set[str]:
        dags = self.api.pages("/dags", "dags", exclude_stale=True)
        return {dag["dag_id"] for dag in dags if instant(dag["last_parsed_time"]) > self.server.started}

    def _clear_the_table(self) -> None:
        """Give up what a night that was cut off left queued or running, and lift pauses."""
        for run in self.api.runs(state=list(ACTIVE)):
            self._earlier.add((run["dag_id"], run["dag_run_id"]))
            self.api.give_up(run["dag_id"], run["dag_run_id"])
            self.progress.say(f"gave up {run['dag_id']} {run['dag_run_id']}, left by an earlier night")
        for dag_id in _FOLLOWING:
            self.api.forget_queued_events(dag_id)
        for dag in self.api.pages("/dags", "dags", exclude_stale=True, paused=True):
            self.api.unpause(dag["dag_id"])
            self.progress.say(f"{dag['dag_id']} was paused and is not any more")

    def _is_over(self, snapshot: Snapshot, *, quiet_for: float) -> bool:
        """Whether marts and extracts have followed what was taken in; asks for what has not."""
        loads = [task for feed in self.feeds for task in snapshot.of(f"feed_{feed}", "load")]
        builds = [task for task in snapshot.of("build_marts", "build") if task.state in OVER]
        if any(task.failed for task in builds):
            return True
        if not builds or self.marts_are_due():
            return self._ask_for("build_marts", event=_changed(loads), quiet_for=quiet_for)
        built_at = max((task.ended for task in builds if task.state == "success"), default=self.started)
        sends = [task for task in snapshot.of("send_extracts", "send") if task.started and task.started >= built_at]
        return bool(sends) or self._ask_for("send_extracts", event=_changed(builds), quiet_for=quiet_for)

    def _ask_for(self, dag_id: str, *, event: bool, quiet_for: float) -> bool:
        """Trigger a DAG once, as its time would, where there was no event or the scheduler does not answer it.

        Returns True where that was done already and changed nothing.
        """
        if dag_id in self._triggered:
            return True
        if not event or quiet_for > EVENT_SECONDS:
            self._triggered.add(dag_id)
            self.api.trigger(dag_id)
        return False


def _changed(tasks: list[Task]) -> bool:
    return any(task.state == "success" for task in tasks)
