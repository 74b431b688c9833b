"""An empty table is filled without its indexes and has them all again; a table in use is left as it is."""

from collections.abc import Iterator

import psycopg
import pytest

from doudi.warehouse.bulk import bulk_filled
from doudi.warehouse.connection import connect

TABLE = "public.filled"
INDEXES = f"select indexdef from pg_indexes where schemaname || '.' || tablename = '{TABLE}' order by 1"


@pytest.fixture
def session(warehouse_url: str) -> Iterator[psycopg.Connection]:
    with connect(warehouse_url) as connection:
        connection.execute(f"create table {TABLE} (number integer, name text, primary key (number))")
        connection.execute(f"create index by_name on {TABLE} (lower(name)) where number > 0")
        connection.commit()
        yield connection


def _fill(session: psycopg.Connection) -> int:
    """Fill the table with three rows; returns how many indexes it had meanwhile."""
    with bulk_filled(session, table=TABLE):
        session.execute(f"insert into {TABLE} select no, 'n' || no from generate_series(1, 3) as no")
        return len(session.execute(INDEXES).fetchall())


def test_an_empty_table_is_filled_without_indexes_and_has_the_same_ones_after(session: psycopg.Connection) -> None:
    before = session.execute(INDEXES).fetchall()
    assert _fill(session) == 0
    assert session.execute(INDEXES).fetchall() == before
    with pytest.raises(psycopg.errors.UniqueViolation):
        session.execute(f"insert into {TABLE} values (1, 'again')")
    session.rollback()


def test_what_is_rolled_back_leaves_an_empty_table_with_its_indexes(session: psycopg.Connection) -> None:
    before = session.execute(INDEXES).fetchall()
    _fill(session)
    session.rollback()
    assert session.execute(INDEXES).fetchall() == before
    assert session.execute(f"select count(*) from {TABLE}").fetchone() == (0,)


def test_a_table_with_rows_keeps_its_indexes(session: psycopg.Connection) -> None:
    session.execute(f"insert into {TABLE} values (9, 'first')")
    assert _fill(session) == 2


def test_a_table_that_somebody_reads_is_filled_the_usual_way(session: psycopg.Connection, warehouse_url: str) -> None:
    with connect(warehouse_url) as reader:
        reader.execute(f"select count(*) from {TABLE}")
        assert _fill(session) == 2
        assert session.execute(f"select count(*) from {TABLE}").fetchone() == (3,)
        session.commit()
