"""A synthetic county without faults, taken into a warehouse of its own and not yet built."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from databases import copied, share_parsed_project, url_of

from doudi import loads
from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.synth.generate import generate


@contextmanager
def taken_in(
    server_url: str,
    *,
    template: str,
    settings: Settings,
    home: Path,
    persons: int,
    as_of: date,
    feeds: tuple[str, ...] = ("",),
) -> Iterator[Settings]:
    """The settings of an installation in ``home`` that holds the county, or the ``feeds`` named.

    Suites, which cost seconds, do not judge.
    """
    with copied(server_url, template=template) as name, pytest.MonkeyPatch.context() as patch:
        own = replace(
            settings, database_url=url_of(server_url, name), home=home, inbox=home / "inbox", out=home / "out",
            as_of=as_of,
        )  # fmt: skip
        share_parsed_project(home, own.database_url)
        divisions = settings.dbt_project / "seeds" / "division.csv"
        generate(own.inbox, persons=persons, seed=4, as_of=as_of, clean=True, division_file=divisions)
        patch.setattr("doudi.quality.judge", lambda **_: [])
        files = sorted(
            path
            for path in own.inbox.iterdir()
            if path.is_file() and "manifest" not in path.name and path.name.startswith(feeds)
        )
        assert {result.status for result in loads.land_files(files, settings=own)} == {"published"}
        yield own


def move_some_households(session: psycopg.Connection, *, contracts: dict[str, Contract], to: str) -> None:
    """A third of the people live in the county ``to``, so that each reader of an area has rows to miss."""
    for feed, contract in contracts.items():
        places = [column.name for column in contract.columns if column.type == "div"]
        person = next((column.name for column in contract.columns if column.type == "id"), None)
        if not person or "household_no" in {column.name for column in contract.columns}:
            continue
        moved = ", ".join(f"{each} = '{to}' || substr({each}, 7)" for each in (*places, "_area_code"))
        session.execute(f"update register.{feed} set {moved}, _county_code = '{to}' where hashtext({person}) % 3 = 0")
