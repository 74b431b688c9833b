"""`doudi doctor` on installations that are really broken: it names each fault, and finds none where there is none."""

import json
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from made_up import as_csv, poverty_row, write
from typer.testing import CliRunner

from doudi import loads
from doudi.access import identifier_key
from doudi.cli import app
from doudi.contracts import Contract
from doudi.doctor import diagnose, machine
from doudi.settings import Settings
from doudi.warehouse.connection import connect
from doudi.warehouse.migrations import MigrationError
from doudi.warehouse.schema import create_schemas

KEY = "a key of forty characters, made for tests"


@pytest.fixture
def sound(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose key lies in its home, as it does without the variable."""
    monkeypatch.delenv("DOUDI_IDENTIFIER_KEY")
    with connect(installation.database_url) as session:
        identifier_key(session, settings=installation)
    return installation


def _faults(settings: Settings) -> set[str]:
    """Without what is true of the machine that runs the tests."""
    return {finding.fault for finding in diagnose(settings)} - {"packages.lock", "disk.full"}


def _execute(settings: Settings, *statements: str) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


def test_nothing_is_wrong_with_a_sound_installation(sound: Settings) -> None:
    assert _faults(sound) == set()


def test_a_removed_a_wrong_and_an_open_key(sound: Settings) -> None:
    key = sound.keys / "identifiers"
    key.chmod(0o644)
    assert _faults(sound) == {"keys.open", "identifiers.key"}
    key.chmod(0o600)
    key.write_text(KEY)
    assert _faults(sound) == {"identifiers.key"}
    key.unlink()
    assert _faults(sound) == {"identifiers.key"}


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("alter table register.poverty_register drop column labour", "registers.contract"),
        ("revoke insert on ops.load from doudi_loader", "rights.missing"),
        (
            "insert into ops.migration (number, name, sha256) values (9000, '9000_of_tomorrow', '')",
            "migrations.strange",
        ),
        ("update ops.migration set sha256 = '' where number = 1", "migrations.strange"),
        ("delete from ops.migration", "migrations.pending"),
        ("drop schema marts", "schemas.missing"),
    ],
)
def test_a_warehouse_that_is_not_what_it_should_be(sound: Settings, statement: str, fault: str) -> None:
    _execute(sound, statement)
    assert _faults(sound) == {fault}


def test_a_newer_warehouse_is_not_worked_on(sound: Settings, contracts: dict[str, Contract]) -> None:
    _execute(sound, "insert into ops.migration (number, name, sha256) values (9000, '9000_of_tomorrow', '')")
    with pytest.raises(MigrationError, match="9000_of_tomorrow"), connect(sound.database_url) as session:
        create_schemas(session, contracts.values())


def test_a_server_out_of_reach_is_told_and_ends_with_1(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DOUDI_DATABASE_URL", f"postgresql://doudi@127.0.0.1:{closed.getsockname()[1]}/doudi")
        monkeypatch.setenv("DOUDI_HOME", str(sound.home))
        result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert "server.unreachable" in {finding["fault"] for finding in json.loads(result.stdout)}


def test_missing_seeds_and_a_missing_home(sound: Settings, tmp_path: Path) -> None:
    (tmp_path / "dbt_project" / "seeds").mkdir(parents=True)
    elsewhere = replace(sound, home=tmp_path / "nowhere")
    assert "home.missing" in _faults(elsewhere)


def test_a_load_that_was_killed(sound: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "poverty_register_513431_20200331.csv", as_csv([poverty_row(1)]))
    child = os.fork()
    if child == 0:
        monkeypatch.setattr("doudi.quality.judge", lambda **_: os.kill(os.getpid(), signal.SIGKILL))
        loads.land_files([file], settings=sound)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert _faults(sound) == {"loads.unfinished"}
    monkeypatch.setattr("doudi.quality.judge", lambda **_: [])
    assert [result.status for result in loads.take_in("poverty_register", settings=sound)] == ["published"]
    assert _faults(sound) == set()


def test_a_disk_with_less_than_a_night_needs(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LEAST_FREE_BYTES", 1 << 62)
    assert "disk.full" in {finding.fault for finding in diagnose(sound)}
