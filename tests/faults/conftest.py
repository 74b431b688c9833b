"""Two nights that may be cut off at any moment, and a server that may be killed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from interrupted import Server

from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.synth.generate import generate
from doudi.warehouse import cluster
from doudi.warehouse.connection import connect
from doudi.warehouse.schema import create_schemas


@pytest.fixture(scope="session")
def server(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, contracts: dict[str, Contract]
) -> Iterator[Server]:
    server = Server(home=tmp_path_factory.mktemp("killed"), settings=settings)
    with psycopg.connect(server.start(), autocommit=True) as session:
        # Killing a process loses nothing that it handed to the system; only a power cut would, and takes an fsync.
        session.execute("alter system set fsync to off")
        session.execute("select pg_reload_conf()")
        session.execute("create database empty")
    with connect(server.url("empty")) as session:
        create_schemas(session, contracts.values())
    yield server
    cluster.stop(server.home)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The inboxes of two nights of a county of some hundred people: snapshots, events, refused rows and bad lines.

    The second night brings a list that is late, corrections of the same day, and a later list.
    """
    county = tmp_path_factory.mktemp("county")
    generate(county, persons=300, seed=5, as_of=date(2020, 6, 30))
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    for name, folder in (
        ("poverty_register_513431_20200331.csv", first),
        ("poverty_register_513431_20200430.csv", second),
        ("poverty_register_513431_20200531.csv", first),
        ("medical_assistance_513431_20200331.csv", first),
        ("medical_assistance_513431_20200430.csv", first),
        ("disability_513431_20200331.csv", first),
        ("disability_513431_20200430.csv", second),
    ):
        for path in county.glob(f"{name}*"):
            (folder / path.name).write_bytes(path.read_bytes())
    for name in ("poverty_register_513431_20200531.csv", "medical_assistance_513431_20200331.csv"):
        header, *lines = (county / name).read_bytes().splitlines(keepends=True)
        bad = [lines[4].replace(b",", b"", 1), b'"' + lines[5], lines[6][:20] + b"\0" + lines[6][20:]]
        corrected = [header, *lines[:4], *bad, *reversed(lines[9:])]
        (second / name.replace(".csv", "_1.csv")).write_bytes(b"".join(corrected))
    return [first, second]


@pytest.fixture
def without_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doudi.quality.judge", lambda **_: [])
    monkeypatch.setattr("doudi.quality.prepare", lambda: None)
    monkeypatch.setattr("doudi.quality.Suite.refuses", lambda *_, **__: False)
