"""Whatever is wrong with a delivery, its sender is told in plain words and no row of it is unaccounted for."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from broken_deliveries import (
    Made,
    damaged,
    damaged_in_other_forms,
    declared,
    in_other_forms,
    refused_whole,
    text_deliveries,
)
from hypothesis import HealthCheck, Phase, given, settings
from psycopg.rows import dict_row

from doudi import loads
from doudi.contracts import Contract, load_contracts
from doudi.rules import REASONS
from doudi.settings import Settings, load_settings

SOAK = bool(os.environ.get("DOUDI_SOAK"))
CONTRACTS = load_contracts(load_settings().contracts)


def examples(share: float):
    """So many of the examples that a run is to make: the same few hundred in each `make test`, others in each soak."""
    return settings(
        max_examples=round(share * (2500 if SOAK else 300)),
        derandomize=not SOAK,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # a delivery is small as it is, and to shrink it would take minutes
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        print_blob=True,
    )


@pytest.fixture
def session(warehouse_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse_url, autocommit=True, row_factory=dict_row) as session:
        yield session


@pytest.fixture
def installation(settings: Settings, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("doudi.quality.judge", lambda **_: [])  # the suites cost seconds and have their own tests
    monkeypatch.setattr("doudi.quality.Suite.refuses", lambda *_, **__: False)
    return replace(settings, database_url=warehouse_url, home=tmp_path)


def _outcome(made: Made, installation: Settings, session: psycopg.Connection) -> dict[str, object]:
    """Take ``made`` in on an empty warehouse. Returns its row of the ledger, what was said of it and its rows."""
    # The journals that refer to ops.load refuse to be emptied, by a trigger that does not fire for a replica.
    session.execute(
        "set session_replication_role = replica;"
        f"truncate ops.load, register.{made.feed} cascade;"
        "set session_replication_role = origin"
    )
    inbox = installation.home / uuid4().hex
    inbox.mkdir()
    (inbox / made.file_name).write_bytes(made.content)
    if made.manifest is not None:
        (inbox / f"{made.file_name}.manifest.json").write_bytes(made.manifest)
    said: list[str] = []
    loads.take_in(made.feed, settings=replace(installation, inbox=inbox), progress=said.append)
    load = session.execute("select * from ops.load").fetchone()
    reasons = session.execute("select reason from ops.quarantine").fetchall()
    in_register = session.execute(f"select count(*) from register.{made.feed}").fetchone()["count"]
    landed = session.execute("select count(*) from pg_tables where schemaname = 'landing'").fetchone()["count"]
    assert landed == 0
    told = "\n".join([*said, str(load["error"]), str(load["error_code"]), *(row["reason"] for row in reasons)])
    return load | {"told": told, "quarantine": len(reasons), "in_register": in_register}


def _check(made: Made, load: dict[str, object]) -> None:
    if load["status"] == "refused":
        assert made.file_name in load["error"]
        assert load["error_code"]
        assert (load["quarantine"], load["in_register"]) == (0, 0)
    else:
        assert load["status"] == "published"
        assert load["quarantine"] == load["rows_quarantined"]
        assert load["rows_read"] == load["rows_published"] + load["rows_unchanged"] + load["rows_quarantined"]
        assert load["in_register"] == load["rows_published"]
    told = _without_our_words(load["told"], CONTRACTS[made.feed])
    assert [value for value in made.secrets if _is_told(value, told)] == []


def _without_our_words(told: str, contract: Contract) -> str:
    """A digit may be "lost" in a reason of ours, and "lost" be the code of somebody's labour.

    So may a column be called as one of its codes, at the beginning of a reason: 不通过原因：… refusal_reason …
    """
    for column in contract.columns:
        told = told.replace(f"{column.header}：", "").replace(f"{column.name} ", "")
    for said in chain.from_iterable(REASONS.values()):
        told = told.replace(said, "")
    return told


def _is_told(value: str, text: str) -> bool:
    """Whether ``value`` stands in ``text``, and not as part of a longer word, as "other" does in "another"."""
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(value)}(?![A-Za-z0-9_])", text) is not None


@examples(0.4)
@given(made=text_deliveries(CONTRACTS) | declared(CONTRACTS) | in_other_forms(CONTRACTS))
def test_every_row_that_was_written_is_published_or_quarantined(
    made: Made, installation: Settings, session: psycopg.Connection
) -> None:
    load = _outcome(made, installation, session)
    _check(made, load)
    assert (load["status"], load["error"]) == ("published", None)
    assert (load["rows_read"], load["in_register"]) == (made.rows, made.sound)


@examples(0.3)
@given(made=refused_whole(CONTRACTS))
def test_what_is_wrong_with_the_whole_is_told_by_its_rule(
    made: Made, installation: Settings, session: psycopg.Connection
) -> None:
    load = _outcome(made, installation, session)
    _check(made, load)
    assert (load["status"], load["error_code"]) == ("refused", made.refusal)


@examples(0.3)
@given(made=damaged(CONTRACTS) | damaged_in_other_forms(CONTRACTS))
def test_damage_never_breaks_the_taking_in(made: Made, installation: Settings, session: psycopg.Connection) -> None:
    _check(made, _outcome(made, installation, session))
