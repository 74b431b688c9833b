"""A night on two Celery workers, one of which is lost in the middle of a load: it ends as if nothing had happened."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import psutil
import psycopg
import pytest
from celery_machine import Machine, kill_session
from databases import copied, url_of
from rich.console import Console
from warehouse_state import SUM_RULE_BROKEN, checksums, content

from doudi import loads, transform
from doudi.contracts import Contract
from doudi.orchestration.api import AirflowError, Api
from doudi.orchestration.night import Night
from doudi.orchestration.progress import Progress
from doudi.orchestration.snapshot import Snapshot
from doudi.settings import Settings
from doudi.synth.generate import generate
from doudi.warehouse.schema import initialise

AS_OF = date(2020, 6, 30)
FEED = "poverty_register"  # whose load is cut off
START_SECONDS = 600  # of a busy machine
PATIENCE_SECONDS = 600
IMPATIENT = {  # forty seconds of silence and not five minutes, and a day of the synthetic county
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_DETECTION_INTERVAL": "2",
    "DOUDI_AS_OF": AS_OF.isoformat(),
}


@dataclass(frozen=True, kw_only=True)
class Airflow:
    """The services at work: what a night needs of a server, and the processes of the two workers."""

    api: Api
    airflow: Any
    started: datetime
    processes: dict[str, subprocess.Popen]

    def check(self) -> None:
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        if ended:
            raise AirflowError(f"{', '.join(ended)} ended by itself")

    def lose(self, name: str) -> int:
        """A service is gone with all its processes; returns how many these were."""
        return kill_session(self.processes.pop(name).pid)


@pytest.fixture(scope="module")
def inbox(machine: Machine, settings: Settings) -> Path:
    folder = machine.home / "inbox"
    generate(folder, persons=400, seed=3, as_of=AS_OF, division_file=settings.dbt_project / "seeds" / "division.csv")
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    machine: Machine, inbox: Path, settings: Settings, contracts: dict[str, Contract], server_url: str,
    template: str, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:  # fmt: skip
    """The URL of a warehouse in which the same night was had in one process, with the same key."""
    home = tmp_path_factory.mktemp("undisturbed")
    with copied(server_url, template=template) as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_IDENTIFIER_KEY", machine.secret("identifier_key"))
        url = url_of(server_url, name)
        own = replace(settings, project=machine.image, database_url=url, home=home, inbox=inbox, as_of=AS_OF)
        initialise(url, own)
        for feed in contracts:
            loads.take_in(feed, settings=own)
        transform.build(url=url, settings=own, as_of=AS_OF)
        yield url


@contextmanager
def services(machine: Machine) -> Iterator[Airflow]:
    """Everything of the profile celery, with two workers that take one task at a time."""
    account = SimpleNamespace(
        port=machine.port, password=machine.secret("airflow_admin_password"),
        url=f"http://127.0.0.1:{machine.port}", logs=machine.folder / "logs",
    )  # fmt: skip
    with ExitStack() as stack:
        with machine.running("initialise") as initialise_process:
            assert initialise_process.wait(START_SECONDS) == 0, machine.log("initialise")
        started = datetime.now(UTC)
        processes = {
            name: stack.enter_context(machine.running(name, **IMPATIENT))
            for name in ("api-server", "celery-scheduler", "dag-processor", "triggerer")
        }
        for name in ("worker-1", "worker-2"):
            options = ("--celery-hostname", f"{name}@%h", "--pid", str(machine.folder / f"{name}.pid"))
            one_at_a_time = {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "1"}
            processes[name] = stack.enter_context(
                machine.running("worker", *options, name=name, **IMPATIENT, **one_at_a_time)
            )
        airflow = Airflow(api=Api(airflow=account), airflow=account, started=started, processes=processes)
        _until(lambda: _is_healthy(airflow), seconds=START_SECONDS, what="Airflow is healthy", check=airflow.check)
        yield airflow


def test_a_night_that_loses_a_worker_amid_a_load_ends_like_an_undisturbed_one(
    machine: Machine, undisturbed: str, contracts: dict[str, Contract]
) -> None:
    warehouse = machine.secret("warehouse_url")
    with services(machine) as airflow, psycopg.connect(machine.owner_url, autocommit=True) as watcher:
        with psycopg.connect(machine.owner_url) as holder:
            holder.execute(f"lock table register.{FEED} in access exclusive mode")  # so far a load gets
            night = _Night(airflow, feeds=list(contracts))
            port = _until(lambda: _waiting_load(watcher), what="a load waits", check=night.check)
            lost = _worker_at(port, airflow)
            assert _landed_rows(watcher) > 0
            assert airflow.lose(lost) > 1
            # while the table is still held: the server finds out by itself, and the load's locks are free
            _until(lambda: not _waiting_load(watcher), seconds=60, what="it is let go", check=night.check)
        result = night.end()

        refused = {f"feed_{feed}.refusals" for feed in _feeds_with_refusals(undisturbed)}
        assert set(result.failed) == refused
        tries = airflow.api.pages("/dags/~/dagRuns/~/taskInstances", "task_instances", dag_ids=[f"feed_{FEED}"])
        assert max(task["try_number"] for task in tries if task["task_id"] == "load") > 1

    with psycopg.connect(warehouse) as session:
        assert session.execute(SUM_RULE_BROKEN).fetchall() == []
        attempts = "select max(attempts) from ops.load where feed = %s"
        assert session.execute(attempts, (FEED,)).fetchone()[0] > 1
        assert session.execute("select tablename from pg_tables where schemaname = 'landing'").fetchall() == []
    for told in (content, lambda url: checksums(url, "identity", "marts", "reference")):
        found, expected = told(machine.owner_url), told(undisturbed)
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name] == expected[name], name


class _Night:
    """The night as `make run` drives it, in a thread, so that something can happen to it meanwhile."""

    def __init__(self, airflow: Airflow, *, feeds: list[str]) -> None:
        self._result: Snapshot | BaseException | None = None
        progress = Progress(Console(width=150))
        night = Night(server=airflow, feeds=feeds, marts_are_due=lambda: False, progress=progress)
        self._thread = Thread(target=self._run, args=(night,), daemon=True)
        self._thread.start()

    def _run(self, night: Night) -> None:
        try:
            self._result = night.run()
        except BaseException as error:
            self._result = error

    def check(self) -> None:
        if isinstance(self._result, BaseException):
            raise self._result
        assert self._thread.is_alive(), "the night was over too early"

    def end(self) -> Snapshot:
        self._thread.join()
        if isinstance(self._result, BaseException):
            raise self._result
        assert self._result is not None
        return self._result


def _waiting_load(session: psycopg.Connection) -> int | None:
    """The client's port of the load that waits for the lock, None where none does."""
    row = session.execute(
        """
        select client_port from pg_stat_activity
        where application_name = %s and wait_event_type = 'Lock' and wait_event = 'relation'
        """,
        (f"doudi load {FEED}",),
    ).fetchone()
    return row and row[0]


def _landed_rows(session: psycopg.Connection) -> int:
    """How many rows of the feed lie in the tables of a load."""
    query = "select tablename from pg_tables where schemaname = 'landing' and tablename ~ %s"
    ((table,),) = session.execute(query, (f"^{FEED}_[0-9]+$",)).fetchall()
    return session.execute(f"select count(*) from landing.{table}").fetchone()[0]


def _worker_at(port: int, airflow: Airflow) -> str:
    """Which worker's session the process belongs to whose end of a connection has that port."""
    (pid,) = {each.pid for each in psutil.net_connections("tcp") if each.laddr.port == port and each.pid}
    (name,) = [name for name, process in airflow.processes.items() if process.pid == os.getsid(pid)]
    return name


def _is_healthy(airflow: Airflow) -> bool:
    try:
        airflow.api.warm_up()
        health = airflow.api.get("/monitor/health")
    except AirflowError:
        return False
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all(health[part]["status"] == "healthy" for part in parts)


def _until(
    condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS, what: str, check: Callable[[], None]
) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        check()
        assert time.monotonic() < deadline, f"after {seconds} s not yet: {what}"
        time.sleep(0.2)
    return found


def _feeds_with_refusals(url: str) -> list[str]:
    with psycopg.connect(url) as session:
        return [feed for (feed,) in session.execute("select distinct feed from ops.load where status = 'refused'")]
