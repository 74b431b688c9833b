"""Several recipients' files written in several processes: one moment, one record, and nothing half of what was lost."""

import csv
import errno
import io
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import openpyxl
import psycopg
import pytest
from psycopg import sql
from recipients import ROWS, build, column, declare, open_office, put

from doudi import extracts
from doudi.extracts import verifying
from doudi.extracts.forms import delimited
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost
from doudi.warehouse.connection import WarehouseError, connect

RECIPIENTS = ("civil_affairs", "education", "housing")
Before = Callable[[Path], None]


@pytest.fixture
def office(installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with a small mart and nobody declared, which writes two files at a time."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.setattr("doudi.extracts.writing.workers_for", lambda things: min(things, 2))
    return open_office(installation, tmp_path / "project")


@pytest.fixture
def before_each(monkeypatch: pytest.MonkeyPatch) -> Callable[[Before], None]:
    """Has something happen before each CSV is written, in the process that writes it."""
    write = delimited.write_utf8

    def install(happens: Before) -> None:
        def wrapped(connection: psycopg.Connection, query: object, path: Path, about: object) -> int:
            happens(path)
            return write(connection, query, path, about)

        monkeypatch.setattr(delimited, "write_utf8", wrapped)

    return install


def table(path: str | Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(Path(path).read_text(encoding="utf-8-sig"))))


def whole(out: Path) -> dict[str, bytes]:
    """What recipients have, but for the manifests, which tell the number of each disclosure."""
    return {path.name: path.read_bytes() for path in out.glob("*/*/*") if path.name != "manifest.json"}


def test_all_see_one_moment_and_the_files_are_those_of_one_process(
    office: Settings, before_each: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: Callable
) -> None:
    for name in RECIPIENTS:
        declare(office, name, rows={}, formats=["csv", "xlsx", "jsonl"], split={"file": "township_code"})
    alone, together = tmp_path / "alone", tmp_path / "together"
    with monkeypatch.context() as patch:
        patch.setattr("doudi.extracts.writing.workers_for", lambda things: 1)
        extracts.send(list(RECIPIENTS), settings=office, out=alone)
    recorded = "select recipient, file_name, file_sha256, rows, persons_sha256 from ops.disclosure"
    expected = query(f"{recorded} order by disclosure_id")
    writers = tmp_path / "writers"

    def change(path: Path) -> None:
        with writers.open("a") as file:
            print(os.getpid(), file=file)
        with psycopg.connect(office.database_url) as session:
            session.execute("update marts.small set note = 'too late'")
            session.execute("delete from marts.small where row_id = 'r3'")

    before_each(change)
    files = extracts.send(list(RECIPIENTS), settings=office, out=together)
    assert len(files) == 3 * 3 * 3
    pids = set(writers.read_text().split())
    assert len(pids) > 1
    assert str(os.getpid()) not in pids
    assert query(f"{recorded} where disclosure_id > {len(expected)} order by disclosure_id") == expected
    assert whole(together) == whole(alone)
    with connect(office.database_url) as session:
        told = verifying.verify(session, manifests=verifying.manifests_in(alone, together))
    assert told == verifying.Verified(disclosures=2 * len(files), manifests=6, fault=None)


def test_recipients_whose_rows_lie_in_tables_of_one_session_are_served_beside_the_others(
    office: Settings, query: Callable
) -> None:
    columns = [column("row_id"), column("person_id", "pseudonym"), column("citizen_id", "pseudonym"), column("note")]
    for name in RECIPIENTS:
        declare(office, name, rows={}, columns=columns, content="changes", formats=["csv", "jsonl"])
    declare(office, "public", rows={}, columns=columns[:2])
    declare(office, "plain", rows={})
    extracts.send_all(settings=office)
    build(office, "2020-07-01")
    put(office, ROWS[1] | {"note": "moved"})
    sent = {(file.recipient, Path(file.path).suffix): file for file in extracts.send_all(settings=office)}
    assert {key: file.rows for key, file in sent.items()} == {
        **{(name, suffix): 1 for name in RECIPIENTS for suffix in (".csv", ".jsonl")},
        **{("plain", ".csv"): 3, ("public", ".csv"): 3},
    }
    rows = [table(sent[name, ".csv"].path)[1] for name in RECIPIENTS]
    assert {(row[0], row[1], row[4]) for row in rows} == {("变更", "r2", "moved")}
    assert len({row[2] for row in rows}) == len({row[3] for row in rows}) == 3  # each by a key of its own
    assert query("select count(*), count(distinct row_hash) from ops.extract_row") == [(9, 9)]
    order = query("select recipient from ops.disclosure where as_of = '2020-07-01' order by disclosure_id")
    assert [name for (name,) in order] == sorted(name for (name,) in order)


def _dies(path: Path) -> None:
    if path.name.startswith("education"):
        path.write_text("half of")
        os.kill(os.getpid(), signal.SIGKILL)


def _finds_the_disk_full(path: Path) -> None:
    if path.name.startswith("education"):
        path.write_text("half of")
        raise OSError(errno.ENOSPC, "No space left on device")


def _asks_in_vain(path: Path) -> None:
    if path.name.startswith("education"):
        raise psycopg.errors.InvalidTextRepresentation("a value of a row")


@pytest.mark.parametrize(
    ("happens", "content", "error", "said"),
    [
        (_dies, "full", WorkerLost, "education: its process ended in the middle with exit code -9"),
        (_finds_the_disk_full, "full", OSError, "No space left"),
        (_finds_the_disk_full, "changes", OSError, "No space left"),
        (_asks_in_vain, "full", WarehouseError, "^extract: InvalidTextRepresentation 22P02"),
        (_asks_in_vain, "changes", WarehouseError, "^extract: InvalidTextRepresentation 22P02"),
    ],
)
def test_what_befalls_one_recipient_s_file_leaves_nothing_of_it_and_the_others_whole(
    office: Settings,
    before_each: Callable,
    happens: Before,
    content: str,
    error: type[Exception],
    said: str,
    query: Callable,
) -> None:
    for name in RECIPIENTS:
        declare(office, name, formats=["csv", "jsonl"], content=content)
    before_each(happens)
    with pytest.raises(error, match=said):
        extracts.send_all(settings=office)
    states = "select recipient, state, count(*) from ops.extract group by 1, 2 order by 1"
    others = [("civil_affairs", "delivered", 2), ("housing", "delivered", 2)]
    assert query(states) == others
    assert query("select recipient, count(*) from ops.disclosure group by 1 order by 1") == [
        (name, count) for name, _, count in others
    ]
    assert {path.name for path in office.out.iterdir()} == {"civil_affairs", "housing"}
    assert [path for path in office.outgoing.rglob("*") if path.is_file()] == []
    before_each(lambda path: None)
    assert {file.recipient for file in extracts.send_all(settings=office)} == {"education"}
    with connect(office.database_url) as session:
        told = verifying.verify(session, manifests=verifying.manifests_in(office.out))
    assert told == verifying.Verified(disclosures=6, manifests=3, fault=None)


def test_killed_while_others_write_for_it_nothing_is_handed_out_and_the_next_run_does_all(
    office: Settings, before_each: Callable, tmp_path: Path, query: Callable
) -> None:
    for name in RECIPIENTS:
        declare(office, name)
    leader = os.fork()
    if leader == 0:

        def stop(path: Path) -> None:
            path.write_text("half of")
            if path.name.startswith("education"):
                os.kill(os.getppid(), signal.SIGKILL)
            signal.pause()  # it ends with the process that started it

        before_each(stop)
        with suppress(BaseException):
            extracts.send_all(settings=office)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(leader, 0)[1]) == -signal.SIGKILL
    assert query("select count(*) from ops.extract") == query("select count(*) from ops.disclosure") == [(0,)]
    assert not office.out.exists()
    assert len(extracts.send_all(settings=office)) == 3
    assert not any(office.outgoing.glob("*/*"))
    assert query("select count(*) from ops.extract where state = 'delivered'") == [(3,)]


def test_a_server_that_ends_idle_transactions_lets_it_wait_for_the_others(
    office: Settings, before_each: Callable, query: Callable
) -> None:
    for name in RECIPIENTS:
        declare(office, name)
    with psycopg.connect(office.database_url) as session:
        session.execute(
            sql.SQL("alter database {} set idle_in_transaction_session_timeout to '50ms'").format(
                sql.Identifier(session.info.dbname)
            )
        )
    before_each(lambda path: time.sleep(0.3))
    assert len(extracts.send_all(settings=office)) == 3
    assert query("select count(*) from ops.disclosure") == [(3,)]


def test_on_a_cluster_which_has_no_snapshot_to_share_one_process_writes_all(
    office: Settings, before_each: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doudi.extracts.writing.is_distributed", lambda connection: True)
    for name in RECIPIENTS:
        declare(office, name)
    written: list[str] = []
    before_each(lambda path: written.append(path.name))
    assert [file.file_name for file in extracts.send_all(settings=office)] == sorted(written)


def test_text_that_looks_like_marks_for_fonts_does_not_break_a_workbook(office: Settings) -> None:
    texts = ["<r>&</r>", "<r><t>bold</t></r>", '<t>"&amp;"', " before and behind ", "line\nfeed"]
    for number, text in enumerate(texts):
        put(office, ROWS[0] | {"row_id": f"t{number}", "note": text})
    declare(office, formats=["xlsx"])
    (file,) = extracts.send_all(settings=office)
    cells = {row[0].value: row[3].value for row in openpyxl.load_workbook(file.path).active.iter_rows()}
    assert [cells[f"t{number}"] for number in range(len(texts))] == texts
