"""How Airflow is configured: its home under DOUDI_HOME/airflow, its secrets, and every option as a variable.

Nothing of an Airflow elsewhere on the machine is taken over: its AIRFLOW… variables are left out, but for the
connections in AIRFLOW_CONN_…. Options that are not set here can be set in the home's airflow.cfg.
"""

import base64
import json
import os
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from doudi import lineage
from doudi.cores import cores
from doudi.ports import free_port
from doudi.private import write_private
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse.connection import sqlalchemy_url

HOST = "127.0.0.1"
USER = "admin"
_SHELL_FILE = "environment.sh"
SCHEMA = "airflow"  # in the warehouse's own database, so that one backup holds both
_TOKEN_SECONDS = 7 * 24 * 3600  # a task's token is not renewed reliably (airflow#67939): longer than the longest task


@dataclass(frozen=True, kw_only=True)
class Airflow:
    """One installation of Airflow: where it lives, how to reach it, and the variables that configure it."""

    home: Path
    port: int
    password: str
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def logs(self) -> Path:
        """Logs of the components; those of tasks and of DAG parsing lie in folders below."""
        return self.home / "logs"

    @property
    def shell_file(self) -> Path:
        """A file that a shell reads before Airflow's own command is used by hand."""
        return self.home / _SHELL_FILE

    def process_environment(self) -> dict[str, str]:
        """What a component's process gets: our own environment without another Airflow's, and the variables."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AIRFLOW_") or name.startswith("AIRFLOW_CONN_")
        }
        return kept | self.variables


def prepare(settings: Settings, *, database_url: str) -> Airflow:
    """Make the home where there is none, choose a free port, and return the configuration.

    The secrets are made once and kept in files that only their owner reads.
    """
    home = settings.home / "airflow"
    (home / "logs").mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    state = _state(home)
    port = free_port(state.get("port", 0))
    write_private(home / "state.json", json.dumps(state | {"port": port}, indent=2))
    write_private(home / "passwords.json", json.dumps({USER: state["password"]}))
    airflow = Airflow(
        home=home,
        port=port,
        password=state["password"],
        variables=_variables(settings, home=home, database_url=database_url, port=port, state=state),
    )
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(airflow.variables.items()))
    write_private(airflow.shell_file, exports)
    return airflow


def last_port(settings: Settings) -> int | None:
    """Where Airflow's web server listened the last time that it ran, None where it never did."""
    state = settings.home / "airflow" / "state.json"
    return json.loads(state.read_text()).get("port") if state.exists() else None


def shell_file(settings: Settings) -> Path:
    """That of the Airflow of this home; it is there once Airflow was set up."""
    return settings.home / "airflow" / _SHELL_FILE


def noted_variables(settings: Settings) -> dict[str, str]:
    """What that file exports; nothing where there is none."""
    path = shell_file(settings)
    words = shlex.split(path.read_text(encoding="utf-8"), comments=True) if path.exists() else []
    return dict(word.split("=", 1) for word in words if "=" in word)


def use_connections(settings: Settings) -> None:
    """Let this process, which is none of Airflow's, find the connections that Airflow keeps, and no other's home."""
    os.environ["AIRFLOW_HOME"] = str(settings.home / "airflow")
    if variables := noted_variables(settings):
        os.environ.update({name: value for name, value in variables.items() if name.startswith("AIRFLOW__")})
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"  # else only variables are asked


def _variables(
    settings: Settings, *, home: Path, database_url: str, port: int, state: dict[str, Any]
) -> dict[str, str]:
    address = f"http://{HOST}:{port}"
    metadata_url = _metadata_url(database_url)
    slots = min(4, cores() + 1)
    options = {
        "core": {
            "dags_folder": settings.project / "dags",
            "executor": "LocalExecutor",
            # A worker is often held up to a heartbeat longer than its task; what limits the tasks is the pool.
            "parallelism": 2 * slots + 2,
            "default_pool_task_slot_count": slots,
            "hostname_callable": "socket.gethostname",  # asking for the full name can take seconds of a broken DNS
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "default_timezone": TIME_ZONE.key,
            "execution_api_server_url": f"{address}/execution/",
            "fernet_key": state["fernet_key"],
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": home / "passwords.json",
        },
        "database": {"sql_alchemy_conn": metadata_url, "sql_alchemy_conn_async": metadata_url},
        "api": {"host": HOST, "port": port, "base_url": address, "secret_key": state["secret_key"], "workers": 1},
        "api_auth": {"jwt_secret": state["jwt_secret"], "jwt_expiration_time": _TOKEN_SECONDS},
        "execution_api": {"jwt_expiration_time": _TOKEN_SECONDS},
        "workers": {"min_heartbeat_interval": 2},
        # A DAG file that was changed is read within seconds; others (a contract was added) within a minute.
        "dag_processor": {"refresh_interval": 10, "min_file_process_interval": 60},
        "scheduler": {"scheduler_idle_sleep_time": 0.5},
        "logging": {
            "base_log_folder": home / "logs",
            "dag_processor_child_process_log_directory": home / "logs" / "dag_processor",
            "file_task_handler_new_folder_permissions": "0o700",
            "file_task_handler_new_file_permissions": "0o600",
            "colored_console_log": False,
            "namespace_levels": "great_expectations=WARNING http.access=WARNING",
        },
    }
    airflow = {
        f"AIRFLOW__{section}__{name}".upper(): str(value)
        for section, values in options.items()
        for name, value in values.items()
    }
    return airflow | {"AIRFLOW_HOME": str(home)} | _lineage(settings) | _quiet_libraries() | _doudi(settings)


def _lineage(settings: Settings) -> dict[str, str]:
    """Airflow's events go where those of the data go; they hold no source code."""
    where = lineage.transport(settings)
    variables = {"NAMESPACE": lineage.NAMESPACE, "DISABLE_SOURCE_CODE": "True"}
    variables |= {"TRANSPORT": json.dumps(where)} if where else {"DISABLED": "True"}
    kept = {name: os.environ[name] for name in ("DOUDI_LINEAGE", "DOUDI_LINEAGE_KEY") if os.environ.get(name)}
    return {f"AIRFLOW__OPENLINEAGE__{name}": value for name, value in variables.items()} | kept


def _doudi(settings: Settings) -> dict[str, str]:
    """What tasks read their settings from: the same as ours, whatever the shell that started us had."""
    return {
        "DOUDI_PROJECT": str(settings.project),
        "DOUDI_HOME": str(settings.home),
        "DOUDI_INBOX": str(settings.inbox),
        "DOUDI_OUT": str(settings.out),
        "DOUDI_SOURCES": str(settings.sources),
        "DOUDI_DATABASE_URL": settings.database_url or "",
        "DOUDI_DATABASE_URL_FILE": "",
        "DOUDI_AS_OF": settings.as_of.isoformat() if settings.as_of else "",
    }


def _quiet_libraries() -> dict[str, str]:
    """Nobody is told that we run: the libraries' reports to their makers are off."""
    return {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "GX_ANALYTICS_ENABLED": "false"}


def _metadata_url(url: str) -> str:
    """The warehouse's URL with Airflow's schema as the one that names without a schema mean.

    [database] sql_alchemy_schema would not do: `db migrate` then leaves the version table in public and misses the log
    template. A dollar sign is encoded, since Airflow would take it for a variable's name.
    """
    parts = urlsplit(sqlalchemy_url(url))
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -csearch_path={SCHEMA}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote))).replace("$", "%24")


def _state(home: Path) -> dict[str, Any]:
    path = home / "state.json"
    if path.exists():
        return json.loads(path.read_text())
    return {
        "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "jwt_secret": secrets.token_urlsafe(64),
        "secret_key": secrets.token_urlsafe(32),
        "password": secrets.token_urlsafe(12),
    }
