"""The files read back without the writer: only planted rows are refused, and the registers give the truth."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from unit.synth.conftest import AS_OF, County
from unit.synth.reading import Reading, read

from doudi.contracts import Contract, load_contracts
from doudi.settings import load_settings
from doudi.synth import truth
from doudi.synth.records import History, Version
from doudi.synth.standards import Standards
from doudi.synth.timeline import Timeline

CONTRACTS_FOLDER = load_settings().contracts
CONTRACTS = load_contracts(CONTRACTS_FOLDER)


def _contract_of(path: Path) -> Contract:
    return CONTRACTS[path.name.rsplit("_", 2)[0]]


@pytest.fixture(scope="module")
def readings(county: County) -> dict[str, Reading]:
    return {path.name: read(path, _contract_of(path), folder=CONTRACTS_FOLDER) for path in county.deliveries()}


def test_what_a_reader_refuses_is_what_was_planted(county: County, readings: dict[str, Reading]) -> None:
    planted = defaultdict(list)
    for row in county.truth("quarantine"):
        planted[row["file_name"]].append((int(row["line_no"]), row["column_name"], row["rule"]))
    for name, reading in readings.items():
        assert [refusal for refusal, _ in reading.refused] == sorted(planted[name]), name


def test_a_clean_county_has_nothing_to_refuse(clean_county: County) -> None:
    assert clean_county.truth("quarantine") == []
    for path in clean_county.deliveries():
        assert read(path, _contract_of(path), folder=CONTRACTS_FOLDER).refused == []


def test_the_registers_that_the_files_make_give_the_counts_and_the_warnings(
    county: County, readings: dict[str, Reading]
) -> None:
    histories: list[History] = []
    counts: dict[str, tuple[int, int, int, int]] = {}
    for feed, county_code in sorted({tuple(name.rsplit("_", 2)[:2]) for name in readings}):
        contract = CONTRACTS[feed]
        register: dict[tuple, list[Version]] = defaultdict(list)
        for name in sorted(name for name in readings if name.startswith(f"{feed}_{county_code}_")):
            reading = readings[name]
            day = date.fromisoformat(name.removesuffix(".csv")[-8:])
            published = _load(register, reading, contract, day)
            accepted, refused = len(reading.accepted), len(reading.refused)
            counts[name] = (accepted + refused, refused, published, accepted - published)
        histories += [History(feed, county_code, tuple(versions)) for versions in register.values()]
    told = {
        row["file_name"]: tuple(int(row[f"rows_{kind}"]) for kind in ("read", "quarantined", "published", "unchanged"))
        for row in county.truth("deliveries")
    }
    assert counts == told
    timeline = Timeline.up_to(AS_OF)
    for day in (*timeline.past_days, AS_OF):
        found = truth.warnings(histories, day=day, timeline=timeline, standards=Standards.on(day))
        expected = [
            tuple(row.values()) for row in county.truth("warnings" + ("" if day == AS_OF else f"_{day:%Y%m%d}"))
        ]
        assert sorted(found) == sorted(expected), day


def _load(register: dict[tuple, list[Version]], reading: Reading, contract: Contract, day: date) -> int:
    """Take one delivery in, as feeds.md says; returns how many rows were news."""
    key_names = [column.name for column in contract.key]
    published = 0
    present = set()
    for row in reading.accepted:
        key = tuple(row[name] for name in key_names)
        present.add(key)
        held = _held(register[key])
        if held != row:
            if held is not None:
                _end(register[key], day)
            register[key].append(Version(row, day))
            published += 1
    if contract.mode == "snapshot":
        for key in register.keys() - present:
            held = _held(register[key])
            if held and not any(_may_be(held, refused, contract) for _, refused in reading.refused):
                _end(register[key], day)
    return published


def _held(versions: list[Version]) -> dict[str, Any] | None:
    return versions[-1].row if versions and versions[-1].until is None else None


def _end(versions: list[Version], day: date) -> None:
    versions[-1] = versions[-1]._replace(until=day)


def _may_be(held: dict[str, Any], refused: dict[str, Any], contract: Contract) -> bool:
    """Whether a refused row is about a record that is held: by its key or, where a key is unreadable, by name."""
    keys = [column.name for column in contract.key]
    readable = [name for name in keys if refused.get(name) is not None]
    if any(refused[name] != held[name] for name in readable):
        return False
    name = "head_name" if contract.name == "housing_assistance" else "name"
    return len(readable) == len(keys) or refused.get(name) == held[name]
