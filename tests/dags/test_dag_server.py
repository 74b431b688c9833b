"""How Airflow is configured, and that nothing of it is left when who started it has gone."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from doudi.orchestration.environment import prepare
from doudi.orchestration.keeper import end_session, session_members
from doudi.settings import Settings

URL = "postgresql://doudi:se%24cret$@127.0.0.1:5432/doudi?connect_timeout=5"


def test_secrets_are_made_once_and_are_private(installation: Settings) -> None:
    first, second = prepare(installation, database_url=URL), prepare(installation, database_url=URL)
    assert first.variables == second.variables
    assert stat.S_IMODE(first.home.stat().st_mode) == 0o700
    for name in ("state.json", "passwords.json", "environment.sh"):
        assert stat.S_IMODE((first.home / name).stat().st_mode) == 0o600
    assert json.loads((first.home / "passwords.json").read_text()) == {"admin": first.password}


def test_two_homes_share_nothing(installation: Settings, tmp_path: Path) -> None:
    from dataclasses import replace

    one = prepare(replace(installation, home=tmp_path / "one"), database_url=URL)
    other = prepare(replace(installation, home=tmp_path / "other"), database_url=URL)
    for name in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_HOME"):
        assert one.variables[name] != other.variables[name]


def test_metadata_live_in_a_schema_of_their_own(installation: Settings) -> None:
    variables = prepare(installation, database_url=URL).variables
    expected = (
        "postgresql+psycopg://doudi:se%24cret%24@127.0.0.1:5432/doudi?connect_timeout=5&options=-csearch_path%3Dairflow"
    )
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == expected
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == expected


def test_another_airflow_of_this_machine_is_left_out(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/elsewhere/airflow.cfg")
    environment = prepare(installation, database_url=URL).process_environment()
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW_CONFIG" not in environment


def test_tasks_see_the_settings_that_were_given(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOUDI_AS_OF", "1999-01-01")
    environment = prepare(installation, database_url=URL).process_environment()
    assert environment["DOUDI_HOME"] == str(installation.home)
    assert environment["DOUDI_AS_OF"] == ""


STARTER = textwrap.dedent(
    """
    import subprocess, sys
    keeper = subprocess.Popen([sys.executable, sys.argv[1], sys.argv[2]], stdin=subprocess.PIPE, start_new_session=True)
    print(keeper.pid, flush=True)
    input()
    """
)
KEEPER = textwrap.dedent(
    """
    # A keeper of three components that do not listen, one with a task in a process group of its own.
    import subprocess, sys
    from pathlib import Path
    from doudi.orchestration import keeper

    DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    WORKER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {DEAF!r}], process_group=0)"
    keeper.FINISH_SECONDS = keeper.END_SECONDS = 0.3
    keeper._start = lambda name, logs: subprocess.Popen(
        [sys.executable, "-c", WORKER if name == "scheduler" else DEAF]
    )
    raise SystemExit(keeper.main(Path(sys.argv[1])))
    """
)


@pytest.fixture
def kept(tmp_path: Path) -> tuple[subprocess.Popen, int]:
    """A program that has started a keeper, and the keeper's number, once all is running."""
    (tmp_path / "keeper.py").write_text(KEEPER)
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "keeper.py"), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    session = int(starter.stdout.readline())
    wait_until(lambda: len(session_members(session)) == 4)
    yield starter, session
    starter.kill()
    starter.wait()
    end_session(session, seconds=0.1)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def gone(session: int) -> bool:
    leader_is_over = not psutil.pid_exists(session) or psutil.Process(session).status() == psutil.STATUS_ZOMBIE
    return leader_is_over and not session_members(session)


def test_all_end_when_the_starter_is_killed(kept: tuple[subprocess.Popen, int]) -> None:
    starter, session = kept
    starter.kill()
    wait_until(lambda: gone(session))


def test_all_end_when_a_component_ends(kept: tuple[subprocess.Popen, int]) -> None:
    _, session = kept
    component = next(process for process in session_members(session) if process.ppid() == session)
    component.send_signal(signal.SIGKILL)
    wait_until(lambda: gone(session))


def test_what_a_killed_keeper_leaves_is_found_by_its_session(kept: tuple[subprocess.Popen, int]) -> None:
    _, session = kept
    os.kill(session, signal.SIGKILL)
    assert end_session(session, seconds=0.3) == 4
    wait_until(lambda: gone(session))
