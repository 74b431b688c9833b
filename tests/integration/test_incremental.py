"""Nights that compute only whom they touch leave the marts that a computation of everybody leaves.

Counties dense with edges, their deliveries in random order - late ones and corrections among them - visits that find
anything, and builds of days that move on by one day or by weeks.
"""

import os
import random
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import copied, share_parsed_project, url_of
from oracle.counties import make_county
from oracle.deliveries import Sent, write
from oracle.standards import read_standards

from doudi import loads
from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.transform import builds

SOAK = bool(os.environ.get("DOUDI_SOAK"))
SEEDS = range(1, 51) if SOAK else range(1, 4)
NIGHTS = 6 if SOAK else 1
PUNCTUAL = 0.7 if SOAK else 1.0  # the share of deliveries that come on their day; the others come late
_FINDINGS = ("confirmed", "not_confirmed", "refer", "resolved")

_UNAVOIDABLE = (  # as the days and deliveries of chance may have it
    "another year",
    "a list came late or was corrected",
    "a parameter, an indicator or a division begins or ends to hold",
)

_TABLES = """
    select format('%I.%I', schemaname, tablename)
    from pg_tables
    where schemaname in ('marts', 'identity')
        or schemaname = 'intermediate' and tablename in ('int_spell', 'int_person__contradicted')
    order by 1
"""


@dataclass
class Post:
    """What is sent, in the order of chance: ``waiting`` for its day, or held back beyond it."""

    chance: random.Random
    waiting: list[Sent]
    sent: list[Sent] = field(default_factory=list)

    def of_night(self, day: date) -> list[Sent]:
        """Most of what its day allows; now and then a list of the past once more for the same day, some rows fewer."""
        arrived = [each for each in self.waiting if each.day <= day and self.chance.random() < PUNCTUAL]
        self.waiting = [each for each in self.waiting if each not in arrived]
        self.sent += arrived
        return arrived

    def correction(self, day: date) -> Sent | None:
        lists = [each for each in self.sent if len(each.rows) > 3 and each.day <= day]
        if not lists or self.chance.random() < 0.5:
            return None
        again = self.chance.choice(lists)
        kept = tuple(row for row in again.rows if self.chance.random() < 0.9)
        return replace(again, rows=kept or again.rows[:1])


def _visits(url: str, chance: random.Random, day: date) -> list[Sent]:
    with psycopg.connect(url) as session:
        standing = session.execute(
            "select warning_id, county_code, opened_on from marts.warning where closed_on is null order by 1"
        ).fetchall()
    seen: dict[str, list[dict[str, Any]]] = {}
    for warning_id, county, opened_on in chance.sample(standing, k=len(standing) // 8):
        finding = chance.choice(_FINDINGS)
        row = {
            "warning_id": warning_id, "visited_on": chance.choice((opened_on, day, day + timedelta(days=1))),
            "visitor": "某", "finding": finding, "refer_to": "civil_affairs" if finding == "refer" else None,
        }  # fmt: skip
        seen.setdefault(county, []).append(row)
    return [Sent(feed="household_visit", area=area, day=day, rows=tuple(rows)) for area, rows in seen.items()]


def _rows(url: str) -> dict[str, set[str]]:
    with psycopg.connect(url) as session:
        tables = [table for (table,) in session.execute(_TABLES)]
        return {
            table: {line for (line,) in session.execute(f"select to_jsonb(line)::text from {table} as line")}
            for table in tables
        }


def _differences(url: str, other: str) -> dict[str, list[str]]:
    """By table, some rows that only one of two warehouses has."""
    one, two = _rows(url), _rows(other)
    return {table: sorted(rows ^ two[table])[:4] for table, rows in one.items() if rows != two[table]}


def _why(url: str) -> str:
    with psycopg.connect(url) as session:
        (why,) = session.execute("select timings ->> 'everybody' from ops.build order by build_id desc").fetchone()
        return why


@pytest.fixture(scope="module")
def reasons() -> list[str]:
    """Why nights that were compared computed everybody; empty of those that did not."""
    return []


@pytest.fixture
def night(
    settings: Settings, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_suite: None
) -> Settings:
    """An installation with an empty warehouse, where a night touches few people however many they are."""
    monkeypatch.setattr("doudi.transform.touched.WORTH_IT", float("inf"))
    share_parsed_project(tmp_path / "home", warehouse_url)
    return replace(settings, database_url=warehouse_url, home=tmp_path / "home")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_night_for_whom_it_touches_is_as_one_for_everybody(
    seed: int,
    night: Settings,
    server_url: str,
    contracts: dict[str, Contract],
    reasons: list[str],
    tmp_path: Path,
) -> None:
    chance = random.Random(seed)
    county = make_county(seed, read_standards(night.dbt_project / "seeds" / "local_standard.csv"))
    post, day = Post(chance, list(county.sent)), county.day - timedelta(days=chance.choice((0, 3, 40)))
    database = night.database_url.rsplit("/", 1)[1]

    for turn in range(NIGHTS + 1):
        arrived = post.of_night(day)
        if turn:
            arrived += _visits(night.database_url, chance, day)
        folder = tmp_path / f"night {turn}"
        folder.mkdir()
        files = write(arrived, folder, contracts)
        if again := post.correction(day):
            (folder / "again").mkdir()
            (path,) = write([again], folder / "again", contracts)
            files.append(path.rename(path.with_stem(f"{path.stem}_{turn + 1}")))
        statuses = {result.status for result in loads.land_files(files, settings=night)}
        assert statuses <= {"published", "superseded"}
        with ExitStack() as stack:
            compared = turn == NIGHTS or (SOAK and turn)
            if compared:
                url = url_of(server_url, stack.enter_context(copied(server_url, template=database)))
                other = replace(night, database_url=url, home=tmp_path / "other")
                share_parsed_project(other.home, url)
            builds.build(url=night.database_url, settings=night, as_of=day)
            if compared:
                reasons.append(_why(night.database_url))
                assert reasons[-1] in ("", *_UNAVOIDABLE)
                builds.build(url=url, settings=other, as_of=day, everybody=True)
                assert _differences(night.database_url, url) == {}, f"night {turn}, {day}"
        day += timedelta(days=chance.choice((0, 1, 1, 2, 30)))


def test_not_all_of_these_nights_computed_everybody(reasons: list[str]) -> None:
    if len(reasons) < len(SEEDS):
        pytest.skip("not all nights were played")
    assert "" in reasons
