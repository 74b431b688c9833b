"""What a night has so far: its runs and tasks, as Airflow's API tells them."""

from dataclasses import dataclass
from datetime import datetime

from doudi.orchestration.api import Api, instant

ACTIVE = ("queued", "running")
AT_WORK = ("running", "up_for_retry")
OVER = ("success", "skipped", "failed", "upstream_failed", "removed")
RunKey = tuple[str, str]  # DAG and run


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task of one run, in its last try."""

    dag_id: str
    run_id: str
    task_id: str
    state: str | None
    started: datetime | None
    ended: datetime | None

    @property
    def name(self) -> str:
        return f"{self.dag_id}.{self.task_id}"

    @property
    def failed(self) -> bool:
        return self.state in ("failed", "upstream_failed")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The runs of a night with their states, and the tasks of these runs."""

    runs: dict[RunKey, str]
    tasks: list[Task]

    @property
    def active(self) -> list[str]:
        """The DAGs with a run that is not over."""
        return sorted({dag_id for (dag_id, _), state in self.runs.items() if state in ACTIVE})

    @property
    def at_work(self) -> list[str]:
        return sorted({task.name for task in self.tasks if task.state in AT_WORK})

    @property
    def failed(self) -> list[str]:
        """The runs that failed, as ``dag``, and their tasks that did, as ``dag.task``."""
        runs = {dag_id for (dag_id, _), state in self.runs.items() if state == "failed"}
        tasks = {task.name for task in self.tasks if task.state == "failed"}
        return sorted(tasks | {dag_id for dag_id in runs if not any(name.startswith(f"{dag_id}.") for name in tasks)})

    @property
    def states(self) -> frozenset:
        """What must change now and then, or nothing moves; `wait` is rescheduled all the time, which is no move."""
        tasks = {(task.name, task.run_id, task.state) for task in self.tasks if task.task_id != "wait"}
        return frozenset(tasks | set(self.runs.items()))

    def of(self, dag_id: str, task_id: str) -> list[Task]:
        return [task for task in self.tasks if (task.dag_id, task.task_id) == (dag_id, task_id)]

    def of_run(self, run: RunKey) -> list[Task]:
        return [task for task in self.tasks if (task.dag_id, task.run_id) == run]


def look(api: Api, *, since: datetime, without: set[RunKey]) -> Snapshot:
    """The runs that changed ``since`` then, apart from those in ``without``."""
    runs = {
        (run["dag_id"], run["dag_run_id"]): run["state"]
        for run in api.runs_since(since)
        if (run["dag_id"], run["dag_run_id"]) not in without
    }
    tasks = [
        Task(
            dag_id=task["dag_id"],
            run_id=task["dag_run_id"],
            task_id=task["task_id"],
            state=task["state"],
            started=instant(task["start_date"]),
            ended=instant(task["end_date"]),
        )
        for task in api.task_instances_since(since)
        if (task["dag_id"], task["dag_run_id"]) in runs
    ]
    return Snapshot(runs=runs, tasks=tasks)
