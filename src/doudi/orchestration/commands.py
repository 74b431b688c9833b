"""What `make run` and `make ui` do: Airflow set up, started, used and stopped."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

from rich.console import Console

from doudi.contracts import load_contracts
from doudi.orchestration.database import create_what_is_missing, migrate
from doudi.orchestration.environment import USER, Airflow, prepare
from doudi.orchestration.night import Night
from doudi.orchestration.progress import Progress
from doudi.orchestration.server import Server, alone, running
from doudi.orchestration.snapshot import Snapshot
from doudi.orchestration.synthetic import SyntheticCounty, inbox_being_made
from doudi.settings import Settings
from doudi.warehouse.connection import warehouse_url


def run_night(settings: Settings, *, synthetic: SyntheticCounty | None = None, console: Console | None = None) -> int:
    """Run one night on Airflow and print what came of it.

    With ``synthetic`` the inbox is filled with that county's deliveries first, unless it holds some. Returns 0 where
    all went well, 1 where a task failed or a file in the inbox is no delivery. Raises AirflowError where Airflow
    itself fails, SettingsError where there is no inbox or the home holds another synthetic county.
    """
    console = console or _console()
    progress, began = Progress(console), datetime.now(UTC)
    with (
        _ending_on_signals(),
        alone(settings) as lock,
        inbox_being_made(settings, synthetic) as inbox,
        _airflow(settings, lock=lock, progress=progress) as (server, url),
    ):
        with progress.doing("the inbox"):
            told = inbox()
        progress.say(f"{told}; Airflow is at {server.airflow.url}, see make ui for its login")
        result = _night(settings, url=url, server=server, progress=progress)
        with progress.doing("stopping Airflow"):
            server.stop()
    return _conclude(settings, began=began, result=result, console=console)


def serve(settings: Settings, *, console: Console | None = None) -> NoReturn:
    """Keep the scheduler and the web interface up until Ctrl-C (KeyboardInterrupt).

    Raises AirflowError where Airflow fails or is stopped from outside.
    """
    progress = Progress(console or _console())
    with (
        _ending_on_signals(),
        alone(settings) as lock,
        _airflow(settings, lock=lock, progress=progress) as (server, _),
    ):
        _print_places(server.airflow, progress.console)
        while True:
            server.check()
            time.sleep(1)


@contextmanager
def _airflow(settings: Settings, *, lock: int, progress: Progress) -> Iterator[tuple[Server, str]]:
    """Everything up that a night needs; yields Airflow and the warehouse's URL."""
    with progress.doing("PostgreSQL and the warehouse's schemas"):
        url = warehouse_url(settings)
        create_what_is_missing(url, settings)
    airflow = prepare(settings, database_url=url)
    with progress.doing("Airflow's tables"):
        migrate(airflow, url=url)
    with running(airflow, lock=lock) as server:
        try:
            with progress.doing("Airflow's scheduler, DAG processor and web server"):
                server.wait_until_healthy()
            yield server, url
        except BaseException:
            progress.say("stopping Airflow; tasks at work have some seconds to finish")
            raise


def _night(settings: Settings, *, url: str, server: Server, progress: Progress) -> Snapshot:
    from doudi.transform import is_needed

    night = Night(
        server=server,
        feeds=list(load_contracts(settings.contracts)),
        marts_are_due=lambda: is_needed(url, settings.date_of_run()),
        progress=progress,
    )
    with progress.doing(f"the night as of {settings.date_of_run()}"):
        return night.run()


def _conclude(settings: Settings, *, began: datetime, result: Snapshot, console: Console) -> int:
    """Print the summary and what went wrong. Returns the exit code."""
    from doudi.deliveries import in_folder
    from doudi.loads import waiting
    from doudi.summary import print_summary

    print_summary(settings, since=began, console=console)
    _, strange = in_folder(settings.inbox, feeds=load_contracts(settings.contracts))
    for refusal in strange:
        console.print(f"[red]not a delivery:[/] {refusal}")
    if feeds := sorted(waiting(settings=settings)):
        console.print(f"still to be taken in, by the next night: {', '.join(feeds)}")
    for name in result.failed:
        console.print(f"[red]failed:[/] {name}")
    for alert in _alerts(settings, since=began):
        console.print(f"  {alert['dag']}.{alert['task']}: {alert['message'] or alert['error']}", soft_wrap=True)
    return int(bool(result.failed or strange))


def _alerts(settings: Settings, *, since: datetime) -> list[dict]:
    path = settings.home / "alerts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    alerts = [json.loads(line) for line in lines]
    return [alert for alert in alerts if datetime.fromisoformat(alert["at"]) >= since.replace(microsecond=0)]


def _console() -> Console:
    """The terminal; a log file has no width of its own, and the one it is taken for cuts the tables."""
    return Console(width=None if sys.stdout.isatty() else 130)


def _print_places(airflow: Airflow, console: Console) -> None:
    lines = (
        f"Airflow: {airflow.url}   user {USER}, password {airflow.password}",
        f"logs: {airflow.logs}",
        f"its own command: . {airflow.shell_file} && .venv/bin/airflow dags list",
        "Ctrl-C stops both.",
    )
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what was started is stopped."""

    def end(signum: int, frame: object) -> None:
        raise SystemExit(128 + signum)

    signals = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {signum: signal.signal(signum, end) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
