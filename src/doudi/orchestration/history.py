"""Airflow's own history: log files, and rows of runs and tasks, which Airflow's own command removes."""

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from doudi.maintenance import Outcome, RetentionError, files_in, load_policy, older_than, remove, size_of
from doudi.orchestration.environment import noted_variables
from doudi.settings import TIME_ZONE, Settings

_RULE = "airflow_history"
_CONNECTION = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_OF_A_TASK = ("_AIRFLOW_PROCESS_CONTEXT", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
_FOUND = re.compile(r"^Found (\d+) rows", re.MULTILINE)


def clear_history(settings: Settings, *, dry_run: bool = False, now: datetime | None = None) -> list[Outcome]:
    """Remove what of Airflow's history is past its time in retention.yml: files first, then rows.

    Raises RetentionError where its command fails.
    """
    policy, moment = load_policy(settings.retention), now or datetime.now(TIME_ZONE)
    cutoff = policy.cutoff(_RULE, now=moment)
    if cutoff is None:
        return []
    folder = Path(os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER") or settings.home / "airflow" / "logs")
    past = older_than(files_in(folder), cutoff)
    files = Outcome(rule=_RULE, kept=policy.kept(_RULE), what="log files", count=len(past), size=size_of(past))
    if not dry_run:
        remove(*past)
        _remove_empty_folders(folder, older=moment - timedelta(days=1))
    environment = _environment(settings)
    if environment is None and not any(name.startswith("AIRFLOW__") for name in os.environ):
        return [files]  # no Airflow was ever set up here
    if environment is None:
        rows, left = 0, ("this process has no way into Airflow's database: airflow db clean where the scheduler runs",)
    else:
        rows, left = _clean(environment, cutoff=cutoff, dry_run=dry_run), ()
    return [files, Outcome(rule=_RULE, kept=policy.kept(_RULE), what="rows of runs", count=rows, size=None, left=left)]


def _clean(environment: dict[str, str], *, cutoff: datetime, dry_run: bool) -> int:
    command = [sys.executable, "-m", "airflow", "db", "clean", "--clean-before-timestamp", cutoff.isoformat()]
    command += ["--dry-run"] if dry_run else ["--yes", "--skip-archive", "--error-on-cleanup-failure"]
    cleaning = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if cleaning.returncode:
        raise RetentionError(f"airflow db clean ended with {cleaning.returncode}: run it by hand to see why")
    return sum(map(int, _FOUND.findall(cleaning.stdout)))


def _environment(settings: Settings) -> dict[str, str] | None:
    """What Airflow's command needs; None where its database cannot be reached from here.

    A task must not ask Airflow's database, and Airflow takes the connection out of its environment; its own command,
    which this is, gets it back from where an installation has it.
    """
    variables = {name: value for name, value in os.environ.items() if name not in _OF_A_TASK}
    if "not-allowed" in variables.get(_CONNECTION, ""):
        del variables[_CONNECTION]
    if (settings.home / "airflow" / "migrated.json").exists():  # its tables are there
        noted = noted_variables(settings).items()
        variables |= {name: value for name, value in noted if name.startswith("AIRFLOW_")}
    reachable = any(variables.get(f"{_CONNECTION}{how}") for how in ("", "_CMD", "_SECRET"))
    return variables if reachable else None


def _remove_empty_folders(folder: Path, *, older: datetime) -> None:
    """The deepest first. One in which something was just written or removed stays, as a task may be about to write."""
    folders = [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
    for path in sorted(older_than(folders, older), key=lambda each: -len(each.parts)):
        try:
            path.rmdir()
        except OSError:
            continue
