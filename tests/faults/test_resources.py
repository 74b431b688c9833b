"""Disks that fill up, connections that go, and departments that send one thing twice or from another day."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from interrupted import FEEDS, TOLD, Server, exit_status, fork, take_in_nights
from made_up import as_csv, poverty_row, write
from warehouse_state import content, left_over

from doudi import loads, publishing
from doudi.settings import TIME_ZONE, Settings

# A full disk cannot be had without mounting one; a limit on the size of files refuses the same writes at the same
# places, with EFBIG in place of ENOSPC.
needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process: Linux only")


@pytest.fixture
def undisturbed(server: Server, nights: list[Path], tmp_path: Path, without_suite: None) -> dict[str, object]:
    with server.installation(tmp_path) as settings:
        assert exit_status(fork(lambda: take_in_nights(settings, nights))) == 0
        return content(settings.database_url)


@pytest.fixture
def installation(server: Server, tmp_path: Path, without_suite: None) -> Iterator[Settings]:
    with server.installation(tmp_path) as settings:
        yield settings


@pytest.fixture
def finished(
    server: Server, installation: Settings, nights: list[Path], undisturbed: dict[str, object]
) -> Callable[[], None]:
    """Whether the nights, run again, end as they do when nothing happens."""

    def finished() -> None:
        server.start()
        assert exit_status(fork(lambda: take_in_nights(installation, nights))) == 0
        assert content(installation.database_url) == undisturbed
        assert left_over(installation.database_url, installation.home) == []

    return finished


def _register_rows(url: str) -> int:
    with psycopg.connect(url) as session:
        return session.execute("select count(*) from register.poverty_register").fetchone()[0]


@pytest.mark.parametrize("limit_bytes", [0, 1000, 20_000])
def test_an_archive_that_has_no_room_for_a_delivery_is_told_and_the_rest_waits_for_room(
    limit_bytes: int, installation: Settings, nights: list[Path], finished: Callable
) -> None:
    def with_little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
        take_in_nights(installation, nights, ("poverty_register",))

    assert exit_status(fork(with_little_room)) == TOLD
    finished()


@contextmanager
def _no_room(backend: int, *, limit_bytes: int) -> Iterator[None]:
    """The server's process ``backend`` cannot let any file grow past the limit."""
    before = resource.prlimit(backend, resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(backend, resource.RLIMIT_FSIZE, before)


@needs_prlimit
def test_a_register_that_cannot_grow_keeps_what_it_had(
    installation: Settings, nights: list[Path], finished: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publishing.publish

    def publish(connection: psycopg.Connection, **named: object) -> publishing.Published:
        with _no_room(connection.info.backend_pid, limit_bytes=16_384):
            return real(connection, **named)

    with monkeypatch.context() as patch:
        patch.setattr("doudi.publishing.publish", publish)
        assert exit_status(fork(lambda: take_in_nights(installation, nights, ("poverty_register",)))) == TOLD
    with psycopg.connect(installation.database_url) as session:
        assert session.execute("select distinct status from ops.load").fetchall() == [("failed",)]
    assert _register_rows(installation.database_url) == 0
    finished()


@needs_prlimit
def test_a_server_that_cannot_write_its_log_of_changes_goes_down_and_recovers(
    installation: Settings, nights: list[Path], finished: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publishing.publish

    def publish(connection: psycopg.Connection, **named: object) -> publishing.Published:
        published = real(connection, **named)
        # nothing can be written from here on, and a server that cannot write a commit down must stop
        resource.prlimit(connection.info.backend_pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        return published

    with monkeypatch.context() as patch:
        patch.setattr("doudi.publishing.publish", publish)
        assert exit_status(fork(lambda: take_in_nights(installation, nights, ("poverty_register",)))) == TOLD
    finished()


def test_two_loaders_of_the_same_deliveries_take_each_in_once(
    installation: Settings, nights: list[Path], finished: Callable
) -> None:
    loaders = [fork(lambda: take_in_nights(installation, nights)) for _ in range(2)]
    assert [exit_status(loader) for loader in loaders] == [0, 0]
    with psycopg.connect(installation.database_url) as session:
        assert session.execute("select distinct attempts from ops.load").fetchall() == [(1,)]
    finished()


def test_a_loader_stopped_for_a_while_keeps_the_second_waiting(
    installation: Settings, nights: list[Path], finished: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first holds the feed while it sleeps in the middle of publishing; killed, it lets the second go on."""
    real = publishing.publish

    def publish(*given: object, **named: object) -> publishing.Published:
        published = real(*given, **named)
        os.kill(os.getpid(), signal.SIGSTOP)
        return published

    with monkeypatch.context() as patch:
        patch.setattr("doudi.publishing.publish", publish)
        first = fork(lambda: take_in_nights(installation, nights, FEEDS[:1]))
        os.waitid(os.P_PID, first, os.WSTOPPED)
    second = fork(lambda: take_in_nights(installation, nights, FEEDS[:1]))
    with psycopg.connect(installation.database_url, autocommit=True) as session:
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while session.execute(waiting).fetchone() == (0,):
            assert os.waitid(os.P_PID, second, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    os.kill(first, signal.SIGKILL)
    assert exit_status(first) == -signal.SIGKILL
    assert exit_status(second) == 0
    finished()


@pytest.fixture
def inbox(installation: Settings, tmp_path: Path) -> Settings:
    """The installation with an empty inbox of its own."""
    (tmp_path / "inbox").mkdir()
    return replace(installation, inbox=tmp_path / "inbox")


def test_the_same_delivery_under_two_names_is_one(inbox: Settings) -> None:
    for name in ("poverty_register_513431_20200331.csv", "poverty_register_513431_20200331_2.csv"):
        write(inbox.inbox, name, as_csv([poverty_row(1), poverty_row(2)]))
    for results in ([1], []):
        assert len(loads.take_in("poverty_register", settings=inbox)) == len(results)
        assert [*loads.waiting(settings=inbox)] == []
    assert _register_rows(inbox.database_url) == 2


def test_a_list_from_a_day_that_has_not_come_is_refused_and_ends_nothing(inbox: Settings) -> None:
    tomorrow = (datetime.now(TIME_ZONE) + timedelta(days=40)).strftime("%Y%m%d")
    write(inbox.inbox, "poverty_register_513431_20200331.csv", as_csv([poverty_row(1), poverty_row(2)]))
    write(inbox.inbox, f"poverty_register_513431_{tomorrow}.csv", as_csv([poverty_row(1)]))
    sound, ahead = loads.take_in("poverty_register", settings=inbox)
    assert (sound.status, ahead.status, ahead.error_code) == ("published", "refused", "file.data_date")
    assert ahead.file_name in ahead.error
    with psycopg.connect(inbox.database_url) as session:
        current = "select count(*) from register.poverty_register where _valid_to = 'infinity'"
        assert session.execute(current).fetchone() == (2,)


def test_a_list_of_a_day_long_gone_is_filed_there_and_leaves_the_present_alone(inbox: Settings) -> None:
    write(inbox.inbox, "poverty_register_513431_20200331.csv", as_csv([poverty_row(1, 户状态="已脱贫")]))
    loads.take_in("poverty_register", settings=inbox)
    write(inbox.inbox, "poverty_register_513431_20010331.csv", as_csv([poverty_row(1), poverty_row(2)]))
    loads.take_in("poverty_register", settings=inbox)
    with psycopg.connect(inbox.database_url) as session:
        versions = session.execute(
            """
            select household_no, status, _valid_from::text, _valid_to::text
            from register.poverty_register order by 1, 3
            """
        ).fetchall()
    assert versions == [
        ("H001", "not_lifted", "2001-03-31", "2020-03-31"),
        ("H001", "lifted", "2020-03-31", "infinity"),
        ("H002", "not_lifted", "2001-03-31", "2020-03-31"),
    ]
