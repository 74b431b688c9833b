"""What a night shows while it goes on: a line for each run that is over, and what is at work now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from doudi.orchestration.api import Api
from doudi.orchestration.snapshot import RunKey, Snapshot

_HEARTBEAT_SECONDS = 30
_MARKS = {"success": "[green]✓[/]", "skipped": "[dim]–[/]", "failed": "[red]✗[/]"}
_MAIN_TASKS = ("load", "build", "send", "tell_alerts")
_FIRST = ("deliveries", "rows_read", "rows_published", "rows_unchanged", "rows_quarantined", "files", "models", "tests")


class Progress:
    """Lines on a console; on a terminal also a last line that follows what is at work."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = self._spoke = time.monotonic()
        self._status: Status | None = None
        self._told: set[RunKey] = set()
        self._retried: set[tuple[str, RunKey]] = set()

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Say what goes on until the block ends, and how long it took."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(what) as self._status:
                yield
            self._status = None
        else:
            self.say(f"{what} …")
            yield
        self.say(f"{what}: {time.monotonic() - began:.1f} s")

    def say(self, line: str) -> None:
        self._print(escape(line))

    def show(self, snapshot: Snapshot, api: Api) -> None:
        """Tell what is new since the last call."""
        for task in snapshot.tasks:
            retried = (task.name, (task.dag_id, task.run_id))
            if task.state == "up_for_retry" and retried not in self._retried:
                self._retried.add(retried)
                self.say(f"{task.name} failed and will be tried again")
        for run, state in snapshot.runs.items():
            if state in ("success", "failed") and run not in self._told:
                self._told.add(run)
                self._tell(run, state, snapshot, api)
        self._follow(snapshot)

    def _tell(self, run: RunKey, state: str, snapshot: Snapshot, api: Api) -> None:
        tasks = snapshot.of_run(run)
        main = next((task for task in tasks if task.task_id in _MAIN_TASKS), None)
        failed = [f"{task.task_id} failed" for task in tasks if task.state == "failed"]
        told, seconds = failed or ["nothing new"], 0.0
        if main and main.state == "success":
            told = [*_counts(api.return_value(*run, main.task_id)), *failed]
        if main and main.started and main.ended:
            seconds = (main.ended - main.started).total_seconds()
        mark = _MARKS[main.state if main and main.state in _MARKS and state == "success" else state]
        self._print(f"{mark} {run[0]:<28} {seconds:6.1f} s  {', '.join(told)}")

    def _follow(self, snapshot: Snapshot) -> None:
        at_work, queued = snapshot.at_work, len(snapshot.active)
        told = f"at work: {', '.join(at_work)}" if at_work else f"{queued} runs wait to go on" if queued else "quiet"
        if self._status:
            self._status.update(f"{self._clock()} {told}")
        elif time.monotonic() - self._spoke > _HEARTBEAT_SECONDS:
            self.say(told)

    def _print(self, markup: str) -> None:
        self._spoke = time.monotonic()
        self.console.print(f"[dim]{self._clock()}[/] {markup}", highlight=False, soft_wrap=True)

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:02d}:{seconds:02d}"


def _counts(counts: dict[str, Any] | None) -> list[str]:
    """The counts that are not 0, in the order of the work; Airflow keeps them in another."""
    known = dict.fromkeys(_FIRST) | (counts or {})
    return [f"{value:,} {name.replace('_', ' ')}" for name, value in known.items() if value]
