"""One prefecture, taken in and built twice: on the cluster of DOUDI_CITUS_URL, and on the embedded Postgres."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from databases import copied, url_of
from prefecture import Warehouse, deliver

from doudi import loads, transform
from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.synth.places import COUNTY
from doudi.warehouse import schema
from doudi.warehouse.roles import OWNERS

_OURS = f"^({'|'.join((*OWNERS, 'cluster'))})(_as_of_[0-9]{{8}})?$"
NIGHTS = (date(2020, 5, 31), date(2020, 6, 30))


@pytest.fixture(scope="session")
def citus_url() -> str:
    """The coordinator's database for tests, with Citus and its workers and nothing of a warehouse."""
    url = os.environ.get("DOUDI_CITUS_URL")
    if not url:
        pytest.fail("DOUDI_CITUS_URL names no cluster: see docs/scale.md")
    if not urlsplit(url).path.strip("/").startswith("test"):
        pytest.fail("what DOUDI_CITUS_URL names is emptied: its database must be called test…")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("set client_min_messages to warning")
        made = session.execute("select nspname from pg_namespace where nspname ~ %s", (_OURS,)).fetchall()
        for (name,) in made:
            session.execute(f"drop schema {name} cascade")
    return url


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> list[Path]:
    """The deliveries of three counties, in the order in which they come."""
    folder = tmp_path_factory.mktemp("prefecture")
    return deliver(folder, division_file=settings.dbt_project / "seeds" / "division.csv", as_of=NIGHTS[-1])


@pytest.fixture(scope="session")
def cluster_warehouse(citus_url: str, files: list[Path], settings: Settings, tmp_path_factory) -> Warehouse:
    home = tmp_path_factory.mktemp("cluster")
    own = replace(settings, database_url=citus_url, home=home, inbox=home / "inbox", out=home / "out", citus=True)
    schema.initialise(citus_url, own)
    return _nights(own, files)


@pytest.fixture(scope="session")
def plain_warehouse(
    server_url: str, template: str, files: list[Path], settings: Settings, tmp_path_factory
) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("plain")
    with copied(server_url, template=template) as name:
        url = url_of(server_url, name)
        own = replace(settings, database_url=url, home=home, inbox=home / "inbox", out=home / "out")
        schema.initialise(url, own)
        yield _nights(own, files)


def _nights(settings: Settings, files: list[Path]) -> Warehouse:
    """What came by the first night, its build, then the rest and the second; each is taken in as it comes.

    Suites, which cost seconds, judge one county's deliveries.
    """
    taken: list[LoadResult] = []
    for night, day in enumerate(NIGHTS):
        for path in (path for path in files if (path.parent.name == "second") == bool(night)):
            with pytest.MonkeyPatch.context() as patch:
                if f"_{COUNTY}_" not in path.name:
                    patch.setattr("doudi.quality.judge", lambda **_: [])
                taken += loads.land_files([path], settings=settings)
        transform.build(url=settings.database_url or "", settings=settings, as_of=day)
    return Warehouse(settings, taken)
