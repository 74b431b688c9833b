"""The warehouse: what is in it against what this installation expects. Only reads."""

import shutil
from collections.abc import Iterator

import psycopg

from doudi.access import AccessError, identifier_key
from doudi.contracts import load_contracts
from doudi.doctor.finding import Finding
from doudi.erasing import not_done
from doudi.erasures import ErasureError
from doudi.settings import Settings
from doudi.warehouse.migrations import MigrationError, pending
from doudi.warehouse.roles import OWNERS, STEPS
from doudi.warehouse.schema import SchemaError, refuse_drift

_ROOM_SHARE = 0.2  # a build of everybody writes marts anew beside those that are there


def room(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    """Whether the disk of the embedded server has room for a night, by the size of the warehouse."""
    if settings.database_url:
        return
    (size,) = connection.execute("select pg_database_size(current_database())").fetchone()
    free = shutil.disk_usage(settings.home).free
    if free < size * _ROOM_SHARE:
        yield Finding(
            fault="disk.low",
            severity="warning",
            what=f"{free >> 20} MiB are free beside a warehouse of {size >> 20} MiB",
            meaning="a build of everybody may fill the disk",
            command="make room before the night: docs/operations.md#the-disk-is-full",
        )


def schemas(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    rows = connection.execute("select nspname from pg_namespace where nspname = any(%s)", (list(OWNERS),)).fetchall()
    if missing := sorted(set(OWNERS) - {name for (name,) in rows}):
        yield Finding(
            fault="schemas.missing",
            severity="error",
            what=f"the warehouse lacks the schemas {', '.join(missing)}",
            meaning="it was never set up, or something was dropped",
            command="doudi init",
        )


def migrations(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    try:
        waiting = pending(connection)
    except MigrationError as error:
        yield Finding(
            fault="migrations.strange",
            severity="error",
            what=str(error),
            meaning="this code would misread or damage what the other has made; it refuses to work",
            command="install the release that the warehouse was last used with (docs/upgrades.md)",
        )
        return
    if waiting:
        yield Finding(
            fault="migrations.pending",
            severity="warning",
            what=f"waiting: {', '.join(migration.name for migration in waiting)}",
            meaning="the next command that works on the warehouse runs them first",
            command="doudi init",
        )


def registers(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    for contract in load_contracts(settings.contracts).values():
        try:
            refuse_drift(connection, contract)
        except SchemaError as error:
            yield Finding(
                fault="registers.contract",
                severity="error",
                what=str(error),
                meaning=f"deliveries of {contract.name} cannot be published, or values were lost",
                command="doudi restore, where a column was dropped; where the contract was changed, raise its version"
                " (docs/upgrades.md)",
            )


def rights(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    """What the steps cannot do without."""
    roles = connection.execute("select rolname from pg_roles where rolname ~ '^doudi_'").fetchall()
    there = {name for (name,) in roles}
    missing = [f"the role doudi_{step}" for step in STEPS if f"doudi_{step}" not in there]
    needed = (
        ("doudi_loader", "ops.load", "insert"),
        ("doudi_loader", "ops.quarantine", "insert"),
        ("doudi_transformer", "ops.load", "select"),
        ("doudi_transformer", "ops.build", "insert"),
        ("doudi_extractor", "ops.extract", "insert"),
        ("doudi_extractor", "ops.disclosure", "insert"),
    )
    for role, table, right in needed:
        if role not in there or connection.execute("select to_regclass(%s)", (table,)).fetchone()[0] is None:
            continue
        if not connection.execute("select has_table_privilege(%s, %s, %s)", (role, table, right)).fetchone()[0]:
            missing.append(f"{right} on {table} for {role}")
    if missing:
        yield Finding(
            fault="rights.missing",
            severity="error",
            what=f"missing: {', '.join(missing)}",
            meaning="the step of that role fails as soon as it begins",
            command="doudi init",
        )


def identifiers(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    if connection.execute("select from ops.identifier_key").fetchone() is None:
        return  # the first command that works on the warehouse notes one
    try:
        identifier_key(connection, settings=settings)
    except AccessError as error:
        yield Finding(
            fault="identifiers.key",
            severity="error",
            what=str(error),
            meaning="with another key everybody would be somebody new: builds refuse to begin",
            command=f"bring {settings.keys / 'identifiers'} back from where keys are kept (docs/access.md)",
        )


def erasures(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    """Erasures that the file beside the database has and the database has not, as after a restore by other means."""
    try:
        missing = not_done(connection, settings)
    except ErasureError as error:
        yield Finding(
            fault="erasures.file",
            severity="error",
            what=str(error),
            meaning="nobody knows whom a restored database has to be erased of again",
            command=f"bring {settings.erasures} back from where the keys are kept",
        )
        return
    if missing:
        yield Finding(
            fault="erasures.undone",
            severity="error",
            what=f"{len(missing)} erasures in {settings.erasures} are not in the database, which is older",
            meaning="people whose data were erased are in it again",
            command="doudi erase --again && doudi build",
        )


def unfinished_loads(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    """Loads that were begun and that no process is at work on: who works holds its feed's lock."""
    rows = connection.execute(
        """
        select load.feed, count(*), min(load.load_id)
        from ops.load as load
        where
            load.status in ('received', 'landed', 'failed')
            and load.attempts > 0
            and not exists (
                select from pg_locks
                where
                    locktype = 'advisory' and granted and objsubid = 2
                    and classid::bigint = hashtext('doudi.load')::bigint & 4294967295
                    and objid::bigint = hashtext(load.feed)::bigint & 4294967295
                    and database = (select oid from pg_database where datname = current_database())
            )
        group by load.feed
        order by load.feed
        """
    ).fetchall()
    for feed, count, first in rows:
        yield Finding(
            fault="loads.unfinished",
            severity="error",
            what=f"{feed}: {count} begun and neither published nor refused, the first is load {first}",
            meaning="it was cut off or failed; nothing of it is in the register, and the next run takes it up again",
            command="doudi run, or the DAG feed_" + feed,
        )
