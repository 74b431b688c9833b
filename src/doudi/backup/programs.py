"""PostgreSQL's own programs, from the wheel; the URL is in their environment, where no list of processes shows it."""

import os
import subprocess
from pathlib import Path

import psycopg

from doudi.backup.sets import BackupError
from doudi.warehouse import cluster

_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT",
}  # fmt: skip


def run(program: str, *arguments: object, url: str) -> None:
    """Run one of PostgreSQL's programs against ``url``.

    Raises BackupError with the first line it said: pg_restore quotes statements below it, which may hold values.
    """
    parts = psycopg.conninfo.conninfo_to_dict(url)
    given = {_VARIABLES[name]: str(value) for name, value in parts.items() if name in _VARIABLES}
    command = [str(_path(program, url)), *map(str, arguments)]
    result = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, errors="replace")
    if result.returncode:
        told = next(iter(result.stderr.strip().splitlines()), f"ended with {result.returncode}")
        raise BackupError(f"{program} failed: {told}")


def _path(program: str, url: str) -> Path:
    """The wheel's PostgreSQL 18 reads every server we support, but a 16 does not take its dump: that has its own."""
    with psycopg.connect(url) as session:
        major = session.info.server_version // 10_000
    folder = cluster.binaries()
    older = folder.parents[1] / "pginstall" / "bin"
    return (older if major == 16 and (older / program).exists() else folder) / program
