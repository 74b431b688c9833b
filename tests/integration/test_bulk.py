"""An empty table is filled, and one changed for the most part, without its indexes, and has them all again after; one
that loses all its rows loses them at once.

A table in use is left as it is.
"""

from collections.abc import Iterator

import psycopg
import pytest

from doudi.warehouse import bulk
from doudi.warehouse.bulk import bulk_changed, bulk_filled, remove
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


@pytest.fixture
def ten_rows(session: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    """A session with a table of ten rows, where two are many and one second is long to wait."""
    monkeypatch.setattr(bulk, "_MANY", 2)
    monkeypatch.setattr(bulk, "_PATIENCE", "1s")
    session.execute(f"insert into {TABLE} select no, 'n' || no from generate_series(1, 10) as no")
    session.execute(f"analyze {TABLE}")
    session.commit()
    return session


def _change(session: psycopg.Connection, rows: int) -> int:
    """Change so many rows of the table; returns how many indexes it had meanwhile."""
    with bulk_changed(session, table=TABLE, rows=rows):
        session.execute(f"update {TABLE} set number = -number where number <= {rows}")
        return len(session.execute(INDEXES).fetchall())


def test_most_of_a_table_is_changed_without_indexes_and_has_the_same_ones_after(ten_rows: psycopg.Connection) -> None:
    before = ten_rows.execute(INDEXES).fetchall()
    assert _change(ten_rows, 6) == 0
    assert ten_rows.execute(INDEXES).fetchall() == before
    with pytest.raises(psycopg.errors.UniqueViolation):
        ten_rows.execute(f"insert into {TABLE} values (-1, 'again')")
    ten_rows.rollback()


@pytest.mark.parametrize(("many", "rows"), [(2, 5), (20, 10)])
def test_where_less_of_a_table_changes_it_keeps_its_indexes(
    ten_rows: psycopg.Connection, many: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_MANY", many)
    assert _change(ten_rows, rows) == 2


def test_a_table_that_somebody_goes_on_reading_is_changed_the_usual_way(
    ten_rows: psycopg.Connection, warehouse_url: str
) -> None:
    with connect(warehouse_url) as reader:
        reader.execute(f"select count(*) from {TABLE}")
        assert _change(ten_rows, 10) == 2
    assert ten_rows.execute("show lock_timeout").fetchone() == ("0",)


def test_a_key_that_comes_twice_as_most_of_a_table_changes_is_an_error(ten_rows: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), bulk_changed(ten_rows, table=TABLE, rows=10):
        ten_rows.execute(f"insert into {TABLE} select number, name from {TABLE}")
    ten_rows.rollback()
    assert len(ten_rows.execute(INDEXES).fetchall()) == 2


def _removed(session: psycopg.Connection, where: str) -> tuple[int, bool]:
    """How many rows are left, and whether the table was given a new file."""
    own_file = "select pg_relation_filenode(%s::regclass)"
    before = session.execute(own_file, (TABLE,)).fetchone()
    remove(session, table=TABLE, where=where)
    (left,) = session.execute(f"select count(*) from {TABLE}").fetchone()
    return left, session.execute(own_file, (TABLE,)).fetchone() != before


def test_rows_are_removed_all_at_once_where_no_others_are_left(ten_rows: psycopg.Connection) -> None:
    assert _removed(ten_rows, "number = 1") == (9, False)
    assert _removed(ten_rows, "number > 1") == (0, True)


def test_of_a_table_that_somebody_reads_rows_are_deleted(ten_rows: psycopg.Connection, warehouse_url: str) -> None:
    with connect(warehouse_url) as reader:
        reader.execute(f"select count(*) from {TABLE}")
        assert _removed(ten_rows, "number > 0") == (0, False)
