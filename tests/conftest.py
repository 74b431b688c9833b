"""What all tests share: one embedded Postgres for the run, and one clean database for each that writes."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from databases import copied, url_of

from doudi.contracts import Contract, load_contracts
from doudi.settings import Settings, load_settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import connect
from doudi.warehouse.schema import create_schemas

# Two processes share the files of `make test`, and end together if those that take longest come first.
LONGEST = (
    "test_kills.py",
    "test_incremental.py",
    "test_twelve_months.py",
    "test_transform.py",
    "test_deliveries.py",
    "test_access.py",
    "test_truth.py",
    "test_simulate.py",
    "test_backtest.py",
    "test_attack.py",
    "test_round_trip.py",
    "test_oracle.py",
    "test_joined_people.py",
    "test_erasing.py",
    "test_marts.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _cheap_builds() -> Iterator[None]:
    """What dbt spends on files that few tests read (fixture ``artifacts``), and on looking for garbage in its project.

    It is a fifth of a build, of which there are dozens.
    """
    gc.set_threshold(10_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_WRITE_JSON", "false")
        yield


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt writes its artifacts, as it does everywhere else."""
    monkeypatch.delenv("DBT_WRITE_JSON")


@pytest.fixture(scope="session", autouse=True)
def _identifier_key() -> Iterator[None]:
    """One key for all, as tests copy warehouses that others have built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_IDENTIFIER_KEY", "a key for tests, which nobody needs to guess")
        yield


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation of its own, away from the developer's."""
    home = tmp_path_factory.mktemp("home")
    for folder in (home, *home.parents):  # as root the server runs as nobody, who must be able to walk here
        if folder.stat().st_uid == home.stat().st_uid and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o111)
        if "pytest" not in folder.name:
            break
    return replace(load_settings(), home=home, inbox=home / "inbox", out=home / "out", database_url=None)


@pytest.fixture(scope="session")
def contracts(settings: Settings) -> dict[str, Contract]:
    return load_contracts(settings.contracts)


@pytest.fixture(scope="session")
def server_url(settings: Settings) -> Iterator[str]:
    """The server's own database; tests take `warehouse_url`."""
    url = cluster.start(settings.home)
    with psycopg.connect(url, autocommit=True) as session:  # what is lost in a crash here is no loss
        session.execute("alter system set fsync to off")
        session.execute("alter system set full_page_writes to off")
        session.execute("alter system set synchronous_commit to off")
        session.execute("select pg_reload_conf()")
    yield url
    cluster.stop(settings.home)


@pytest.fixture(scope="session")
def template(server_url: str, contracts: dict[str, Contract]) -> str:
    """A database with all schemas and no rows, from which each test's own is copied in a moment."""
    with psycopg.connect(server_url, autocommit=True) as session:
        session.execute("create database template_doudi")
    with connect(url_of(server_url, "template_doudi")) as session:
        create_schemas(session, contracts.values())
    return "template_doudi"


@pytest.fixture
def warehouse_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of an empty warehouse that this test has to itself."""
    with copied(server_url, template=template) as name:
        yield url_of(server_url, name)


@pytest.fixture
def project(settings: Settings) -> Path:
    return settings.project
