"""Keeps Airflow's components for as long as somebody wants them: ``python -m doudi.orchestration.keeper LOGS``.

It leads a session of its own, so that Ctrl-C in a terminal reaches only the program that started it, and so that all
that the components start (workers, tasks, and what these start) can be found by that session. It holds one end of a
pipe: when the other end closes, because its starter is done, was killed or crashed, everything is stopped.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from doudi.orchestration.component import ARGUMENTS

FINISH_SECONDS = 15  # for tasks that are at work when everything is to stop
END_SECONDS = 5
_POLL_SECONDS = 0.2


def main(logs: Path) -> int:
    """Run until standard input closes, a signal comes or a component ends. Returns 1 in the last case, else 0."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, _ask_to_stop)
    components: dict[str, subprocess.Popen] = {}
    try:
        for name in ARGUMENTS:
            components[name] = _start(name, logs)
        ended = _watch(components)
    except KeyboardInterrupt:
        ended = None
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    if ended:
        code = components[ended].returncode
        print(f"Airflow's {ended} ended by itself ({code}); see {_log(logs, ended)}", flush=True)
    _stop(components)
    return int(ended is not None)


def _ask_to_stop(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _log(logs: Path, name: str) -> Path:
    return logs / f"{name}.log"


def _start(name: str, logs: Path) -> subprocess.Popen:
    with _log(logs, name).open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "doudi.orchestration.component", name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _watch(components: dict[str, subprocess.Popen]) -> str | None:
    """Wait until the pipe closes (None) or a component ends (its name)."""
    while True:
        readable, _, _ = select.select([sys.stdin.buffer], [], [], _POLL_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1):
            return None
        for name, process in components.items():
            if process.poll() is not None:
                return name


def _stop(components: dict[str, subprocess.Popen]) -> None:
    """End the scheduler first, so that tasks at work can still report to the web server; then all the rest."""
    if scheduler := components.get("scheduler"):
        scheduler.terminate()
        _wait_for([scheduler], FINISH_SECONDS)
    for process in components.values():
        process.terminate()
    _wait_for(list(components.values()), END_SECONDS)
    end_session(os.getpid(), seconds=END_SECONDS)


def _wait_for(processes: list[subprocess.Popen], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return


def end_session(session: int, *, seconds: float = END_SECONDS) -> int:
    """End every process of ``session`` but its leader and ourselves. Returns how many there were."""
    found = session_members(session)
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for process in session_members(session):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signum)
        deadline = time.monotonic() + seconds
        while session_members(session) and time.monotonic() < deadline:
            time.sleep(0.1)
    return len(found)


def session_members(session: int) -> list[psutil.Process]:
    """The live processes of ``session`` but its leader. Tasks have process groups, but no sessions, of their own."""
    return [process for process in psutil.process_iter(["status"]) if _belongs(process, session)]


def _belongs(process: psutil.Process, session: int) -> bool:
    if process.pid in (session, os.getpid()) or process.info["status"] == psutil.STATUS_ZOMBIE:
        return False
    try:
        return os.getsid(process.pid) == session
    except (ProcessLookupError, PermissionError):
        return False


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
