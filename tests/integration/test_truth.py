"""The whole night on synthetic counties: what comes out is what truth/ says, row by row and warning by warning."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from doudi import extracts, loads
from doudi.night import run_in_process
from doudi.settings import Settings
from doudi.synth.generate import generate

AS_OF = date(2020, 6, 30)


def _truth(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=[1, 2, 3])
def county(request: pytest.FixtureRequest, installation: Settings) -> Settings:
    """An installation whose inbox holds a county of 1,500 people made from one seed."""
    division_file = installation.dbt_project / "seeds" / "division.csv"
    generate(installation.inbox, persons=1500, seed=request.param, as_of=AS_OF, division_file=division_file)
    return replace(installation, as_of=AS_OF)


def test_a_night_gives_exactly_the_truth_and_a_second_one_nothing_more(county: Settings, query: Callable) -> None:
    assert run_in_process(county, progress=lambda line: None) == 0

    quarantine = query(
        """
        select file_name, line_no::text, coalesce(column_name, ''), rule
        from ops.quarantine inner join ops.load using (load_id)
        """
    )
    # A suite's rule points to a column for the reader's sake; the truth names columns for the contract's rules only.
    expected = {(row["file_name"], row["line_no"]): row for row in _truth(county.inbox, "quarantine")}
    assert {(name, line): rule for name, line, _, rule in quarantine} == {
        at: row["rule"] for at, row in expected.items()
    }
    for name, line, column, _ in quarantine:
        assert expected[name, line]["column_name"] in ("", column)

    deliveries = query(
        """
        select file_name, rows_read::text, rows_quarantined::text, rows_published::text, rows_unchanged::text
        from ops.load where status = 'published'
        """
    )
    counts = ("file_name", "rows_read", "rows_quarantined", "rows_published", "rows_unchanged")
    assert Counter(deliveries) == Counter(
        tuple(row[name] for name in counts) for row in _truth(county.inbox, "deliveries")
    )

    standing = """
        select warning.warning_id, warning.indicator_code, person.citizen_id, warning.level, warning.lead_department
        from marts.warning as warning inner join identity.person as person using (person_id)
        where warning.closed_on is null
    """
    warnings = query(standing)
    names = ("indicator_code", "citizen_id", "level", "lead_department")
    truth = Counter(tuple(row[name] for name in names) for row in _truth(county.inbox, "warnings"))
    assert Counter(row[1:] for row in warnings) == truth
    assert len({row[0] for row in warnings}) == len(warnings)

    rows = """
        select (select count(*) from register.poverty_register), (select count(*) from ops.load), count(*)
        from ops.extract
    """
    before = query(rows)
    assert run_in_process(county, progress=lambda line: None) == 0
    assert sorted(query(standing)) == sorted(warnings)
    assert query(rows) == before
    assert loads.waiting(settings=county) == []
    assert extracts.send_all(settings=county, as_of=AS_OF) == []
