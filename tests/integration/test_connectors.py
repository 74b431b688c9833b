"""Pulling from servers that the tests start: each once, only what is new, on after a cut, and nothing changed there."""

import json
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
import yaml
from made_up import as_csv, visit_row, write
from psycopg.conninfo import conninfo_to_dict
from sources_at_work import BUCKET, TOKEN, CutProxy, Interface, SftpServer, interface, object_store, sftp_server
from urllib3.util import Retry

from doudi import loads
from doudi.connectors import object_store as object_store_connector
from doudi.connectors.connections import SourceError, password
from doudi.ledger import LoadResult
from doudi.settings import Settings

FEED = "household_visit"
NAME = "household_visit_513431001_20200302.csv"
READER_PASSWORD = token_hex(8)
pytestmark = pytest.mark.usefixtures("without_suite")


def visits(first: int, last: int) -> str:
    return as_csv([visit_row(f"W{number}", "2020-03-01", 走访人="某" * 40) for number in range(first, last + 1)])


def state_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Declare an Airflow connection as a variable; returns its id, which no other test has."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))

    def connection(**facts: object) -> str:
        name = f"c{abs(hash(tmp_path)):x}"
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(facts))
        return name

    return connection


@pytest.fixture
def pull(installation: Settings) -> Callable[..., list[LoadResult]]:
    """Take the feed in from one source; what it tells is in `pull.told`."""

    def pull(**source: object) -> list[LoadResult]:
        installation.sources.write_text(yaml.safe_dump([{"name": "office", "feed": FEED} | source]))
        pull.told = []
        return loads.take_in(FEED, settings=installation, progress=pull.told.append)

    return pull


@pytest.fixture
def spooled(installation: Settings) -> Callable[[], list[Path]]:
    return lambda: [path for path in installation.spool.rglob("*") if path.is_file()]


def test_a_folder(connection, pull, spooled, tmp_path: Path, query) -> None:
    share = tmp_path / "share"
    (share / "out").mkdir(parents=True)
    rows = visits(1, 3)
    write(share / "out", NAME, rows)
    write(share / "out", f"{NAME}.manifest.json", json.dumps({"rows": 3}))
    write(share / "out", "poverty_register_513431_20200302.csv", "another feed's")
    before = state_of(share / "out")
    source = {"kind": "folder", "connection": connection(conn_type="fs", extra={"path": str(share)}), "path": "out"}

    (result,) = pull(**source)
    assert (result.status, result.rows_published) == ("published", 3)
    assert query("select manifest ->> 'rows', source_uri from ops.load") == [("3", (share / "out" / NAME).as_uri())]
    assert pull(**source) == []
    assert not any("office: pulled" in line for line in pull.told)
    write(share / "out", NAME.replace("02.", "03."), visits(4, 4))
    (result,) = pull(**source)
    assert result.rows_published == 1
    assert spooled() == []
    assert state_of(share / "out").items() >= before.items()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # paramiko reads ahead in a thread
def test_an_sftp_server(connection, pull, spooled, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    path = write(tmp_path / "remote", NAME, visits(1, 20000))
    before, size = state_of(path.parent), path.stat().st_size
    with sftp_server(path.parent) as server:
        source = {"kind": "sftp", "path": "/", "connection": connection(**_sftp(server))}
        server.cut_after = size // 2
        server.arrived = lambda: any(path.name == "part" and path.stat().st_size for path in spooled())
        with pytest.raises(SourceError, match="office: ") as raised:
            pull(**source)
        assert "127.0.0.1" not in str(raised.value)
        (part,) = [path for path in spooled() if path.name == "part"]
        begun = part.stat().st_size
        assert 0 < begun < size

        server.cut_after, server.offsets = None, []
        (result,) = pull(**source)
        assert (result.status, result.rows_published) == ("published", 20000)
        assert min(server.offsets) == begun
        server.offsets = []
        assert pull(**source) == []
        assert server.offsets == []
        write(path.parent, NAME.replace("02.", "03."), visits(1, 1))
        assert [result.status for result in pull(**source)] == ["published"]
    assert state_of(path.parent).items() >= before.items()


def _sftp(server: SftpServer, **changes: object) -> dict[str, object]:
    return {
        "conn_type": "sftp", "host": "127.0.0.1", "port": server.port, "login": "county", "password": server.password,
        "extra": {"host_key": server.host_key, "look_for_keys": "false"} | changes,
    }  # fmt: skip


def test_an_sftp_server_with_another_key_is_not_spoken_to(connection, pull, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    write(tmp_path / "remote", NAME, visits(1, 1))
    with (
        sftp_server(tmp_path / "remote") as server,
        sftp_server(tmp_path / "remote") as other,
        pytest.raises(SourceError, match="office: BadHostKeyException"),
    ):
        pull(kind="sftp", path="/", connection=connection(**_sftp(server, host_key=other.host_key)))
    assert server.logins == 0


def test_an_object_store(connection, pull, spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store_connector, "_RANGE_BYTES", 1 << 16)
    content = visits(1, 10000).encode()
    with object_store() as store, CutProxy(store.port) as proxy:
        store.put(f"out/{NAME}", content)
        before = store.state()
        source = {"kind": "object_store", "bucket": BUCKET, "prefix": "out", "connection": connection(**proxy.login)}
        proxy.cut_after = len(content) // 2
        with pytest.raises(SourceError, match="office: "):
            pull(**source)
        (part,) = [path for path in spooled() if path.name == "part"]
        begun = part.stat().st_size
        assert 0 < begun < len(content)

        proxy.restore()
        (result,) = pull(**source)
        assert (result.status, result.rows_published) == ("published", 10000)
        assert proxy.sent < len(content) - begun + 100_000  # with the listings; the file is half a megabyte or more
        proxy.restore()
        assert pull(**source) == []
        assert proxy.sent < 50_000
        assert store.state() == before
        store.put(f"out/{NAME.replace('02.', '03.')}", visits(1, 1).encode())
        assert [result.status for result in pull(**source)] == ["published"]


PAGES = [
    {"by": "number", "parameter": "page"},
    {"by": "cursor", "parameter": "after", "next": "paging.after"},
    {"by": "link", "next": "paging.link"},
    {"by": "link"},
]


@pytest.mark.parametrize("pages", PAGES, ids=["number", "cursor", "link in the page", "link in the header"])
def test_an_http_interface(pages, connection, pull, spooled, monkeypatch: pytest.MonkeyPatch, installation) -> None:
    monkeypatch.setattr("doudi.connectors.http._RETRIES", Retry(total=2, backoff_factor=0, status_forcelist=(429, 503)))
    rows = [visit_row(f"W{number}", "2020-03-01") for number in range(1, 51)]
    with interface(rows, page_size=10) as server:
        source = _http(server, connection, pages)
        server.busy_on, server.cut_on = 2, 4
        with pytest.raises(SourceError, match="office: ConnectionError"):
            pull(**source)
        assert not [path for path in spooled() if path.suffix == ".jsonl"]

        server.cut_on, server.asked = None, []
        loads.fetch([FEED], settings=installation)
        assert server.asked[0] == 4
        assert TOKEN not in "".join(path.read_text() for path in spooled())
        (whole,) = [path for path in spooled() if path.suffix == ".jsonl"]
        assert [json.loads(line) for line in whole.read_text().splitlines()] == rows
        assert [(result.status, result.rows_published) for result in pull(**source)] == [("published", 50)]


def _http(server: Interface, connection: Callable[..., str], pages: dict[str, str]) -> dict[str, object]:
    return {
        "kind": "http", "endpoint": "/visits", "area_code": "513431001", "items": "data.rows", "pages": pages,
        "date_parameter": "day", "page_size_parameter": "size", "page_size": 10,
        "connection": connection(conn_type="http", host=f"http://127.0.0.1:{server.port}", password=TOKEN),
    }  # fmt: skip


def test_an_interface_is_one_delivery_a_day_unless_it_answers_otherwise(connection, pull, query) -> None:
    rows = [visit_row("W1", "2020-03-01")]
    with interface(rows, page_size=10) as server:
        source = _http(server, connection, PAGES[0])
        pull(**source)
        pull(**source)
        assert query("select count(*) from ops.load") == [(1,)]
        rows.append(visit_row("W2", "2020-03-01"))
        pull(**source)
    assert query("select count(*) from ops.load") == [(2,)]


def test_a_token_goes_to_no_other_host(connection, pull) -> None:
    with interface([visit_row("W1", "2020-03-01")] * 20, page_size=10) as server:
        server.link_host = "http://elsewhere.invalid"
        with pytest.raises(SourceError, match="office: a page links to another host"):
            pull(**_http(server, connection, PAGES[2]))


@pytest.fixture
def department(server_url: str, warehouse_url: str) -> str:
    """Another database on the server, which a login of its own may read and nothing else."""
    with psycopg.connect(server_url, autocommit=True) as session:
        session.execute("create database department")
        session.execute(f"create role department_reader login password '{READER_PASSWORD}'")
    url = psycopg.conninfo.make_conninfo(server_url, dbname="department")
    with psycopg.connect(url) as session:
        session.execute("create table visit (预警编号 text, 走访日期 date, 走访人 text, 核实结果 text, breaks_at int)")
        session.execute(
            "insert into visit select 'W' || n, date '2020-03-01', '某' || n, '属实' from generate_series(1, 20000) n"
        )
        session.execute("grant select on visit to department_reader")
    yield url
    with psycopg.connect(server_url, autocommit=True) as session:
        session.execute("drop database department with (force)")
        session.execute("drop role department_reader")


def test_a_database(department: str, connection, pull, spooled, query) -> None:
    place = conninfo_to_dict(department)
    source = {
        "kind": "database", "area_code": "513431001", "data_date": "yesterday",
        "statement": "select 预警编号, 走访日期, 走访人, 核实结果, 1 / (1 - coalesce(breaks_at, 0)) as 备用 from visit "
        "where 走访日期 <= :data_date",
        "connection": connection(
            conn_type="postgres", host=place["host"], port=int(place["port"]), schema="department",
            login="department_reader", password=READER_PASSWORD,
        ),
    }  # fmt: skip
    with psycopg.connect(department, autocommit=True) as session:
        session.execute("insert into visit values ('W20001', '2020-03-01', '某', '属实', 1)")  # the last row breaks it
        with pytest.raises(SourceError, match=r"^office: DataError$"):
            pull(**source)
        assert {path.name for path in spooled()} == {"part"}
        session.execute("update visit set breaks_at = null")
        (result,) = pull(**source)
        assert (result.status, result.rows_published) == ("published", 20001)
        pull(**source)
        assert query("select count(*) from ops.load") == [(1,)]
        session.execute("insert into visit values ('W20002', '2020-03-01', '某', '属实')")
        pull(**source)
        assert query("select rows_read from ops.load order by load_id") == [(20001,), (20002,)]


def test_what_was_pulled_whole_is_taken_in_when_the_source_is_gone(connection, pull, tmp_path, installation) -> None:
    share = tmp_path / "share"
    share.mkdir()
    source = {"kind": "folder", "connection": connection(conn_type="fs", extra={"path": str(share)})}
    write(share, NAME, visits(1, 2))
    pull(**source)
    write(share, NAME.replace("02.", "03."), visits(3, 4))
    assert loads.fetch([FEED], settings=installation) == []
    assert [*loads.waiting(settings=installation)] == [FEED]
    share.rename(tmp_path / "gone")
    write(installation.inbox, NAME.replace("02.", "04."), visits(5, 5))
    with pytest.raises(SourceError, match="office: No such file or directory"):
        pull(**source)
    assert [*loads.waiting(settings=installation)] == []


def test_one_delivery_under_two_names_is_pulled_once(connection, pull, tmp_path: Path, query) -> None:
    share = tmp_path / "share"
    share.mkdir()
    source = {"kind": "folder", "connection": connection(conn_type="fs", extra={"path": str(share)})}
    for name in (NAME, NAME.replace("household", "HOUSEHOLD")):
        write(share, name, visits(1, 2))
    assert [result.status for result in pull(**source)] == ["published"]
    pull(**source)
    assert not any("office: pulled" in line for line in pull.told)
    assert query("select count(*) from ops.load") == [(1,)]


def test_a_day_that_has_not_come_is_refused(installation: Settings) -> None:
    ahead = write(installation.inbox, NAME.replace("20200302", "20991231"), visits(1, 1))
    (result,) = loads.take_in(FEED, settings=installation)
    assert (result.status, result.error_code) == ("refused", "file.data_date")
    assert ahead.name in result.error


def test_the_first_password_of_some_connections(connection, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = token_hex(8)
    known = connection(conn_type="generic", password=secret)
    assert password("nowhere", known) == secret
    assert password("nowhere") is None
