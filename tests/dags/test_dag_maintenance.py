"""The weekly tasks: retention.yml through the core, and Airflow's own history through its own command."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from doudi.orchestration import history, tasks
from doudi.orchestration.failures import TaskFailed
from doudi.settings import Settings

CONNECTION = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BLOCKED = "airflow-db-not-allowed:///"  # what Airflow leaves of its connection in the environment of a task


@pytest.fixture
def cleaned(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What Airflow's command was called with, and in which environment; it finds seven rows in two tables."""
    calls = []

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess:
        calls.append((command, env))
        told = "Checking table job\nFound 3 rows meeting deletion criteria.\nFound 4 rows meeting deletion criteria.\n"
        return subprocess.CompletedProcess(command, 0, stdout=told)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv(CONNECTION, BLOCKED)
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(installation.home / "logs"))
    return calls


def test_retention_is_carried_out_and_counted(
    warehouse_url: str, installation: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(installation, database_url=warehouse_url)
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    left = own.archive / ".disability_513431_20200331.csv.part"
    left.parent.mkdir()
    left.write_text("某甲")
    with psycopg.connect(warehouse_url) as session:
        session.execute(
            """
            insert into ops.load (
                feed, area_code, data_date, file_name, source_uri, source_modified_at, sha256, size_bytes, archive_path,
                mode
            )
            values ('disability', '513431', now(), '', '', now(), '', 1, '', 'events')
            """
        )
    counts = tasks.maintain()
    assert {rule: count for rule, count in counts.items() if count} == {"leftovers": 1}
    assert not left.exists()


def test_a_wrong_policy_is_not_tried_again(
    warehouse_url: str, installation: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "retention.yml").write_text("archived_deliveries: 10 yeers\n")
    own = replace(installation, database_url=warehouse_url, project=tmp_path)
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    with pytest.raises(
        TaskFailed, match=r"RetentionError: retention\.yml, line 1: archived_deliveries: 10 yeers is no"
    ):
        tasks.maintain()


def test_old_logs_and_old_runs_go_by_airflows_own_command(installation: Settings, cleaned: list) -> None:
    home, logs = installation.home / "airflow", installation.home / "logs"
    home.mkdir()
    (home / "migrated.json").write_text("{}")
    (home / "environment.sh").write_text(f"export {CONNECTION}='postgresql+psycopg://the one'\n")
    old, young, empty = logs / "dag_id=a" / "1.log", logs / "dag_id=b" / "1.log", logs / "dag_id=c"
    for path in (old, young):
        path.parent.mkdir(parents=True)
        path.write_text("12345")
    empty.mkdir()
    for path in (old, empty):
        os.utime(path, (0, 0))
    assert tasks.airflow_history() == {"log files": 1, "rows of runs": 7}
    assert [path.exists() for path in (old, young, empty)] == [False, True, False]
    assert old.parent.exists()  # a task may be about to write there; it goes the next time
    ((command, environment),) = cleaned
    assert command[1:5] == ["-m", "airflow", "db", "clean"]
    assert {"--yes", "--skip-archive"} <= set(command)
    assert environment[CONNECTION] == "postgresql+psycopg://the one"


def test_elsewhere_the_connection_is_told_by_a_command_or_not_at_all(
    installation: Settings, cleaned: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, rows = history.clear_history(installation)
    assert (files.count, rows.count, cleaned) == (0, 0, [])
    assert "no way into Airflow's database" in rows.left[0]
    monkeypatch.setenv(f"{CONNECTION}_CMD", "cat /run/secrets/airflow_database_url")
    files, rows = history.clear_history(installation, dry_run=True)
    ((command, environment),) = cleaned
    assert (rows.count, rows.left) == (7, ())
    assert "--dry-run" in command
    assert "--yes" not in command
    assert CONNECTION not in environment
    assert environment[f"{CONNECTION}_CMD"] == "cat /run/secrets/airflow_database_url"


def test_nothing_is_said_of_an_airflow_that_was_never_set_up(
    installation: Settings, cleaned: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW__")]:
        monkeypatch.delenv(name)
    (files,) = history.clear_history(installation)
    assert (files.count, cleaned) == (0, [])


def test_a_clean_that_fails_is_told(installation: Settings, cleaned: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{CONNECTION}_CMD", "cat nothing")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 3, stdout=""))
    with pytest.raises(TaskFailed, match="airflow db clean ended with 3"):
        tasks.airflow_history()
