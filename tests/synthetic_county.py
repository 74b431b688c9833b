"""A synthetic county without faults, taken into a warehouse of its own and not yet built."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from databases import copied, url_of

from doudi import loads
from doudi.settings import Settings
from doudi.synth.generate import generate


@contextmanager
def taken_in(
    server_url: str, *, template: str, settings: Settings, home: Path, persons: int, as_of: date
) -> Iterator[Settings]:
    """The settings of an installation in ``home`` that holds the county; suites, which cost seconds, do not judge."""
    with copied(server_url, template=template) as name, pytest.MonkeyPatch.context() as patch:
        own = replace(
            settings, database_url=url_of(server_url, name), home=home, inbox=home / "inbox", out=home / "out",
            as_of=as_of,
        )  # fmt: skip
        divisions = settings.dbt_project / "seeds" / "division.csv"
        generate(own.inbox, persons=persons, seed=4, as_of=as_of, clean=True, division_file=divisions)
        patch.setattr("doudi.quality.judge", lambda **_: [])
        files = sorted(path for path in own.inbox.iterdir() if path.is_file() and "manifest" not in path.name)
        assert {result.status for result in loads.land_files(files, settings=own)} == {"published"}
        yield own
