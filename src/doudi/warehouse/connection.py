"""Connections to the warehouse, and errors that carry no row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import psycopg

from doudi.settings import Settings
from doudi.warehouse import cluster

Role = Literal["owner", "loader", "transformer", "extractor"]
APPLICATION = "doudi"
# A row's hash is that of its text, which must not depend on how an outside server is set up.
_SESSION = "set datestyle to 'ISO, YMD'; set timezone to 'Asia/Shanghai'; set client_min_messages to warning"
# A machine that died says no goodbye: without these its session would keep its locks for hours, and whoever takes its
# work up again would wait for them. They let the server, and us, notice within two minutes.
_WATCHFUL = """
    set tcp_keepalives_idle to 60; set tcp_keepalives_interval to 10; set tcp_keepalives_count to 6;
    set client_connection_check_interval to '10s'
"""
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}


class WarehouseError(Exception):
    """Postgres refused something. The message holds the error's class and place, never a row's values."""

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate

    @property
    def transient(self) -> bool:
        """Whether the same work may pass a minute later: lost connections, restarts, deadlocks, lack of resources."""
        return self.sqlstate is None or self.sqlstate[:2] in {"08", "40", "53", "55", "57", "58"}


def warehouse_url(settings: Settings) -> str:
    """The URL of the warehouse; starts the embedded server where no outside one is configured."""
    if settings.database_url:
        return plain_url(settings.database_url)
    return cluster.start(settings.home)


def plain_url(url: str) -> str:
    """``url`` without a driver in its scheme, as libpq and psycopg read it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))


def sqlalchemy_url(url: str) -> str:
    """``url`` with psycopg 3 named, which SQLAlchemy's default has changed to between releases."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql+psycopg"))


@contextmanager
def connect(
    url: str, *, autocommit: bool = False, step: str = "", role: Role | None = None
) -> Iterator[psycopg.Connection]:
    """A connection that commits at the end, rolls back on an error, and turns errors into WarehouseError.

    A step names the ``role`` it works in, and can do no more than that; None is the account of the URL itself.

    Postgres's messages quote values (``Key (citizen_id)=(…)``, ``invalid input syntax …: "…"``); what leaves here
    names the error's class, table, column and constraint only.
    """
    try:
        name = f"{APPLICATION} {step}".strip()
        with psycopg.connect(url, autocommit=True, application_name=name, **_KEEPALIVES) as session:
            session.execute(_SESSION)
            session.execute(_WATCHFUL)
            if role:
                take_role(session, role)
            session.autocommit = autocommit
            yield session
    except psycopg.Error as error:
        raise without_values(error, step=step) from None


def take_role(session: psycopg.Connection, role: Role) -> None:
    """Give up what the account of the URL may do for what a step's role may. Raises WarehouseError without the role."""
    try:
        session.execute(f"set role doudi_{role}")
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege) as error:
        raise WarehouseError(
            f"the warehouse has no role doudi_{role} for this account: run doudi init", sqlstate=error.sqlstate
        ) from None


def without_values(error: psycopg.Error, *, step: str = "") -> WarehouseError:
    """What of a Postgres error may be written down: its class and place."""
    diagnostics = error.diag
    places = {
        "table": diagnostics.table_name,
        "column": diagnostics.column_name,
        "constraint": diagnostics.constraint_name,
    }
    where = ", ".join(f"{kind} {name}" for kind, name in places.items() if name)
    kind = type(error).__name__
    message = " ".join(part for part in (step and f"{step}:", kind, error.sqlstate, where) if part)
    return WarehouseError(message, sqlstate=error.sqlstate)
