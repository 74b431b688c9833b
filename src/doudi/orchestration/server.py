"""Starting Airflow, waiting until it is healthy, and leaving nothing behind."""

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from doudi.orchestration.api import AirflowError, Api
from doudi.orchestration.environment import Airflow
from doudi.orchestration.keeper import end_session
from doudi.settings import Settings

HEALTHY_SECONDS = 300  # a slow disk reading Airflow for the first time
STOP_SECONDS = 60
_HEALTHY_PARTS = ("metadatabase", "scheduler", "dag_processor")


class Server:
    """The running components of one Airflow."""

    def __init__(self, airflow: Airflow, keeper: subprocess.Popen) -> None:
        self.airflow = airflow
        self.api = Api(airflow=airflow)
        self.started = datetime.now(UTC)
        self._keeper = keeper

    def check(self) -> None:
        """Raises AirflowError where a component has ended."""
        if self._keeper.poll() is not None:
            told = self._keeper.stdout.read().strip()
            raise AirflowError(told or f"Airflow was stopped from outside; its logs are in {self.airflow.logs}")

    def wait_until_healthy(self) -> None:
        """Wait until the web server answers and the scheduler and the DAG processor beat. Raises AirflowError."""
        deadline = time.monotonic() + HEALTHY_SECONDS
        # The API that tasks talk to builds itself at its first call, for seconds: better now than in the first tasks.
        _until(self._answers, check=self.check, deadline=deadline, what=f"no answer from {self.airflow.url}")
        _until(self._beats, check=self.check, deadline=deadline, what=f"not healthy; see {self.airflow.logs}")

    def _answers(self) -> bool:
        try:
            self.api.warm_up()
        except AirflowError:
            return False
        return True

    def _beats(self) -> bool:
        health = self.api.get("/monitor/health")
        return all(health[part]["status"] == "healthy" for part in _HEALTHY_PARTS)

    def stop(self) -> None:
        """Stop everything; stopping twice does nothing."""
        self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        end_session(self._keeper.pid)


def _until(condition: Callable[[], bool], *, check: Callable[[], None], deadline: float, what: str) -> None:
    while not condition():
        check()
        if time.monotonic() > deadline:
            raise AirflowError(f"Airflow did not start within {HEALTHY_SECONDS} s: {what}")
        time.sleep(0.2)


@contextmanager
def alone(settings: Settings) -> Iterator[int]:
    """Hold the lock of this home's Airflow; yields the open lock file. What a crash left is ended first.

    Raises AirflowError where an Airflow of the same home runs already.
    """
    home = settings.home / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AirflowError(
                f"an Airflow of {home} runs already (make ui or make run, in another terminal): stop it first"
            ) from None
        _end_what_a_crash_left(home)
        yield lock.fileno()


@contextmanager
def running(airflow: Airflow, *, lock: int) -> Iterator[Server]:
    """Airflow's components, started and, however the caller ends, stopped again."""
    server = Server(airflow, _start_keeper(airflow, lock))
    try:
        yield server
    finally:
        server.stop()


def _start_keeper(airflow: Airflow, lock: int) -> subprocess.Popen:
    with (airflow.logs / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "doudi.orchestration.keeper", str(airflow.logs)],
            env=airflow.process_environment(),
            cwd=airflow.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            pass_fds=(lock,),  # held by the keeper too: should we be killed, nobody starts before all has ended
        )
    record = {"session": keeper.pid, "started": psutil.Process(keeper.pid).create_time()}
    (airflow.home / "running.json").write_text(json.dumps(record))
    return keeper


def _end_what_a_crash_left(home: Path) -> None:
    """End the components of a keeper that was killed: all of its session, unless its number is another's by now."""
    path = home / "running.json"
    if not path.exists():
        return
    record = json.loads(path.read_text())
    if record["started"] > psutil.boot_time() and _leader(record) in (None, record["started"]):
        end_session(record["session"])
    path.unlink()


def _leader(record: dict[str, Any]) -> float | None:
    """When the process with the keeper's number started. It is not the keeper at work, since we have the lock."""
    try:
        return psutil.Process(record["session"]).create_time()
    except psutil.NoSuchProcess:
        return None


def is_running(settings: Settings) -> bool:
    """Whether the Airflow of this home runs, whoever started it."""
    return _keeper_of(settings) is not None


def _keeper_of(settings: Settings) -> psutil.Process | None:
    path = settings.home / "airflow" / "running.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    try:
        keeper = psutil.Process(record["session"])
        lives = keeper.create_time() == record["started"] and keeper.status() != psutil.STATUS_ZOMBIE
        return keeper if lives else None
    except psutil.NoSuchProcess:
        return None


def stop(settings: Settings) -> bool:
    """Stop the Airflow of this home, whoever started it. Returns False where none was running."""
    keeper = _keeper_of(settings)
    if keeper is None:
        return False
    try:
        keeper.terminate()
        keeper.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        raise AirflowError(f"the Airflow of {settings.home} did not stop within {STOP_SECONDS} s") from None
    return True
