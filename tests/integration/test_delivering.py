"""Extracts on their way: to folders, SFTP servers and object stores, encrypted, and once however often it takes."""

import json
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from recipients import build, declare, open_office
from sources_at_work import BUCKET, Bucket, CutProxy, SftpServer, object_store, sftp_server

from doudi import extracts
from doudi.extracts import ExtractError, NotDeliveredError
from doudi.settings import Settings


@pytest.fixture
def office(installation: Settings, tmp_path: Path) -> Settings:
    ours = open_office(installation, tmp_path / "project")
    declare(ours, formats=["csv", "xlsx"])
    return ours


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Set the recipient's Airflow connection."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))

    def connection(**facts: object) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_DOUDI_EXTRACT_HOUSING", json.dumps(facts))

    return connection


def _sftp(server: SftpServer, **changes: object) -> dict[str, object]:
    return {
        "conn_type": "sftp", "host": "127.0.0.1", "port": server.port, "login": "county", "password": server.password,
        "extra": {"host_key": server.host_key, "look_for_keys": "false", "path": "/in/doudi"} | changes,
    }  # fmt: skip


def _contents(bucket: Bucket) -> dict[str, bytes]:
    return {key: bucket._client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key, _, _ in bucket.state()}


def test_a_share_that_is_not_there_gets_the_same_bytes_when_it_is(
    office: Settings, connection, query: Callable, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    connection(conn_type="fs", extra={"path": str(share)})
    with pytest.raises(NotDeliveredError, match="housing: NotADirectoryError at doudi_extract_housing"):
        extracts.send_all(settings=office)
    assert not share.exists()
    ready = {path.name: path.read_bytes() for path in (office.outgoing / "housing" / "2020-06-30").iterdir()}
    assert query("select distinct state from ops.extract") == [("prepared",)]

    share.mkdir()
    build(office, "2020-07-01")
    sent = extracts.send_all(settings=office)
    assert [file.path for file in sent][:1] == ["doudi_extract_housing/2020-06-30/housing_20200630.csv"]
    assert {path.name: path.read_bytes() for path in (share / "2020-06-30").iterdir()} == ready
    assert sorted(path.name for path in share.iterdir()) == ["2020-06-30", "2020-07-01"]
    assert query("select state, count(*) from ops.extract group by state") == [("delivered", 4)]
    assert not office.out.exists()
    assert extracts.send_all(settings=office) == []


def test_an_sftp_server_gets_files_that_only_the_recipient_can_read(
    office: Settings, connection, query: Callable, tmp_path: Path
) -> None:
    identity, remote = pyrage.x25519.Identity.generate(), tmp_path / "remote"
    (remote / "in").mkdir(parents=True)
    declare(office, formats=["csv"], encrypt="required")
    with sftp_server(remote) as server:
        connection(**_sftp(server, age_recipient="age1no-key"))
        with pytest.raises(ExtractError, match=r"housing\.yml: the age_recipient of doudi_extract_housing is no key"):
            extracts.send_all(settings=office)
        connection(**_sftp(server, age_recipient=str(identity.to_public())))
        (file,) = extracts.send_all(settings=office)
        assert extracts.send_all(settings=office) == []
    folder = remote / "in" / "doudi" / "2020-06-30"
    assert sorted(path.name for path in folder.iterdir()) == ["housing_20200630.csv.age", "manifest.json"]
    content = (folder / file.file_name).read_bytes()
    assert "某甲".encode() not in content
    assert "欧阳某甲".encode() in pyrage.decrypt(content, [identity])
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"][0]
    assert query("select sha256, plain_sha256 from ops.extract") == [(told["sha256"], told["plain_sha256"])]
    assert query("select file_sha256 from ops.disclosure") == [(told["sha256"],)]


def test_an_object_store_that_goes_away_in_the_middle(office: Settings, connection, query: Callable) -> None:
    with object_store() as store, CutProxy(store.port) as proxy:
        login = proxy.login
        login["extra"] |= {"object_store": f"s3://{BUCKET}/housing"}
        connection(**login)
        proxy.cut_after = 2000
        with pytest.raises(NotDeliveredError, match="at doudi_extract_housing"):
            extracts.send_all(settings=office)
        ready = {path.name: path.read_bytes() for path in (office.outgoing / "housing" / "2020-06-30").iterdir()}
        arrived = _contents(store)
        assert arrived.items() <= {f"housing/2020-06-30/{name}": content for name, content in ready.items()}.items()
        assert not any(key.endswith("manifest.json") for key in arrived)

        proxy.restore()
        assert len(extracts.send_all(settings=office)) == 2
        assert _contents(store) == {f"housing/2020-06-30/{name}": content for name, content in ready.items()}
    assert query("select count(*) from ops.disclosure") == [(2,)]


def test_a_connection_that_says_no_place_is_told_without_its_secrets(office: Settings, connection) -> None:
    connection(conn_type="http", host="secret.example", password="made-up-secret")  # noqa: S106
    with pytest.raises(ExtractError, match="doudi_extract_housing says no place") as caught:
        extracts.send_all(settings=office)
    assert "secret" not in str(caught.value)
