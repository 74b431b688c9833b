"""Rows of a department's own database, as CSV: one statement, in one snapshot, read row by row and written nowhere.

A cut starts anew, since the snapshot it was read from is gone.
"""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from doudi.connectors import connections
from doudi.connectors.spool import Berth
from doudi.deliveries import make_durable
from doudi.sources import Database

FORM = "csv"
_ROWS_AT_A_TIME = 5000
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_NO_REPEATABLE_READ = {"oracle": "SERIALIZABLE", "sqlite": "SERIALIZABLE"}


def address(source: Database) -> str:
    """The database's address without credentials, and what is read of it."""
    url = _url(source)
    place = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return f"{place.render_as_string()}#{source.table or source.name}"


def pull(source: Database, *, day: date, berth: Berth, tell: Callable[[str], None]) -> None:
    """Write the statement's rows into the berth's part, in UTF-8 with a header line."""
    statement = text(source.query)
    named = {"data_date": day} if "data_date" in statement.compile().params else {}
    with _snapshot(source) as connection, berth.part.open("wb") as part:
        rows = connection.execute(statement, named)
        lines = io.TextIOWrapper(part, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(lines)
        writer.writerow(rows.keys())
        for some in rows.partitions(_ROWS_AT_A_TIME):
            writer.writerows([_as_text(value) for value in row] for row in some)
        lines.flush()
        make_durable(part)
        lines.detach()


def _as_text(value: Any) -> Any:
    """A value as the contracts' types read it; csv writes the others by their own text, and NULL as nothing."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return value


@contextmanager
def _snapshot(source: Database) -> Iterator[Connection]:
    """A connection whose transaction sees one state of the database and, where it can be said, may not write."""
    url = _url(source)
    isolation = _NO_REPEATABLE_READ.get(url.get_backend_name(), "REPEATABLE READ")
    engine = create_engine(url, poolclass=NullPool, isolation_level=isolation, hide_parameters=True)
    with engine.connect() as connection:
        # dialects other than Postgres's pass over its own option
        yield connection.execution_options(stream_results=True, postgresql_readonly=True)


def _url(source: Database) -> URL:
    """The connection as SQLAlchemy writes it; its extra may name another driver as ``sqlalchemy_scheme``."""
    connection = connections.get(source.connection)
    kind = connection.conn_type or ""
    return URL.create(
        connection.extra_dejson.get("sqlalchemy_scheme") or _DRIVERS.get(kind, kind),
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
    )
