"""Airflow in a home of its own: it reads where that is when it is first imported."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doudi.settings import Settings

_HOME = tempfile.mkdtemp(prefix="doudi-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ |= {"AIRFLOW_HOME": _HOME, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


@pytest.fixture
def installation(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What tasks find when they ask for the settings: an empty home."""
    own = replace(settings, home=tmp_path, inbox=tmp_path / "inbox", out=tmp_path / "out", as_of=None)
    monkeypatch.setattr("doudi.orchestration.tasks.load_settings", lambda: own)
    unreachable = replace(own, database_url="postgresql://127.0.0.1:1/nowhere")
    monkeypatch.setattr("doudi.orchestration.failures.load_settings", lambda: unreachable)
    return own


@pytest.fixture(scope="session")
def read_dags(settings: Settings) -> Callable[..., dict[str, Any]]:
    """Read the DAG files as Airflow does, in a fresh process with ``variables``, and tell what came of it."""

    def read(**variables: str) -> dict[str, Any]:
        process = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("read_dags.py")), str(settings.project / "dags")],
            env={**os.environ, "DOUDI_HOME": _HOME, **variables},
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return read


@pytest.fixture(scope="session")
def all_dags(read_dags: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return read_dags()
