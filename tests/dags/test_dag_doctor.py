"""What `doudi doctor` sees of Airflow: its tables as Airflow itself declares them, and what can be wrong in them."""

import json
from collections.abc import Callable
from dataclasses import replace

import psutil
import psycopg
import pytest
from airflow.jobs.job import Job
from airflow.models.dag import DagModel
from airflow.models.errors import ParseImportError
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from doudi.doctor import diagnose
from doudi.orchestration.environment import SCHEMA, prepare
from doudi.settings import Settings

Faults = Callable[[], set[str]]


@pytest.fixture
def faults(installation: Settings, warehouse_url: str) -> Faults:
    """The faults that are Airflow's, of an installation that has prepared one."""
    own = replace(installation, database_url=warehouse_url)
    prepare(own, database_url=warehouse_url)
    return lambda: {finding.fault for finding in diagnose(own) if finding.fault.startswith("airflow.")}


@pytest.fixture
def tables(warehouse_url: str, faults: Faults) -> psycopg.Connection:
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        session.execute(f"create schema {SCHEMA}; set search_path to {SCHEMA}")
        for model in (DagModel, Job, ParseImportError):
            bare = CreateTable(model.__table__, include_foreign_key_constraints=[])
            session.execute(str(bare.compile(dialect=postgresql.dialect())).replace("NOT NULL", ""))
        yield session


@pytest.fixture
def running(installation: Settings) -> None:
    """Airflow's keeper is at work: this process stands for it."""
    us = psutil.Process()
    record = {"session": us.pid, "started": us.create_time()}
    (installation.home / "airflow" / "running.json").write_text(json.dumps(record))


def test_tables_that_are_not_there(faults: Faults) -> None:
    assert faults() == {"airflow.tables"}


def test_airflow_that_does_not_run(faults: Faults, tables: psycopg.Connection) -> None:
    assert faults() == {"airflow.stopped"}


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("select", None),
        ("update job set latest_heartbeat = now() - interval '5 minutes' where job_type = 'SchedulerJob'", "silent"),
        ("insert into import_error (filename, stacktrace) values ('feeds.py', 'of a test')", "import_errors"),
        ("update dag set is_paused = true", "paused"),
        ("update dag set is_paused = true, is_stale = true", None),
    ],
)
def test_airflow_at_work(
    faults: Faults, tables: psycopg.Connection, running: None, statement: str, fault: str | None
) -> None:
    tables.execute(
        """
        insert into job (job_type, latest_heartbeat)
        values
        ('SchedulerJob', now() - interval '1 day'), ('SchedulerJob', now()), ('DagProcessorJob', now());
        insert into dag (dag_id, is_paused, is_stale) values ('build_marts', false, false)
        """
    )
    tables.execute(statement)
    assert faults() == ({f"airflow.{fault}"} if fault else set())


def test_a_server_that_has_another_port_since(
    faults: Faults, tables: psycopg.Connection, running: None, installation: Settings
) -> None:
    variables = installation.home / "airflow" / "environment.sh"
    variables.write_text(variables.read_text().replace(f":{tables.info.port}/", ":1/"))
    assert faults() == {"airflow.address"}
