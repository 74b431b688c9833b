"""What Postgres writes goes into a file as it comes."""

from pathlib import Path

import psycopg
from psycopg import sql

_BUFFER_BYTES = 1 << 20


def copy_out(connection: psycopg.Connection, command: sql.Composed, path: Path, *, before: bytes = b"") -> int:
    """Write ``before`` and then the bytes of a ``copy … to stdout`` into a file; returns how many rows they are."""
    with path.open("wb", buffering=_BUFFER_BYTES) as file, connection.cursor() as cursor:
        file.write(before)
        with cursor.copy(command) as rows:
            for row in rows:
                file.write(row)
        return cursor.rowcount
