"""Rows are as their contracts name them, and people are as families are."""

from itertools import islice, pairwise

import pytest
from unit.synth.conftest import AS_OF

from doudi.contracts import load_contracts
from doudi.settings import load_settings
from doudi.synth import county, faults
from doudi.synth.places import load_places
from doudi.synth.standards import Standards
from doudi.synth.timeline import SNAPSHOT_MONTHS, Timeline
from doudi.synth.world import World

SETTINGS = load_settings()
CONTRACTS = load_contracts(SETTINGS.contracts)
COLUMNS = {feed: {column.name for column in contract.columns} for feed, contract in CONTRACTS.items()}


@pytest.fixture(scope="module")
def units() -> list[county.Unit]:
    world = World(
        timeline=Timeline.up_to(AS_OF),
        standards=Standards.on(AS_OF),
        places=load_places(SETTINGS.dbt_project / "seeds" / "division.csv"),
    )
    return list(islice(county.stream(world, contracts=CONTRACTS, seed=11, clean=False), 900))


def test_every_row_has_exactly_its_contracts_columns(units: list[county.Unit]) -> None:
    seen = set()
    for record in (record for unit in units for record in unit.records):
        rows = [row for row in record.states if row] + [beside.row for beside in record.beside]
        assert all(set(row) == COLUMNS[record.feed] for row in rows), record.feed
        seen.add(record.feed)
    assert seen == set(CONTRACTS)


def test_what_is_required_is_there(units: list[county.Unit]) -> None:
    for record in (record for unit in units for record in unit.records):
        for column in CONTRACTS[record.feed].columns:
            if column.required:
                assert all(row[column.name] is not None for row in record.states if row), (record.feed, column.name)


def test_keys_are_unique_in_a_feed(units: list[county.Unit]) -> None:
    seen = set()
    for record in (record for unit in units for record in unit.records):
        keys = {tuple(row[c.name] for c in CONTRACTS[record.feed].key) for row in record.states if row}
        assert len(keys) <= 1
        for key in keys:
            assert (record.feed, key) not in seen
            seen.add((record.feed, key))


def test_feeds_that_get_open_quotes_have_texts_of_one_line(units: list[county.Unit]) -> None:
    feeds = {feed for feed, contract in CONTRACTS.items() if ("line.quote", "") in faults.rules_of(contract)}
    for record in (record for unit in units for record in unit.records if record.feed in feeds):
        texts = [value for row in record.states if row for value in row.values() if isinstance(value, str)]
        assert not any("\n" in text for text in texts)


def test_most_rows_of_a_list_stay_the_same_object(units: list[county.Unit]) -> None:
    states = [r.states for u in units for r in u.records if r.feed == "poverty_register"]
    pairs = [(a, b) for rows in states for a, b in pairwise(rows[-SNAPSHOT_MONTHS:]) if a and b]
    assert sum(a is b for a, b in pairs) > 0.9 * len(pairs)


def test_children_are_younger_than_the_heads_of_their_households(units: list[county.Unit]) -> None:
    for unit in units:
        heads, children = {}, {}
        for record in unit.records:
            row = record.states[0] if record.feed == "poverty_register" else None
            if row:
                who = heads if row["relation_to_head"] == "self" else children
                if row["relation_to_head"] in ("self", "child"):
                    who.setdefault(row["household_no"], []).append(int(row["citizen_id"][6:10]))
        for household, born in children.items():
            assert all(max(heads[household]) < year for year in born if household in heads)
