"""`doudi doctor` on installations that are really broken: it names each fault, and finds none where there is none."""

import json
import os
import re
import signal
import socket
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from made_up import as_csv, erasure, poverty_row, write
from typer.testing import CliRunner

from doudi import backup, loads
from doudi.access import identifier_key
from doudi.backup import noted
from doudi.cli import app
from doudi.contracts import Contract
from doudi.doctor import diagnose, diagnosis, machine, server, warehouse
from doudi.erasures.record import keep_in_file
from doudi.private import write_private
from doudi.settings import TIME_ZONE, Settings
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


def _of_database(change: str) -> str:
    """A statement that changes the database it is run in."""
    return f"do $$ begin execute format($s$alter database %I {change}$s$, current_database()); end $$"


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


def test_erasures_that_the_database_does_not_have_and_a_file_that_cannot_be_read(sound: Settings) -> None:
    keep_in_file(sound.erasures, [erasure()])
    assert _faults(sound) == {"erasures.undone"}
    sound.erasures.write_text("{")
    assert _faults(sound) == {"erasures.file"}


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
        (_of_database("set timezone to 'UTC'"), "server.time_zone"),
        (
            "create schema ahead; create function ahead.clock_timestamp() returns timestamptz language sql"
            " return pg_catalog.clock_timestamp() + interval '2 minutes';"
            + _of_database("set search_path to ahead, pg_catalog"),
            "clock.apart",
        ),
    ],
)
def test_a_warehouse_that_is_not_what_it_should_be(sound: Settings, statement: str, fault: str) -> None:
    _execute(sound, statement)
    assert _faults(sound) == {fault}


def test_a_newer_warehouse_is_not_worked_on(sound: Settings, contracts: dict[str, Contract]) -> None:
    _execute(sound, "insert into ops.migration (number, name, sha256) values (9000, '9000_of_tomorrow', '')")
    with pytest.raises(MigrationError, match="9000_of_tomorrow"), connect(sound.database_url) as session:
        create_schemas(session, contracts.values())


@pytest.mark.parametrize(
    ("changed", "what", "command"),
    [
        ({"password": "yesterday"}, "password authentication failed", "password of today into DOUDI_DATABASE_URL"),
        ({"password": "a space"}, "DOUDI_DATABASE_URL is no URL that PostgreSQL reads", "%20"),
        ({"dbname": "doudi_of_nobody"}, "does not exist", "deploy/postgres.sh"),
    ],
)
def test_why_the_server_does_not_let_us_in(sound: Settings, changed: dict[str, str], what: str, command: str) -> None:
    given = psycopg.conninfo.conninfo_to_dict(sound.database_url) | changed
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**given)
    (finding,) = [each for each in diagnose(replace(sound, database_url=url)) if each.fault == "server.unreachable"]
    assert what in finding.what
    assert changed.get("password", "-") not in finding.what
    assert command in finding.command


def test_a_transaction_that_somebody_left_open(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_IDLE_MINUTES", 0)
    monkeypatch.setattr(diagnosis, "_LOCK_SECONDS", 0.1)
    with psycopg.connect(sound.database_url) as left, psycopg.connect(sound.database_url) as waiting:
        left.execute("lock table ops.load in access exclusive mode")
        waiting.pgconn.send_query(b"select count(*) from ops.load")
        found = {finding.fault: finding for finding in diagnose(sound)}
        assert found.keys() >= {"sessions.idle", "tables.locked"}
        assert found["sessions.idle"].severity == "error"
        assert f"session {left.info.backend_pid} " in found["sessions.idle"].what
        _execute(sound, f"select pg_terminate_backend({left.info.backend_pid})")
        left.close()
        waiting.close()
        assert _faults(sound) == set()


@pytest.mark.parametrize(
    ("limit", "value", "fault"),
    [("_MOST_CONNECTIONS", 0, "server.connections"), ("_OLDEST_TRANSACTION", 1, "server.transaction_age")],
)
def test_what_a_server_runs_out_of(
    sound: Settings, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, fault: str
) -> None:
    monkeypatch.setattr(server, limit, value)
    assert _faults(sound) == {fault}


def test_backups_that_are_missing_old_or_gone(sound: Settings, tmp_path: Path) -> None:
    _execute(
        sound,
        """
        insert into ops.load (
            feed, area_code, data_date, file_name, source_uri, source_modified_at, sha256, size_bytes, archive_path,
            mode, received_at
        )
        values (
            'poverty_register', '513431', '2020-03-31', 'a file', 'a place', now(), '', 1, '', 'snapshot',
            now() - interval '3 days'
        )
        """,
    )
    assert _faults(sound) == {"backup.missing"}
    taken = backup.take(tmp_path / "backups", url=sound.database_url, settings=sound)
    assert _faults(sound) == set()
    noted.note(sound.home, "set", taken_at=datetime.now(TIME_ZONE) - timedelta(days=3), folder=taken)
    assert _faults(sound) == {"backup.old"}
    taken.rename(tmp_path / "elsewhere")
    assert _faults(sound) == {"backup.old", "backup.away"}


def test_ports_that_somebody_else_has(sound: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        for part in ("postgres", "airflow"):
            (sound.home / part).mkdir()
            write_private(sound.home / part / "state.json", json.dumps({"port": other.getsockname()[1]}))
        found = [finding.fault for finding in diagnose(replace(sound, database_url=None))]
    assert found.count("port.taken") == 2
    assert "port.taken" not in _faults(replace(sound, database_url=None))


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


def test_a_disk_with_less_than_the_warehouse_needs(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = replace(sound, database_url=None)
    with psycopg.connect(sound.database_url) as session:
        assert [*warehouse.room(session, embedded)] == []
        monkeypatch.setattr(warehouse, "_ROOM_SHARE", 1 << 62)
        assert [finding.fault for finding in warehouse.room(session, embedded)] == ["disk.low"]


def test_every_fault_is_on_the_page(project: Path) -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (project / "src" / "doudi" / "doctor").iterdir()
        if path.suffix == ".py"
    )
    faults = set(re.findall(r'fault="([a-z_.]+)"', code)) | {"backup.old", "backup.missing"}
    page = (project / "docs" / "upgrades.md").read_text(encoding="utf-8")
    assert {fault for fault in faults if f"`{fault}`" not in page} == set()
