"""Killed at any moment and run again, an extract reaches its recipient whole and once."""

import csv
import hashlib
import io
import json
import os
import random
import signal
import time
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from interrupted import Server, exit_status, fork
from recipients import build, column, declare, open_office

from doudi import extracts
from doudi.settings import Settings
from doudi.warehouse.connection import connect

KILLS = 150 if os.environ.get("DOUDI_SOAK") else 30
SEED = int(os.environ.get("DOUDI_SEED", random.SystemRandom().randrange(10**6)))
FIRST_DAY = date(2020, 7, 1)
PEOPLE = 3000
_THROUGHOUT = {None, "delivered"}  # what the ledger says of the day where kills fell into all of the work


def _another_day(office: Settings, number: int) -> str:
    """A build in which a row is new, one has changed and one is gone; returns its day."""
    day = (FIRST_DAY + timedelta(days=number)).isoformat()
    with connect(office.database_url) as session:
        session.execute(
            """
            insert into marts.small (row_id, person_id, name, note, division_code)
            select 'n' || n, md5(n::text)::uuid, '某' || n, 'as of ' || %(day)s, '513431001001'
            from generate_series(%(first)s::integer, %(last)s) as n
            """,
            {"first": number * PEOPLE, "last": number * PEOPLE + (0 if number else PEOPLE - 1), "day": day},
        )
        session.execute("update marts.small set note = %s where row_id = 'n0'", (f"as of {day}",))
        session.execute("delete from marts.small where row_id = 'n' || %s", (number + 1,))
    build(office, day)
    return day


def _whole_files(*places: Path) -> dict[Path, int]:
    """What can be seen under its name, and which file on the disk it is: one that is written again is another."""
    return {path: path.stat().st_ino for place in places for path in place.glob("*/*") if not path.name.startswith(".")}


def _rows_of(share: Path) -> dict[str, list[str]]:
    """What a recipient has who does as all the changes say, in the order of the days."""
    rows: dict[str, list[str]] = {}
    for folder in sorted(share.iterdir()):
        (path,) = folder.glob("*.csv")
        for change, key, *rest in list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))[1:]:
            assert (change == "新增") == (key not in rows), f"{folder.name}: {change} {key}"
            if change == "删除":
                del rows[key]
            else:
                rows[key] = rest
    return rows


def test_killed_at_any_moment_each_file_is_whole_and_goes_out_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, share = random.Random(SEED), tmp_path / "share"
    share.mkdir()
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    extra = json.dumps({"conn_type": "fs", "extra": {"path": str(share)}})
    monkeypatch.setenv("AIRFLOW_CONN_DOUDI_EXTRACT_HOUSING", extra)
    with server.installation(tmp_path) as settings:
        office = open_office(settings, tmp_path / "project")
        columns = [column("row_id"), column("name", "plain"), column("person_id", "pseudonym"), column("note")]
        forms = ["csv", "jsonl", "xlsx"]
        declare(office, rows={}, columns=columns, formats=forms, content="changes")  # written by the one who leads
        declare(office, "education", rows={}, columns=[columns[0], columns[-1]], formats=forms)  # by others for it
        places = (share, office.out / "education")
        extracts.send_all(settings=office)  # imports all there is to import
        days = ["2020-06-30", _another_day(office, 0)]
        usual, kills = _send_undisturbed(office), 0
        seen, states = _whole_files(*places), set()
        while kills < KILLS or not states >= _THROUGHOUT:
            assert kills < 10 * KILLS, f"DOUDI_SEED={SEED}: the kills did not fall into the work"
            days.append(_another_day(office, len(days) - 1))
            for _ in range(chance.randrange(1, 4)):
                sender = fork(lambda: extracts.send_all(settings=office))
                time.sleep(chance.uniform(0, usual))
                with suppress(ProcessLookupError):
                    os.kill(sender, signal.SIGKILL)
                kills += exit_status(sender) == -signal.SIGKILL
                states.add(_state(office, days[-1]))
                assert seen.items() <= _whole_files(*places).items(), f"DOUDI_SEED={SEED}: written twice"
                seen = _whole_files(*places)
            usual = max(usual, _send_undisturbed(office))  # the machine may have become slower meanwhile

        for place in places:
            assert sorted(path.name for path in place.iterdir()) == days
        for folder in (folder for place in places for folder in place.iterdir()):
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            told = {file["file_name"]: file["sha256"] for file in manifest["files"]}
            assert sorted(path.name for path in folder.iterdir()) == sorted([*told, "manifest.json"])
            for name, sha256 in told.items():
                assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
        with psycopg.connect(office.database_url) as session:
            files = session.execute("select count(*), count(*) filter (where state = 'delivered') from ops.extract")
            assert files.fetchall() == [(6 * len(days),) * 2]
            disclosed = session.execute(
                "select count(*), count(distinct (build_id, recipient, file_name)) from ops.disclosure"
            )
            assert disclosed.fetchall() == [(6 * len(days),) * 2]
            mart = dict(session.execute("select row_id, note from marts.small").fetchall())
        told = {key: row[-1].removeprefix("'") for key, row in _rows_of(share).items()}
        assert told == {key: note or "" for key, note in mart.items()}
        (full,) = (office.out / "education" / days[-1]).glob("*.csv")
        rows = list(csv.reader(io.StringIO(full.read_text(encoding="utf-8-sig"))))[1:]
        assert {key: note.removeprefix("'") for key, note in rows} == told
        assert not any(office.outgoing.glob("*/*"))


def _send_undisturbed(office: Settings) -> float:
    """Seconds of a whole hand-out in a process of its own."""
    began = time.monotonic()
    assert exit_status(fork(lambda: extracts.send_all(settings=office))) == 0
    return time.monotonic() - began


def _state(office: Settings, day: str) -> str | None:
    """How far the day's consignment had come in the ledger; None where it was not known there."""
    with psycopg.connect(office.database_url) as session:
        row = session.execute("select state from ops.extract where as_of = %s limit 1", (day,)).fetchone()
    return row[0] if row else None
