"""Counties made by chance: what a build finds is what a plain reading of the page finds, subject by subject."""

import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from oracle.catalogue import INDICATORS, findings
from oracle.counties import County, add_to_seed, make_county
from oracle.deliveries import write
from oracle.register import read_register
from oracle.standards import read_standards
from oracle.world import World

from doudi import loads
from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.transform.builds import build

SEEDS = tuple(range(1, 21)) if os.environ.get("DOUDI_SOAK") else (1,)
_SEED_FILE = Path("seeds") / "local_standard.csv"

_WARNINGS = """
    select indicator_code, scope, citizen_id, fact_on
    from marts.warning inner join identity.person using (person_id)
"""
_HOMES = """
    select person.citizen_id, head.citizen_id, member.division_code
    from identity.household_member as member
    inner join identity.person as person on person.person_id = member.person_id
    inner join identity.household_member as first on first.household_id = member.household_id and first.is_head
    inner join identity.person as head on head.person_id = first.person_id
"""


@pytest.fixture(scope="module")
def project(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of the project whose parameters may be changed; all counties share it, so that dbt parses it once."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("contracts", "expectations", "extracts"):
        (folder / part).symlink_to(settings.project / part)
    shutil.copytree(settings.dbt_project, folder / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))
    return replace(settings, project=folder, home=tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="module")
def found() -> dict[int, set[str]]:
    """The indicators that were found, by the seed of the county."""
    return {}


@pytest.fixture(params=SEEDS)
def county(
    request: pytest.FixtureRequest, settings: Settings, project: Settings, warehouse_url: str
) -> tuple[int, County, Settings]:
    """A seed, the county made from it, and an installation with an empty warehouse and the county's parameters."""
    shipped = settings.dbt_project / _SEED_FILE
    made = make_county(request.param, read_standards(shipped))
    shutil.copy(shipped, project.dbt_project / _SEED_FILE)
    add_to_seed(project.dbt_project / _SEED_FILE, made.own)
    return request.param, made, replace(project, database_url=warehouse_url)


@pytest.mark.usefixtures("without_suite")
def test_a_build_finds_what_the_page_says(
    county: tuple[int, County, Settings], contracts: dict[str, Contract], found: dict[int, set[str]], tmp_path: Path
) -> None:
    seed, made, installation = county
    for result in loads.land_files(write(made.sent, tmp_path, contracts), settings=installation):
        assert (result.status, result.rows_quarantined) == ("published", 0)
    build(url=installation.database_url, settings=installation, as_of=made.day)

    with psycopg.connect(installation.database_url) as session:
        warnings, homes = session.execute(_WARNINGS).fetchall(), session.execute(_HOMES).fetchall()
        register = read_register(session, contracts.values(), day=made.day)
    world = World(register=register, standards=read_standards(installation.dbt_project / _SEED_FILE))
    expected = findings(world)

    assert sorted(homes) == sorted(
        (person, household.head, household.division) for person, household in world.household_of.items()
    )
    assert sorted(warning[:3] for warning in warnings) == [(each.code, each.scope, each.person) for each in expected]
    fact_on: dict[tuple[str, str], date] = {(code, person): day for code, _, person, day in warnings}
    dated = {(each.code, each.person): each.fact_on for each in expected if each.fact_on}
    assert {subject: fact_on[subject] for subject in dated} == dated
    found[seed] = {each.code for each in expected}


def test_the_counties_reach_the_whole_catalogue(found: dict[int, set[str]]) -> None:
    if set(found) < set(SEEDS):
        pytest.skip("not all counties were made")
    assert set().union(*found.values()) == set(INDICATORS)
