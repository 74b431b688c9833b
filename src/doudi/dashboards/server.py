"""Superset's web server: started, waited for and stopped."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from doudi.dashboards.declaration import DashboardError
from doudi.dashboards.installation import HOST, LISTEN_VARIABLE, Installation, with_free_port
from doudi.settings import Settings

START_SECONDS = 180  # a slow disk reading Superset for the first time
STOP_SECONDS = 20
_WORKERS, _THREADS = 2, 8


@contextmanager
def alone(settings: Settings) -> Iterator[int]:
    """Hold the lock of this home's Superset; yields the open lock file, for the server to hold on to as well.

    Raises DashboardError where a Superset of the same home runs already.
    """
    home = settings.home / "superset"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "running.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DashboardError(f"a Superset of {home} runs already: python -m doudi.dashboards stop") from None
        yield lock.fileno()


@contextmanager
def running(prepared: Installation, *, lock: int) -> Iterator[tuple[Installation, subprocess.Popen]]:
    """The web server, once it answers, and where; stopped at the end. Raises DashboardError where it does not start."""
    installation = with_free_port(prepared)
    log = installation.home / "server.log"
    listen = os.environ.get(LISTEN_VARIABLE) or HOST
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                str(installation.programs / "gunicorn"), "--bind", f"{listen}:{installation.port}",
                "--workers", str(_WORKERS), "--worker-class", "gthread", "--threads", str(_THREADS),
                "--timeout", "120", "--pid", str(_pid_file(installation.settings)), "superset.app:create_app()",
            ],
            env=installation.environment(),
            cwd=installation.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal is for us; we end the server then
            pass_fds=(lock,),  # should we be killed, the server says by it that it is there
        )  # fmt: skip
    try:
        _wait_until_it_answers(installation, server, log)
        yield installation, server
    finally:
        _end(server)


def stop(settings: Settings) -> bool:
    """Stop the Superset of this home, whoever started it. Returns False where none was running."""
    try:
        with alone(settings):
            return False
    except DashboardError:
        pid = int(_pid_file(settings).read_text())
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            with alone(settings):
                return True
        except DashboardError:
            time.sleep(0.2)
    raise DashboardError(f"the Superset of {settings.home} did not stop within {STOP_SECONDS} s")


def _pid_file(settings: Settings) -> Path:
    return settings.home / "superset" / "server.pid"


def _wait_until_it_answers(installation: Installation, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(installation.port):
        if server.poll() is not None:
            raise DashboardError(f"Superset ended as it started; see {log}")
        if time.monotonic() > deadline:
            raise DashboardError(f"no answer from {installation.url} within {START_SECONDS} s; see {log}")
        time.sleep(0.3)


def answers(port: int) -> bool:
    """Whether Superset is up at a port of this machine."""
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
