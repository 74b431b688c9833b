"""The public summary from build to build: rows change where they must, and what was hidden in a month stays so."""

from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest

from doudi.small_cells import publish

FIRST, SECOND, NEXT_MONTH = date(2020, 6, 1), date(2020, 6, 30), date(2020, 7, 1)
NAMES = "measure text, measure_name text, category text, category_name text, division_code text, division_level text"


@pytest.fixture
def session(warehouse_url: str) -> Iterator[psycopg.Connection]:
    """A warehouse with the tables that a build has made, and nothing in them."""
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        for suffix in ("", "_as_of_20200601"):
            session.execute(f"create schema if not exists intermediate{suffix}")
            session.execute(f"create schema if not exists marts{suffix}")
            session.execute(
                f"create table intermediate{suffix}.int_public_count ({NAMES}, division_name text, value int)"
            )
            session.execute(f"create table intermediate{suffix}.int_local_standard (name text, value numeric)")
            session.execute(f"insert into intermediate{suffix}.int_local_standard values ('small_cell_threshold', 10)")
            session.execute(
                f"""
                create table marts{suffix}.public_summary (
                    as_of date, {NAMES}, division_name text, value int, is_suppressed boolean,
                    primary key (division_code, measure, category)
                )
                """
            )
        yield session


def _build(session: psycopg.Connection, as_of: date, *counts: int, suffix: str = "") -> list[int | None]:
    """Publish the counts of the counties 01, 02 …; returns what is told of them."""
    counties = [(f"5101{number:02d}", "county", count) for number, count in enumerate(counts, start=1)]
    above = [("51", "province", sum(counts)), ("5101", "prefecture", sum(counts))]
    session.execute(f"truncate intermediate{suffix}.int_public_count")
    with session.cursor() as cursor:
        cursor.executemany(
            f"insert into intermediate{suffix}.int_public_count values ('m', 'M', 'c', 'C', %s, %s, 'somewhere', %s)",
            counties + above,
        )
    publish(session, suffix=suffix, as_of=as_of)
    told = session.execute(
        f"select value from marts{suffix}.public_summary where division_level = 'county' order by division_code"
    )
    return [value for (value,) in told]


def test_what_was_hidden_stays_hidden_to_the_end_of_the_month(session: psycopg.Connection) -> None:
    assert _build(session, FIRST, 9, 40, 500) == [None, None, 500]
    assert _build(session, SECOND, 10, 40, 500) == [None, None, 500], "10 would tell that it was 9 or less"
    assert _build(session, SECOND, 0, 40, 500) == [None, None, 500]
    assert _build(session, NEXT_MONTH, 10, 40, 500) == [10, 40, 500]


def test_a_build_of_an_earlier_day_of_the_month_tells_no_more_than_the_present_has(session: psycopg.Connection) -> None:
    assert _build(session, SECOND, 9, 40, 500) == [None, None, 500]
    assert _build(session, FIRST, 12, 40, 500, suffix="_as_of_20200601") == [None, None, 500]


def test_rows_that_are_right_already_are_not_written_again(session: psycopg.Connection, query: Callable) -> None:
    written = "select division_code, xmin::text from marts.public_summary order by 1"
    _build(session, FIRST, 9, 40, 500)
    before = query(written)
    _build(session, FIRST, 9, 40, 500)
    assert query(written) == before
    _build(session, FIRST, 9, 40, 501)
    assert [code for (code, _), kept in zip(query(written), before, strict=True) if (code, _) != kept] == [
        "51", "5101", "510103",
    ]  # fmt: skip


def test_an_area_that_is_gone_is_gone_here(session: psycopg.Connection) -> None:
    _build(session, FIRST, 90, 40, 500)
    assert _build(session, FIRST, 90, 40) == [90, 40]
