"""Twelve months played in order: warnings open, are visited, fall silent and come back as planted, whoever plays them.

`make test` plays the months in which something is planted, `make soak` all of them, and builds each alone as well.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from databases import copied, share_parsed_project, url_of
from oracle import twelve_months
from oracle.catalogue import findings
from oracle.deliveries import Sent, write
from oracle.lives import Life, Terms, Visit, run
from oracle.register import read_register
from oracle.standards import read_levels, read_standards
from oracle.twelve_months import MONTHS
from oracle.world import World

from doudi import loads
from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.transform.builds import BuildResult, build

SOAK = bool(os.environ.get("DOUDI_SOAK"))
PLAYED = MONTHS if SOAK else tuple(MONTHS[month - 1] for month in (1, 2, 3, 5))
ALONE = MONTHS if SOAK else (MONTHS[2],)

_LIVES = """
    select {columns}
    from {marts}.warning inner join identity.person using (person_id)
    order by indicator_code, citizen_id, opened_on
"""
_COLUMNS = {"code": "indicator_code", "person": "citizen_id"}  # by the fields of a life, where they differ
_EVERYTHING = "select to_jsonb(warning) - 'evidence' from {marts}.warning order by warning_id"
_DIFFERENCES = """
    select to_jsonb(register_comparison) - 'facts'
    from {marts}.register_comparison
    order by kind, person_id, first_seen_on
"""
_HOLDING = "select indicator_code, subject_id, fact_on from intermediate{suffix}.int_signal order by 1, 2"
_IDS = """
    select indicator_code, citizen_id, warning_id
    from marts.warning inner join identity.person using (person_id)
    where closed_on is null
"""


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """An installation with an empty warehouse, and what the tests ask of it."""

    settings: Settings
    contracts: Mapping[str, Contract]
    folder: Path

    def take_in(self, sent: Iterable[Sent], *, latest_first: bool = False) -> None:
        paths = write(sent, self.folder, self.contracts)
        for path in reversed(paths) if latest_first else paths:
            (result,) = loads.land_files([path], settings=self.settings)
            assert (result.status, result.rows_quarantined) == ("published", 0)

    def build(self, month: date) -> BuildResult:
        return build(url=self.settings.database_url, settings=self.settings, as_of=month)

    def ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.settings.database_url) as session:
            return session.execute(statement).fetchall()

    def lives(self, marts: str) -> list[Life]:
        names = [field.name for field in fields(Life)]
        columns = ", ".join(_COLUMNS.get(name, name) for name in names)
        rows = self.ask(_LIVES.format(columns=columns, marts=marts))
        return [Life(**dict(zip(names, row, strict=True))) for row in rows]

    def warning_ids(self) -> dict[tuple[str, str], str]:
        return {(code, person): warning_id for code, person, warning_id in self.ask(_IDS)}

    def world(self, month: date) -> World:
        seed = self.settings.dbt_project / "seeds" / "local_standard.csv"
        with psycopg.connect(self.settings.database_url) as session:
            register = read_register(session, self.contracts.values(), day=month)
        return World(register=register, standards=read_standards(seed))


@dataclass(frozen=True, kw_only=True)
class Month:
    """What a warehouse said after the build of a month."""

    lives: list[Life]
    everything: list[tuple]
    differences: list[tuple]
    holding: list[tuple]


@dataclass(frozen=True, kw_only=True)
class Played:
    """A year as it was played: what was sent, what came out of each month, and what the oracle makes of it."""

    sent: Sequence[Sent]
    months: Mapping[date, Month]
    expected: Mapping[date, list[Life]]


@pytest.fixture(scope="module")
def new_warehouse(
    settings: Settings,
    contracts: dict[str, Contract],
    server_url: str,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Warehouse]]:
    """Makes empty warehouses; the suites are left out, they have tests of their own."""
    with ExitStack() as made, pytest.MonkeyPatch.context() as patch:

        def new() -> Warehouse:
            url = url_of(server_url, made.enter_context(copied(server_url, template=template)))
            home, folder = tmp_path_factory.mktemp("year"), tmp_path_factory.mktemp("deliveries")
            share_parsed_project(home, url)
            own = replace(settings, database_url=url, home=home)
            return Warehouse(settings=own, contracts=contracts, folder=folder)

        patch.setattr("doudi.quality.judge", lambda **_: [])
        yield new


@pytest.fixture(scope="module")
def played(new_warehouse: Callable[[], Warehouse]) -> Played:
    """The months in their order, each with its deliveries and with the visits of the list handed out before."""
    warehouse = new_warehouse()
    terms = _terms(warehouse.settings)
    sent, months, expected = [], {}, {}
    ids, opened, visits, lives = {}, {}, [], []
    for month in PLAYED:
        arrived = [*twelve_months.sent_in(month), *twelve_months.visits(month, ids)]
        warehouse.take_in(arrived)
        result = warehouse.build(month)
        months[month] = _month(warehouse, result)
        visits += [
            Visit(opened_on=opened[answer.code, answer.person], delivered_on=month, **vars(answer))
            for answer in twelve_months.ANSWERS.get(month, ())
        ]
        lives = run(lives, findings(warehouse.world(month)), visits, day=month, terms=terms)
        expected[month] = lives
        sent += arrived
        ids |= warehouse.warning_ids()
        opened |= {life.subject: life.opened_on for life in lives if life.stands}
    return Played(sent=sent, months=months, expected=expected)


def _terms(settings: Settings) -> Terms:
    seeds = settings.dbt_project / "seeds"
    standards, first = read_standards(seeds / "local_standard.csv"), MONTHS[0]

    def days(name: str) -> int:
        return int(standards.value(name, twelve_months.AREA, first))

    levels = read_levels(seeds / "indicator.csv")
    deadlines = {code: days(f"visit_deadline.{level}") for code, level in levels.items()}
    return Terms(deadlines=deadlines, mute_days=days("mute_days"))


def _month(warehouse: Warehouse, result: BuildResult) -> Month:
    marts = f"marts{result.schema_suffix}"
    return Month(
        lives=warehouse.lives(marts),
        everything=warehouse.ask(_EVERYTHING.format(marts=marts)),
        differences=warehouse.ask(_DIFFERENCES.format(marts=marts)),
        holding=warehouse.ask(_HOLDING.format(suffix=result.schema_suffix)),
    )


def test_warnings_live_from_month_to_month_as_the_page_tells(played: Played) -> None:
    for month in PLAYED:
        assert played.months[month].lives == played.expected[month]


def test_what_was_planted_comes_out(played: Played) -> None:
    january, february, march, may = (MONTHS[month - 1] for month in (1, 2, 3, 5))

    def told(month: date, code: str, person: str) -> list[tuple[date, date | None, str, bool]]:
        return [
            (life.opened_on, life.closed_on, life.status, life.is_overdue)
            for life in played.months[month].lives
            if life.subject == (code, person)
        ]

    covered, returned = twelve_months.COVERED, twelve_months.RETURNED
    assert told(january, "RP03", covered) == [(january, None, "open", False)]
    assert told(may, "RP03", covered) == [(january, february, "cleared", False)]
    # cleared, and back as a warning of its own
    assert told(may, "RP03", returned) == [(january, february, "cleared", False), (march, None, "open", True)]
    # a visit found nothing: silent for 90 days from the end of February, and back after them
    closed = (january, february, "not_confirmed", False)
    assert told(march, "BL08", twelve_months.NOT_THERE) == [closed]
    assert told(may, "BL08", twelve_months.NOT_THERE) == [closed, (may, None, "open", False)]
    # that visit is corrected: there is something after all
    assert told(march, "BL08", twelve_months.CORRECTED) == [closed, (march, None, "open", False)]
    # visited, referred, resolved
    for month, status, late in ((february, "visited", True), (march, "referred", False), (may, "resolved", False)):
        assert told(month, "BL08", twelve_months.REFERRED) == [(january, None, status, late)]
    assert told(february, "CG05", twelve_months.HELPED) == [(january, None, "resolved", False)]
    assert told(march, "CG05", twelve_months.HELPED) == [(january, march, "cleared", False)]
    # nobody goes
    assert told(january, "CG03", twelve_months.FORGOTTEN) == [(january, None, "open", False)]
    assert told(may, "CG03", twelve_months.FORGOTTEN) == [(january, None, "open", True)]
    # new for 90 days
    assert told(march, "BL04", twelve_months.GROWN_OLD) == [(january, None, "open", True)]
    assert [status for *_, status, _ in told(may, "BL04", twelve_months.GROWN_OLD)] == ["cleared"]


def test_played_again_and_built_alone_it_is_the_same(played: Played, new_warehouse: Callable[[], Warehouse]) -> None:
    """Here everything has come before the first build, the latest first: later deliveries change no earlier month."""
    again = new_warehouse()
    again.take_in(played.sent, latest_first=True)
    for month in PLAYED:
        assert _month(again, again.build(month)) == played.months[month]
    for month in ALONE:
        result = again.build(month)
        assert result.schema_suffix or month == PLAYED[-1]
        assert _month(again, result) == played.months[month]
    assert again.ask(_EVERYTHING.format(marts="marts")) == played.months[PLAYED[-1]].everything
