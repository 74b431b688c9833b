"""All checks, in the order in which one follows from another."""

from collections.abc import Callable, Iterator

import psycopg

from doudi.doctor import machine, places, server, warehouse
from doudi.doctor.airflow import airflow
from doudi.doctor.backups import backups
from doudi.doctor.finding import Finding
from doudi.doctor.upkeep import archived_files, maintained
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import plain_url, without_values

_CONNECT_SECONDS = 5
_LOCK_SECONDS = 5
_HERE = (
    *(machine.python, machine.packages, machine.disk, machine.clock, machine.ports),
    *(places.home, places.open_keys, places.seeds, places.dbt_target),
)
_OF_A_SERVER = (
    *(server.version, server.clock, server.time_zone, server.connections, server.idle_transactions),
    *(server.transaction_age, server.archiving, server.checksums, warehouse.room, warehouse.schemas),
)
_OF_A_WAREHOUSE = (
    *(warehouse.migrations, warehouse.registers, warehouse.rights, warehouse.identifiers, warehouse.erasures),
    *(warehouse.unfinished_loads, backups, airflow, maintained, archived_files),
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
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its message quotes what may be of the password
        yield server.out_of_reach("DOUDI_DATABASE_URL is no URL that PostgreSQL reads", settings=settings)
        return
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
            connection.execute("set default_transaction_read_only to on")
            connection.execute(f"set timezone to '{TIME_ZONE.key}'; set lock_timeout to '{_LOCK_SECONDS}s'")
            missing = False
            for check in _OF_A_SERVER:
                for finding in _look(check, connection, settings):
                    missing |= finding.fault == "schemas.missing"
                    yield finding
            for check in () if missing else _OF_A_WAREHOUSE:
                yield from _look(check, connection, settings)
    except psycopg.OperationalError as error:
        yield server.out_of_reach(str(error), settings=settings)


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
    except psycopg.errors.LockNotAvailable:
        yield Finding(
            fault="tables.locked",
            severity="error",
            what=f"could not look at {check.__name__}: a table was locked for {_LOCK_SECONDS} s",
            meaning="loads, builds and readers wait for it too",
            command="doudi doctor once more; where it lasts, end who holds it: see sessions.idle, or pg_blocking_pids",
        )
    except psycopg.errors.InsufficientPrivilege as error:
        yield Finding(
            fault="rights.missing",
            severity="error",
            what=f"could not look at {check.__name__}: {without_values(error)}",
            meaning="the account of the warehouse's URL may not read what is its own",
            command="doudi init, as the account that owns the database",
        )
