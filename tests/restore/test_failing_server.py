"""What `doudi doctor` says of a server that really fails: nowhere to put its WAL, and a disk that gives other bytes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from doudi.doctor import diagnose
from doudi.settings import Settings
from doudi.warehouse import cluster

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def own(settings: Settings) -> Iterator[Settings]:
    """An installation whose server archives its WAL, and holds nothing."""
    home = settings.home.parent / "failing"
    cluster.archive_wal(home, home.with_name("failing_wal"))
    cluster.stop(home)
    cluster.start(home)
    yield replace(settings, home=home, database_url=None)
    cluster.stop(home)


def _faults(settings: Settings) -> dict[str, str]:
    return {finding.fault: finding.what for finding in diagnose(settings)}


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _write_wal(settings: Settings) -> None:
    with psycopg.connect(cluster.start(settings.home), autocommit=True) as session:
        session.execute("create table if not exists filler (id bigint); insert into filler values (1)")
        session.execute("select pg_switch_wal()")


def test_wal_that_has_nowhere_to_go(own: Settings) -> None:
    wal = cluster.wal_folder(own.home)
    _write_wal(own)
    _until(lambda: any(wal.iterdir()))
    assert "wal.archiving" not in _faults(own)
    away = wal.rename(wal.with_name("away"))
    _write_wal(own)
    _until(lambda: "wal.archiving" in _faults(own))
    away.rename(wal)
    _write_wal(own)  # else it tries again within a minute
    _until(lambda: "wal.archiving" not in _faults(own))


def test_a_block_that_is_not_as_it_was_written(own: Settings) -> None:
    with psycopg.connect(cluster.start(own.home), autocommit=True) as session:
        session.execute("create table torn as select id from generate_series(1, 1000) as id")
        session.execute("checkpoint")
        (path,) = session.execute("select pg_relation_filepath('torn')").fetchone()
    assert "server.checksums" not in _faults(own)
    cluster.stop(own.home)
    with (own.home / "postgres" / "data" / path).open("r+b") as file:
        file.seek(1000)
        file.write(b"other bytes")
    with psycopg.connect(cluster.start(own.home)) as session, pytest.raises(psycopg.errors.DataCorrupted):
        session.execute("select count(*) from torn")
    assert _faults(own)["server.checksums"].startswith("1 blocks of doudi ")
