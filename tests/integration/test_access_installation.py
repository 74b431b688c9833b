"""An installation from its account to its key: what the account needs, what is taken over, and where the key is."""

import hashlib
import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from made_up import citizen_id
from made_up_county import County, opened, person

from doudi.access import AccessError, identifier_key, logins
from doudi.settings import Settings
from doudi.transform import BuildError
from doudi.warehouse import cluster, schema
from doudi.warehouse.connection import connect
from doudi.warehouse.roles import OWNERS, RoleError

JUNE = date(2020, 6, 30)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server of its own, on which no warehouse has been made, and an installation with a plain account there."""

    administrator: str
    settings: Settings

    def as_account(self, name: str, database: str) -> str:
        place = urlsplit(self.administrator)
        return urlunsplit(place._replace(netloc=f"{name}:{name}@{place.hostname}:{place.port}", path=f"/{database}"))


@pytest.fixture(scope="module")
def server(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("plain")
    url = cluster.start(home)
    with psycopg.connect(url, autocommit=True) as session, pytest.MonkeyPatch.context() as patch:
        patch.delenv("DOUDI_IDENTIFIER_KEY", raising=False)
        for statement in (
            "alter system set fsync to off",
            "select pg_reload_conf()",
            "create role poor login password 'poor'",
            "create database poor owner poor",
            "create role guest login createrole password 'guest'",
            "create role plain login createrole password 'plain'",
            "create database plain owner plain",
        ):
            session.execute(statement)
        yield Server(administrator=url, settings=replace(settings, home=home, out=home / "out", as_of=JUNE))
    cluster.stop(home)


@pytest.mark.parametrize(
    ("account", "database", "missing"),
    [
        ("poor", "poor", "poor may not create the role doudi_owner: as an administrator, alter role poor createrole"),
        ("guest", "poor", "guest does not own the database poor"),
    ],
)
def test_an_account_that_lacks_a_right_is_told_which(server: Server, account: str, database: str, missing: str) -> None:
    with pytest.raises(RoleError, match=missing):
        schema.initialise(server.as_account(account, database), server.settings)


@pytest.fixture(scope="module")
def plain(server: Server) -> Iterator[County]:
    """A small county built by an account that may create roles and owns its database, and nothing else."""
    url = server.as_account("plain", "plain")
    settings = replace(server.settings, database_url=url)
    schema.initialise(url, settings)
    with opened(url, "plain", settings) as county:
        for feed in county.contracts:
            county.deliver(feed, JUNE)
        county.file("housing_assistance",
                    {"head_citizen_id": citizen_id(7), "safety_grade": "D", "only_home": True, "works": "listed"},
                    day=JUNE)  # fmt: skip
        county.file("special_hardship", person(7, certificate_no="T7"), day=JUNE)
        county.build(JUNE)
        yield county


def test_a_plain_account_builds_and_reads_whom_a_warning_is_about(plain: County) -> None:
    assert plain.query("select usesuper from pg_user where usename = session_user") == [(False,)]
    found = plain.query("select distinct citizen_id from marts.warning inner join identity.person using (person_id)")
    assert found == [(citizen_id(7),)]
    may = "pg_has_role('plain', 'doudi_bi', 'set'), pg_has_role('plain', 'doudi_bi', 'usage')"
    assert plain.query(f"select {may}") == [(True, False)]  # reports read as a reader does
    schema.initialise(plain.url, plain.settings)  # once more changes nothing


def test_a_plain_account_lets_readers_in(plain: County) -> None:
    logins.grant(plain.session, "newcomer", role="doudi_area_513431", password="newcomer")  # noqa: S106
    newcomer = plain.url.replace("plain:plain@", "newcomer:newcomer@")
    with psycopg.connect(newcomer) as session:
        assert session.execute("select count(*) from marts.visit_list").fetchone()[0] > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select from identity.person")
    assert logins.revoke(plain.session, "newcomer", role=None) == ["doudi_area_513431"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(newcomer)


def test_an_account_that_could_do_more_is_no_reader(plain: County) -> None:
    with pytest.raises(AccessError, match="plain may do more than read"):
        logins.grant(plain.session, "plain", role="doudi_bi", password=None)
    with pytest.raises(AccessError, match="declares no owner"):
        logins.grant(plain.session, "newcomer", role="doudi_owner", password=None)


def test_identifiers_are_made_with_the_key_and_the_key_is_in_no_other_file(plain: County, server: Server) -> None:
    file = server.settings.keys / "identifiers"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    key = file.read_text().strip()
    message = f"person|{citizen_id(7)}".encode()
    expected = hmac.new(key.encode(), message, hashlib.sha256).digest()[:16]
    assert plain.query("select person_id from identity.person") == [(uuid.UUID(bytes=expected),)]
    with connect(plain.url) as session:
        blocks = identifier_key(session, settings=plain.settings)
        assert session.execute("select current_setting('doudi.identifier_key', true)").fetchone()[0] in (None, "")
    with psycopg.connect(server.administrator, autocommit=True) as session:
        session.execute("checkpoint")
    told = [text.encode() for text in (key, blocks[:128], blocks[128:])]
    secret = [*told, *(bytes.fromhex(text.decode()) for text in told[1:])]
    leaking = [path for path in _files(server.settings.home) if any(part in path.read_bytes() for part in secret)]
    assert leaking == [file]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_another_key_is_refused_and_a_lost_one_is_missed(plain: County, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain.query("select warning_id from marts.warning order by 1")
    with monkeypatch.context() as patch:
        patch.setenv("DOUDI_IDENTIFIER_KEY", "some other key of more than thirty-two characters")
        with pytest.raises(BuildError, match="not the key that the warehouse's identifiers are made with"):
            plain.build(JUNE)
    file = plain.settings.keys / "identifiers"
    with _moved_away(file), pytest.raises(BuildError, match="key of this warehouse is missing"):
        plain.build(JUNE)
    file.chmod(0o644)
    with pytest.raises(BuildError, match="others may read"):
        plain.build(JUNE)
    file.chmod(0o600)
    assert plain.query("select warning_id from marts.warning order by 1") == before
    errors = plain.query("select count(*) from ops.build where status = 'failed' and error like '%%key%%'")
    assert errors == [(3,)]


@contextmanager
def _moved_away(file: Path) -> Iterator[None]:
    away = file.with_name("elsewhere")
    file.rename(away)
    yield
    away.rename(file)


def test_a_warehouse_from_before_is_taken_over_and_keeps_its_identifiers(
    warehouse_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account owned everything, everybody could connect, and identifiers were made without a key."""
    monkeypatch.delenv("DOUDI_IDENTIFIER_KEY", raising=False)
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        session.execute("reassign owned by doudi_owner, doudi_loader, doudi_transformer, doudi_extractor to doudi")
        session.execute("drop schema access cascade")
        session.execute("drop table ops.identifier_key")
        session.execute("drop function ops.keyed_hash")
        session.execute("create schema marts_as_of_20200331")
        session.execute("create table marts_as_of_20200331.warning (division_code text, lead_department text)")
        session.execute("create table marts.area_summary (division_code text)")
        session.execute("create view staging.stg_disability as select from register.disability")
        session.execute("insert into ops.build (as_of, status) values ('2020-06-30', 'succeeded')")
        schema.initialise(warehouse_url, settings)
        assert session.execute(
            """
            select nspname, relname, relowner::regrole::text
            from pg_class as class inner join pg_namespace as namespace on class.relnamespace = namespace.oid
            inner join unnest(%s::text[], %s::text[]) as belongs (schema, owner)
                on belongs.schema = split_part(nspname, '_as_of_', 1)
            where relowner::regrole::text <> belongs.owner and relkind in ('r', 'v', 'S')
            """,
            (list(OWNERS), list(OWNERS.values())),
        ).fetchall() == []  # fmt: skip
        session.execute("set role doudi_area_513431")
        assert session.execute("select from marts.area_summary").fetchall() == []
        assert session.execute("select from marts_as_of_20200331.warning").fetchall() == []
        session.execute("set role doudi_transformer")
        assert identifier_key(session, settings=settings) == ""
        session.execute("set doudi.identifier_key to ''")
        plain_hash = hashlib.sha256(b"person|A").digest()
        assert session.execute("select ops.keyed_hash('person|A')").fetchone() == (plain_hash,)
        monkeypatch.setenv("DOUDI_IDENTIFIER_KEY", "a key that this warehouse has never been told of")
        with pytest.raises(AccessError, match="without a key so far"):
            identifier_key(session, settings=settings)
