"""The schemas and tables of the warehouse; the registers' follow from the contracts."""

from collections.abc import Iterable
from importlib.resources import files

import psycopg
from psycopg import sql

from doudi.access import declare, identifier_key, load_access
from doudi.contracts import Contract, load_contracts
from doudi.settings import Settings
from doudi.warehouse import distribution
from doudi.warehouse.connection import connect
from doudi.warehouse.health import create_health_views, enter_feeds
from doudi.warehouse.migrations import migrate
from doudi.warehouse.roles import OWNERS, close_database, create_role, create_roles, hand_over, let_take

_MIGRATION_LOCK = 7_202_003  # any number, as long as every process takes the same


class SchemaError(Exception):
    """A register table and its contract have drifted apart; the message names the columns."""


def create_schemas(connection: psycopg.Connection, contracts: Iterable[Contract], *, distributed: bool = False) -> None:
    """Create whatever is missing; what is there stays. Runs in the caller's transaction, as the account of the URL.

    Where the warehouse is ``distributed`` it commits between the steps instead, as each role has connections of its own
    to the workers, and sees there only what is committed.

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
    if distributed:
        connection.commit()
    connection.execute("set local role doudi_owner")
    scripts = ["ops.sql", "functions.sql", "identity.sql", "disclosure.sql", "erasure.sql"]
    for script in [*scripts, "citus.sql"] if distributed else scripts:
        connection.execute(files("doudi.warehouse").joinpath("sql", script).read_text(encoding="utf-8"))
    migrate(connection)
    contracts = list(contracts)
    enter_feeds(connection, contracts)
    for contract in contracts:
        if _columns_of(connection, contract):
            _follow(connection, contract)
            refuse_drift(connection, contract)
        _create_register(connection, contract)
        _create_other_text(connection, contract)
    connection.execute(files("doudi.warehouse").joinpath("sql", "access.sql").read_text(encoding="utf-8"))
    create_health_views(connection)
    connection.execute("set local role none")
    if distributed:
        connection.commit()
    hand_over(connection)


def initialise(url: str, settings: Settings) -> None:
    """Create whatever is missing in the warehouse at ``url``, and bring the readers' rights to what access.yml says."""
    access = load_access(settings.access)
    contracts = load_contracts(settings.contracts).values()
    with connect(url, step="init") as connection:
        distributed = settings.citus or distribution.is_distributed(connection)
        if distributed:
            distribution.prepare(connection)
        create_schemas(connection, contracts, distributed=distributed)
        if distributed:
            distribution.spread(connection, registers=[contract.name for contract in contracts])
        identifier_key(connection, settings=settings)
        for reader in access.readers:
            create_role(connection, reader.role)
            let_take(connection, reader.role)
        if distributed:
            connection.commit()
            distribution.let_in(connection, [reader.role for reader in access.readers])  # reports read as they do
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


def _create_other_text(connection: psycopg.Connection, contract: Contract) -> None:
    """The table beside a register that notes in which other words lists say what its records say (typed_rows)."""
    table = f"other_text.{contract.name}"
    connection.execute(
        f"""
        create table if not exists {table} (county_code text not null, row_hash uuid not null, known_as uuid not null);
        create index if not exists {contract.name}_by_county on {table} (county_code);
        comment on table {table} is
        'A row whose text has row_hash says what the record says whose version in the register has _row_hash known_as.';
        """
    )


def _drop_foreign_key(connection: psycopg.Connection, table: str) -> None:
    """Warehouses made before 1.0 have one; asked first, since altering a table waits for all who read it."""
    found = connection.execute(
        "select quote_ident(conname) from pg_constraint where conrelid = %s::regclass and contype = 'f'", (table,)
    ).fetchall()
    for (name,) in found:
        connection.execute(f"alter table {table} drop constraint {name}")


def _follow(connection: psycopg.Connection, contract: Contract) -> None:
    """Bring a register that is there to a newer contract: columns renamed where declared, new ones added, empty.

    What the contract requires is asked of deliveries; the versions from before the column have nothing in it.
    """
    standing = _columns_of(connection, contract)
    table = sql.Identifier("register", contract.name)
    missing = [column for column in contract.columns if column.name not in standing]
    if missing and _last_version(connection, contract) == contract.version:
        return  # not new: somebody has dropped it, and an empty one in its place would hide that
    for column in missing:
        former = next((name for name in column.formerly if name in standing), None)
        if former:
            change = sql.SQL("alter table {} rename column {} to {}")
            connection.execute(change.format(table, sql.Identifier(former), sql.Identifier(column.name)))
            index = sql.Identifier("register", f"{contract.name}_{former}")
            change = sql.SQL("alter index if exists {} rename to {}")
            connection.execute(change.format(index, sql.Identifier(f"{contract.name}_{column.name}")))
        elif column.primary_key:
            raise SchemaError(f"{contract.name}: {column.name} is new in the key: make it a feed of its own")
        else:
            change = sql.SQL("alter table {} add column {} {}")
            connection.execute(change.format(table, sql.Identifier(column.name), sql.SQL(column.physical_type)))
    required = connection.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnotnull and not attisdropped",
        (f"register.{contract.name}",),
    ).fetchall()
    for column in contract.columns:
        if not column.required and (column.name,) in required:
            change = sql.SQL("alter table {} alter column {} drop not null")
            connection.execute(change.format(table, sql.Identifier(column.name)))


def _last_version(connection: psycopg.Connection, contract: Contract) -> str | None:
    """The version by which the last delivery came in."""
    row = connection.execute(
        "select contract_version from ops.load where feed = %s order by load_id desc limit 1", (contract.name,)
    ).fetchone()
    return row and row[0]


def _columns_of(connection: psycopg.Connection, contract: Contract) -> dict[str, str]:
    """The columns of a register with their types, without those of its own; empty where there is no register."""
    rows = connection.execute(
        """
        select attname, format_type(atttypid, atttypmod)
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and not starts_with(attname, '_')
        """,
        (f"register.{contract.name}",),
    ).fetchall()
    return dict(rows)


def refuse_drift(connection: psycopg.Connection, contract: Contract) -> None:
    """Raises SchemaError where a register's columns are not those of its contract."""
    standing = _columns_of(connection, contract)
    drifted = [
        column.name
        for column in contract.columns
        if standing.get(column.name, "").replace(" ", "") != column.physical_type.replace(" ", "")
    ]
    if drifted:
        raise SchemaError(
            f"register.{contract.name} does not follow contract version {contract.version}: {', '.join(drifted)}"
        )
    if gone := sorted(set(standing) - {column.name for column in contract.columns}):
        raise SchemaError(
            f"register.{contract.name} holds {', '.join(gone)}, which contract version {contract.version} lacks: "
            "where it was renamed, say formerly in the contract; else keep it"
        )
