"""The warehouse's database made ready for a night: its own schemas, and Airflow's tables in a schema beside them."""

import json
import subprocess
import sys
from importlib.metadata import version

from doudi.orchestration.api import AirflowError
from doudi.orchestration.environment import SCHEMA, Airflow
from doudi.settings import Settings
from doudi.warehouse.connection import connect
from doudi.warehouse.schema import initialise


def create_what_is_missing(url: str, settings: Settings) -> None:
    """Create the warehouse's schemas and tables, and the empty schema for Airflow's."""
    initialise(url, settings)
    with connect(url, step="init") as connection:
        connection.execute(f"create schema if not exists {SCHEMA}")


def migrate(airflow: Airflow, *, url: str) -> None:
    """Bring Airflow's tables to the installed version, unless that version did so before in this database.

    Raises AirflowError where it fails.
    """
    stamp = airflow.home / "migrated.json"
    if stamp.exists() and json.loads(stamp.read_text()) == _revision(url):
        return
    log = airflow.logs / "migrate.log"
    with log.open("w") as output:
        migration = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=airflow.process_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if migration.returncode:
        raise AirflowError(f"airflow db migrate failed; see {log}")
    stamp.write_text(json.dumps(_revision(url)))


def _revision(url: str) -> dict[str, str | None]:
    """What version of its tables Airflow says this database has; None where it has none."""
    with connect(url, step="airflow revision") as connection:
        there = connection.execute(f"select to_regclass('{SCHEMA}.alembic_version')").fetchone()[0]
        revision = connection.execute(f"select version_num from {SCHEMA}.alembic_version").fetchone() if there else None
    return {"airflow": version("apache-airflow"), "revision": revision[0] if revision else None}
