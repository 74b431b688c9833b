"""Airflow's connections: host and credentials of a source, from AIRFLOW_CONN_… variables or Airflow's own store."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Connection


class SourceError(OSError):
    """A source could not be read now. The message names the source and what happened, never host or credentials."""


def get(connection_id: str) -> "Connection":
    """The connection of that id. Raises SourceError where none is known."""
    found = find(connection_id)
    if found is None:
        raise SourceError(f"no Airflow connection {connection_id} is known")
    return found


def password(*connection_ids: str) -> str | None:
    """The password of the first of these connections that is known and has one, such as a zip archive's."""
    for connection_id in connection_ids:
        found = find(connection_id)
        if found is not None and found.password:
            return found.password
    return None


def find(connection_id: str) -> "Connection | None":
    """The connection of that id, None where none is known."""
    if not _is_anywhere_to_look():
        return None
    from airflow.sdk import Connection  # takes more than a second
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(connection_id)
    except AirflowNotFoundException:
        return None


def _is_anywhere_to_look() -> bool:
    """Airflow that has neither variables nor a configuration knows no connection, however long it takes to say so."""
    if "airflow" in sys.modules or any(name.startswith(("AIRFLOW_C", "AIRFLOW__", "_AIRFLOW_")) for name in os.environ):
        return True
    home = os.environ.get("AIRFLOW_HOME") or "~/airflow"
    return (Path(os.path.expandvars(home)).expanduser() / "airflow.cfg").exists()
