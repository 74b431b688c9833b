"""Airflow is asked for a connection only where it may know one."""

import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
import sys
from doudi.connectors import connections
found = connections.find("civil_affairs")
print(found and found.host, "airflow" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environment", "has_configuration", "told"),
    [
        ({}, False, "None False"),
        ({"AIRFLOW_CONN_CIVIL_AFFAIRS": "sftp://ftp.example.org"}, False, "ftp.example.org True"),
        ({"AIRFLOW__CORE__UNIT_TEST_MODE": "False"}, False, "None True"),
        ({}, True, "None True"),
    ],
)
def test_airflow_is_imported_where_it_may_know_a_connection(
    tmp_path: Path, environment: dict[str, str], has_configuration: bool, told: str
) -> None:
    home = tmp_path / "airflow"
    if has_configuration:
        home.mkdir()
        (home / "airflow.cfg").write_text("")
    asked = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.splitlines()[-1] == told
