"""Airflow, where this home has one: its tables in the warehouse's database, its DAGs and what should be at work."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from doudi.doctor.finding import Finding
from doudi.orchestration.environment import SCHEMA, noted_variables, shell_file
from doudi.orchestration.server import is_running
from doudi.settings import Settings

_SILENT_SECONDS = 120  # both say every five seconds that they are alive
_BEATING = {"SchedulerJob": "scheduler", "DagProcessorJob": "DAG processor"}


def airflow(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    variables = shell_file(settings)
    if not variables.exists():
        return
    yield from _address(connection, noted_variables(settings))
    if connection.execute("select to_regclass(%s)", (f"{SCHEMA}.import_error",)).fetchone()[0] is None:
        yield Finding(
            fault="airflow.tables",
            severity="error",
            what=f"Airflow's tables are not in the schema {SCHEMA} of the warehouse's database",
            meaning="no DAG can run; without Airflow doudi run does a night",
            command="make ui, which makes them",
        )
        return
    if is_running(settings):
        yield from _silent(connection, settings)
    else:
        yield Finding(
            fault="airflow.stopped",
            severity="warning",
            what="Airflow does not run",
            meaning="no night begins by itself, unless something else calls make run or doudi run",
            command="make ui",
        )
    yield from _import_errors(connection, variables)
    yield from _paused(connection, variables)


def _address(connection: psycopg.Connection, variables: dict[str, str]) -> Iterator[Finding]:
    """Whether Airflow's own command by hand would find the database: a server may have another port since."""
    noted = variables.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    here = (connection.info.host, connection.info.port, connection.info.dbname)
    if noted is None:
        return
    url = urlsplit(noted)
    there = (url.hostname, url.port or 5432, url.path.removeprefix("/"))
    if there != here:
        yield Finding(
            fault="airflow.address",
            severity="error",
            what=f"Airflow looks for its tables at {there[0]}:{there[1]}, and the server is at {here[0]}:{here[1]}",
            meaning="its command and the connections of sources and recipients are out of reach",
            command="stop make ui where it runs, and start it again: it writes the address anew",
        )


def _silent(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    rows = connection.execute(
        f"""
        select job_type, extract(epoch from clock_timestamp() - max(latest_heartbeat))::integer
        from {SCHEMA}.job
        where job_type = any(%s)
        group by job_type
        having max(latest_heartbeat) < clock_timestamp() - make_interval(secs => %s)
        """,
        (list(_BEATING), _SILENT_SECONDS),
    ).fetchall()
    for job, seconds in rows:
        yield Finding(
            fault="airflow.silent",
            severity="error",
            what=f"Airflow runs, but its {_BEATING[job]} has not been heard of for {seconds} s",
            meaning="no task is begun",
            command=f"tail {settings.home / 'airflow' / 'logs'}/*.log; then Ctrl-C in make ui, and make ui again",
        )


def _import_errors(connection: psycopg.Connection, variables: Path) -> Iterator[Finding]:
    rows = connection.execute(f"select distinct filename from {SCHEMA}.import_error order by filename").fetchall()
    if rows:
        yield Finding(
            fault="airflow.import_errors",
            severity="error",
            what=f"Airflow could not read {', '.join(str(name) for (name,) in rows)}",
            meaning="the DAGs in it do not run, or run as they were before",
            command=f". {variables} && .venv/bin/airflow dags list-import-errors",
        )


def _paused(connection: psycopg.Connection, variables: Path) -> Iterator[Finding]:
    rows = connection.execute(
        f"select dag_id from {SCHEMA}.dag where is_paused and not is_stale order by dag_id"
    ).fetchall()
    if rows:
        names = [name for (name,) in rows]
        yield Finding(
            fault="airflow.paused",
            severity="warning",
            what=f"paused: {', '.join(names)}",
            meaning="they do not run until somebody lets them",
            command=f". {variables} && .venv/bin/airflow dags unpause {names[0]}",
        )
