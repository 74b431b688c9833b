"""The schemas and tables of the warehouse; the registers' follow from the contracts."""

from collections.abc import Iterable
from importlib.resources import files

import psycopg
from psycopg import sql

from doudi.access import declare, identifier_key, load_access
from doudi.contracts import Contract, load_contracts
from doudi.settings import Settings
from doudi.warehouse.connection import connect
from doudi.warehouse.roles import OWNERS, close_database, create_role, create_roles, hand_over

_MIGRATION_LOCK = 7_202_003  # any number, as long as every process takes the same


class SchemaError(Exception):
    """A register table and its contract have drifted apart; the message names the columns."""


def create_schemas(connection: psycopg.Connection, contracts: Iterable[Contract]) -> None:
    """Create whatever is missing; what is there stays. Runs in the caller's transaction, as the account of the URL.

    Raises SchemaError where a register table that is there lacks a column of its contract or types it otherwise, and
    RoleError where the account lacks a right.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
    connection.execute("set local client_min_messages to warning")
    create_roles(connection)
    close_database(connection)
    for schema in OWNERS:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    hand_over(connection)  # of a warehouse that was made before there were roles
    connection.execute("set local role doudi_owner")
    for script in ("ops.sql", "functions.sql", "identity.sql", "disclosure.sql"):
        connection.execute(files("doudi.warehouse").joinpath("sql", script).read_text(encoding="utf-8"))
    for contract in contracts:
        _create_register(connection, contract)
        _refuse_drift(connection, contract)
    connection.execute(files("doudi.warehouse").joinpath("sql", "access.sql").read_text(encoding="utf-8"))
    connection.execute("set local role none")
    hand_over(connection)


def initialise(url: str, settings: Settings) -> None:
    """Create whatever is missing in the warehouse at ``url``, and bring the readers' rights to what access.yml says."""
    access = load_access(settings.access)
    with connect(url, step="init") as connection:
        create_schemas(connection, load_contracts(settings.contracts).values())
        identifier_key(connection, settings=settings)
        for reader in access.readers:
            create_role(connection, reader.role)
        declare(connection, access)


def _create_register(connection: psycopg.Connection, contract: Contract) -> None:
    columns = ",\n    ".join(
        f"{column.name} {column.physical_type}{' not null' if column.required else ''}" for column in contract.columns
    )
    key = ", ".join(column.name for column in contract.key)
    table = f"register.{contract.name}"
    connection.execute(
        f"""
        create table if not exists {table} (
            _county_code text not null,
            {columns},
            _area_code text not null,
            _valid_from date not null,
            _valid_to date not null default 'infinity',
            _row_hash uuid not null,
            _load_id bigint not null, -- of ops.load; a foreign key would look it up once for every row
            _row_no bigint not null,
            primary key (_county_code, {key}, _valid_from),
            check (_valid_from < _valid_to)
        );
        """
    )
    _drop_foreign_key(connection, table)
    for column in contract.columns:
        if column.type == "id":
            connection.execute(f"create index if not exists {contract.name}_{column.name} on {table} ({column.name})")
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                sql.Identifier("register", contract.name),
                sql.Identifier(column.name),
                sql.Literal(f"{column.header}: {column.description}"),
            )
        )
    connection.execute(
        sql.SQL("comment on table {} is {}").format(
            sql.Identifier("register", contract.name), sql.Literal(f"{contract.title}: {contract.description.purpose}")
        )
    )


def _drop_foreign_key(connection: psycopg.Connection, table: str) -> None:
    """Warehouses made before 1.0 have one; asked first, since altering a table waits for all who read it."""
    found = connection.execute(
        "select quote_ident(conname) from pg_constraint where conrelid = %s::regclass and contype = 'f'", (table,)
    ).fetchall()
    for (name,) in found:
        connection.execute(f"alter table {table} drop constraint {name}")


def _refuse_drift(connection: psycopg.Connection, contract: Contract) -> None:
    rows = connection.execute(
        """
        select attname, format_type(atttypid, atttypmod)
        from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
        """,
        (f"register.{contract.name}",),
    ).fetchall()
    standing = dict(rows)
    drifted = [
        column.name
        for column in contract.columns
        if standing.get(column.name, "").replace(" ", "") != column.physical_type.replace(" ", "")
    ]
    if drifted:
        raise SchemaError(
            f"register.{contract.name} does not follow contract version {contract.version}: {', '.join(drifted)}"
        )
