"""All checks, in the order in which one follows from another."""

from collections.abc import Callable, Iterator

import psycopg

from doudi.doctor import machine, places, warehouse
from doudi.doctor.finding import Finding
from doudi.settings import Settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import plain_url, without_values

_CONNECT_SECONDS = 5
_HERE = (
    *(machine.python, machine.packages, machine.disk, machine.clock),
    *(places.home, places.open_keys, places.seeds, places.dbt_target),
)
_OF_A_SERVER = (warehouse.server_version, warehouse.server_clock, warehouse.schemas)
_OF_A_WAREHOUSE = (
    *(warehouse.migrations, warehouse.registers, warehouse.rights),
    *(warehouse.identifiers, warehouse.unfinished_loads),
)


def diagnose(settings: Settings) -> list[Finding]:
    """Everything that is wrong. Of a warehouse out of reach only that is told, and what the machine itself shows."""
    found = [finding for check in _HERE for finding in check(settings)]
    return found + list(_warehouse(settings))


def _warehouse(settings: Settings) -> Iterator[Finding]:
    url = plain_url(settings.database_url) if settings.database_url else cluster.url(settings.home)
    if url is None:
        yield Finding(
            fault="server.stopped",
            severity="warning",
            what=f"the embedded server of {settings.home} does not run",
            meaning="commands start it when they need it; what is in the warehouse was not looked at",
            command="doudi db start && doudi doctor",
        )
        return
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
            connection.execute("set default_transaction_read_only to on")
            of_server = [finding for check in _OF_A_SERVER for finding in check(connection, settings)]
            yield from of_server
            if any(finding.fault == "schemas.missing" for finding in of_server):
                return
            for check in _OF_A_WAREHOUSE:
                yield from _look(check, connection, settings)
    except psycopg.OperationalError as error:
        place = "DOUDI_DATABASE_URL" if settings.database_url else f"{settings.home / 'postgres' / 'server.log'}"
        yield Finding(
            fault="server.unreachable",
            severity="error",
            what=f"no connection to the warehouse ({type(error).__name__})",
            meaning="nothing can be taken in, built or read",
            command=f"see that the server runs and lets us in: look at {place}",
        )


def _look(
    check: Callable[[psycopg.Connection, Settings], Iterator[Finding]],
    connection: psycopg.Connection,
    settings: Settings,
) -> Iterator[Finding]:
    """What a check finds; where the table that it reads is missing or closed to us, that."""
    try:
        yield from check(connection, settings)
    except (psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        yield Finding(
            fault="schemas.missing",
            severity="error",
            what=f"could not look at {check.__name__}: {without_values(error)}",
            meaning="something that doudi init makes is not there",
            command="doudi init",
        )
    except psycopg.errors.InsufficientPrivilege as error:
        yield Finding(
            fault="rights.missing",
            severity="error",
            what=f"could not look at {check.__name__}: {without_values(error)}",
            meaning="the account of the warehouse's URL may not read what is its own",
            command="doudi init, as the account that owns the database",
        )
