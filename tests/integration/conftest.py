"""Taking files in on an empty warehouse, with and without the suites."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from doudi import loads
from doudi.ledger import LoadResult
from doudi.settings import Settings


@pytest.fixture
def installation(settings: Settings, warehouse_url: str, tmp_path: Path) -> Settings:
    """The settings of an installation with an empty warehouse, inbox and archive."""
    (tmp_path / "inbox").mkdir()
    return replace(settings, database_url=warehouse_url, home=tmp_path, inbox=tmp_path / "inbox", out=tmp_path / "out")


@pytest.fixture
def without_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what surrounds the suites: they cost seconds and are tested by themselves."""
    monkeypatch.setattr("doudi.quality.judge", lambda **_: [])


@pytest.fixture
def take(installation: Settings, without_suite: None) -> Callable[..., list[LoadResult]]:
    def take(*paths: Path) -> list[LoadResult]:
        return [result for path in paths for result in loads.land_files([path], settings=installation)]

    return take


@pytest.fixture
def query(warehouse_url: str) -> Callable[..., list[tuple]]:
    def query(statement: str, *values: object) -> list[tuple]:
        with psycopg.connect(warehouse_url) as session:
            return session.execute(statement, values or None).fetchall()

    return query
