"""What goes wrong in the middle leaves nothing half done, and the next night finishes it."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from made_up import as_csv, citizen_id, poverty_row, visit_row, write

from doudi import loads, publishing
from doudi.contracts import Contract
from doudi.night import run_in_process
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost
from doudi.warehouse import cluster
from doudi.warehouse.connection import WarehouseError, connect

NAME = "poverty_register_513431_20200331.csv"
OTHER = "household_visit_513431_20200331.csv"
STATE = "select status, error_code from ops.load"


@pytest.fixture
def night(settings: Settings, warehouse_url: str, tmp_path: Path, without_suite: None) -> Settings:
    """An installation with one delivery in its inbox."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write(inbox, NAME, as_csv([poverty_row(1), poverty_row(2)]))
    return replace(settings, database_url=warehouse_url, home=tmp_path, inbox=inbox)


@pytest.fixture
def query(warehouse_url: str) -> Callable[[str], list[tuple]]:
    def query(statement: str) -> list[tuple]:
        with psycopg.connect(warehouse_url) as session:
            return session.execute(statement).fetchall()

    return query


def _fail_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Publishing writes everything and then breaks, the first time."""
    real, calls = publishing.publish, []

    def publish(*arguments, **named):
        published = real(*arguments, **named)
        calls.append(1)
        if len(calls) == 1:
            raise error
        return published

    monkeypatch.setattr("doudi.publishing.publish", publish)


def test_a_load_that_breaks_after_writing_leaves_nothing_and_is_finished_the_next_time(
    night: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_once(monkeypatch, psycopg.OperationalError("connection lost"))
    with pytest.raises(WarehouseError) as caught:
        loads.take_in("poverty_register", settings=night)
    assert caught.value.transient
    assert query(STATE) == [("failed", "connection")]
    assert query("select count(*) from register.poverty_register") == [(0,)]
    assert [*loads.waiting(settings=night)] == ["poverty_register"]

    (result,) = loads.take_in("poverty_register", settings=night)
    assert (result.status, result.rows_published) == ("published", 2)
    assert query("select count(*), max(attempts) from ops.load") == [(1, 2)]
    assert [*loads.waiting(settings=night)] == []


def test_a_load_whose_process_was_killed_is_taken_up_again(night: Settings, query: Callable) -> None:
    child = os.fork()
    if child == 0:
        publishing.publish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        loads.take_in("poverty_register", settings=night)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert query(STATE) == [("landed", None)]

    (result,) = loads.take_in("poverty_register", settings=night)
    assert (result.status, result.rows_published) == ("published", 2)
    assert query("select count(*) from pg_tables where schemaname = 'landing'") == [(0,)]


def test_one_delivery_that_breaks_does_not_keep_the_next_from_being_taken_in(
    night: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(night.inbox, "poverty_register_513431_20200430.csv", as_csv([poverty_row(3)]))
    _fail_once(monkeypatch, psycopg.errors.DiskFull("no space"))
    with pytest.raises(WarehouseError):
        loads.take_in("poverty_register", settings=night)
    assert query("select data_date::text, status from ops.load order by 1") == [
        ("2020-03-31", "failed"),
        ("2020-04-30", "published"),
    ]


@pytest.fixture
def two_feeds(night: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A night of two feeds on a machine with two cores."""
    monkeypatch.setattr("doudi.side_by_side.cores", lambda: 2)
    write(night.inbox, OTHER, as_csv([visit_row("RP03-20200630-7K2MD9QXTA", "2020-03-30")]))
    return night


def _before_publishing(monkeypatch: pytest.MonkeyPatch, feed: str, instead: Callable[[], None]) -> None:
    real = publishing.publish

    def publish(connection: psycopg.Connection, *, contract: Contract, **named: object) -> publishing.Published:
        if contract.name == feed:
            instead()
        return real(connection, contract=contract, **named)

    monkeypatch.setattr("doudi.publishing.publish", publish)


def _fail() -> None:
    raise psycopg.errors.DiskFull("no space")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("happens", "raised", "told", "left_as"),
    [
        (_fail, WarehouseError, "load [0-9]+: DiskFull", "failed"),
        (_die, WorkerLost, "poverty_register: its process ended in the middle with exit code -9", "landed"),
    ],
)
def test_a_feed_that_breaks_ends_the_night_when_the_others_are_taken_in(
    two_feeds: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch, happens: Callable, raised: type,
    told: str, left_as: str,
) -> None:  # fmt: skip
    with monkeypatch.context() as broken:
        _before_publishing(broken, "poverty_register", happens)
        with pytest.raises(raised, match=told):
            run_in_process(two_feeds, progress=lambda line: None)
    assert query("select feed, status from ops.load order by feed") == [
        ("household_visit", "published"),
        ("poverty_register", left_as),
    ]
    assert [*loads.waiting(settings=two_feeds)] == ["poverty_register"]
    (result,) = loads.take_in("poverty_register", settings=two_feeds)
    assert (result.status, result.rows_published) == ("published", 2)


def test_what_postgres_says_of_a_row_never_leaves(night: Settings, query: Callable) -> None:
    def insert_twice() -> None:
        with connect(night.database_url, step="test") as session:
            session.execute("create table marts.one (citizen_id text primary key)")
            for _ in range(2):
                session.execute("insert into marts.one values (%s)", (citizen_id(1),))

    with pytest.raises(WarehouseError) as caught:
        insert_twice()
    assert str(caught.value) == "test: UniqueViolation 23505 table one, constraint one_pkey"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_server_that_was_killed_recovers_with_all_that_was_committed(tmp_path: Path, settings: Settings) -> None:
    home = settings.home / "killed"
    with psycopg.connect(cluster.start(home)) as session:
        session.execute("create table kept as select generate_series(1, 1000) as n")
    try:
        _kill_server(home)
        with psycopg.connect(cluster.start(home)) as session:
            assert session.execute("select count(*) from kept").fetchone() == (1000,)

        # PostgreSQL removes half of an unlogged table that was being made, and then fails to recover the first time
        making = psycopg.connect(cluster.start(home))
        making.execute("create unlogged table half (n int)")
        with psycopg.connect(cluster.start(home)) as session:
            session.execute("insert into kept values (1001)")
        _kill_server(home)
        _until_it_is_gone(making)
        with psycopg.connect(cluster.start(home)) as session:
            assert session.execute("select count(*), to_regclass('half') from kept").fetchone() == (1001, None)
        assert "File exists" in (home / "postgres" / "server.log").read_text()
    finally:
        cluster.stop(home)


def _until_it_is_gone(session: psycopg.Connection) -> None:
    with suppress(psycopg.OperationalError):
        while True:
            session.execute("select")


def _kill_server(home: Path) -> None:
    os.kill(int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
