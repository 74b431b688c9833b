"""Filling an empty table, emptying one or changing most of one, at the speed of a new one."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

# Of so many rows, and of more than this share of a table's, to tell each index of each change takes longer than
# to build the indexes anew.
_MANY, _MUCH = 50_000, 0.5
_PATIENCE = "3s"  # a vacuum that holds the table gives way within the second


@contextmanager
def bulk_filled(connection: psycopg.Connection, *, table: str) -> Iterator[None]:
    """Within the block an empty ``table`` has no indexes and no primary key; both are built at its end, in one go.

    Runs in the caller's transaction, which alone sees the table until it ends. Where the table holds rows, or somebody
    is reading it this moment, nothing is changed and rows go in as usual.
    """
    own = _own_if_empty(connection, table)
    with _indexes_after(connection, table, own=own):
        yield
    if own:  # the next delivery may come before autovacuum does
        connection.execute(f"analyze {table}")


@contextmanager
def bulk_changed(connection: psycopg.Connection, *, table: str, rows: int) -> Iterator[None]:
    """Within the block a ``table`` of which most changes, so many ``rows``, has no indexes and no primary key.

    Runs in the caller's transaction, for which readers wait until it ends. Where somebody goes on reading the table it
    keeps its indexes.
    """
    much = rows > max(_MANY, _MUCH * _rows_expected(connection, table))
    with _indexes_after(connection, table, own=much and _own(connection, table, within=_PATIENCE)):
        yield


def remove(connection: psycopg.Connection, *, table: str, where: str) -> None:
    """Delete the rows of ``table`` that fulfil the condition: all at once where no others are left, and nobody reads.

    Runs in the caller's transaction. A backup whose snapshot is older finds the table empty then: not for what cannot
    be had again.
    """
    if _holds_rows(connection, f"{table} where ({where}) is not true") or not _own(connection, table):
        connection.execute(f"delete from {table} where {where}")
    else:
        connection.execute(f"truncate table {table}")


@contextmanager
def _indexes_after(connection: psycopg.Connection, table: str, *, own: bool) -> Iterator[None]:
    """Within the block a ``table`` that is ours has no indexes and no primary key; they are built at its end."""
    indexes = _take_indexes(connection, table) if own else []
    yield
    for definition in indexes:
        connection.execute(definition)


def _own_if_empty(connection: psycopg.Connection, table: str) -> bool:
    """Lock ``table`` where it is empty, and give it a new file: what is written there need not be logged row by row."""
    if _holds_rows(connection, table) or not _own(connection, table) or _holds_rows(connection, table):
        return False
    connection.execute(f"truncate table {table}")
    return True


def _own(connection: psycopg.Connection, table: str, *, within: str = "1ms") -> bool:
    """Lock ``table`` until the transaction ends, unless somebody goes on reading it."""
    try:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{within}'")
            connection.execute(f"lock table {table} in access exclusive mode")
            connection.execute("set local lock_timeout to default")
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _holds_rows(connection: psycopg.Connection, table: str) -> bool:
    (holds,) = connection.execute(f"select exists (select 1 from {table})").fetchone()
    return holds


def _rows_expected(connection: psycopg.Connection, table: str) -> float:
    """By the table's statistics; without limit where it was never looked through."""
    (rows,) = connection.execute("select reltuples from pg_class where oid = %s::regclass", (table,)).fetchone()
    return rows if rows >= 0 else math.inf


def _take_indexes(connection: psycopg.Connection, table: str) -> list[str]:
    """Drop the primary key and the indexes of ``table``; returns the statements that make them again."""
    constraints = connection.execute(
        """
        select quote_ident(conname), pg_get_constraintdef(oid) from pg_constraint
        where conrelid = %s::regclass and contype = 'p'
        """,
        (table,),
    ).fetchall()
    for name, _ in constraints:
        connection.execute(f"alter table {table} drop constraint {name}")
    indexes = connection.execute(
        """
        select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
        where indrelid = %s::regclass and not exists (select from pg_constraint where conindid = indexrelid)
        """,
        (table,),
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"drop index {name}")
    keys = [f"alter table {table} add constraint {name} {definition}" for name, definition in constraints]
    return keys + [definition for _, definition in indexes]
