"""access.yml: closed to what it does not know, and agreeing with the marts that there are."""

from pathlib import Path

import pytest
import yaml

from doudi.access import AccessError, load_access
from doudi.access.declaration import Access
from doudi.settings import Settings

SMALL = "relations: {marts.warning: {readers: [bi, area]}}\n"


def _written(folder: Path, text: str) -> Path:
    path = folder / "access.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_readers_are_named_for_what_they_may_read(tmp_path: Path) -> None:
    access = load_access(_written(tmp_path, SMALL + 'areas: {"5134": 州}\ndepartments: {housing: 局}\n'))
    roles = ["doudi_bi", "doudi_bi_5134", "doudi_area_5134", "doudi_department_housing"]
    assert [each.role for each in access.readers] == roles


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("relations: {identity.person: {readers: [bi]}}", "identity.person"),
        ("relations: {marts.warning: {readers: [everybody]}}", "readers"),
        ("relations: {marts.warning: {readers: [bi], rows: all}}", "rows"),
        ('relations: {marts.warning: {readers: [bi], area: "true) or (true"}}', "area"),
        (SMALL + 'areas: {"5": all}', "areas"),
        (SMALL + 'departments: {"a\'; drop": x}', "departments"),
        ("relations: [", "access.yml"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(AccessError, match=fault):
        load_access(_written(tmp_path, text))


@pytest.fixture(scope="module")
def marts(settings: Settings) -> dict[str, dict[str, dict]]:
    """The columns of each mart's contract by the mart's name, as `marts.person`."""
    folder = settings.dbt_project / "models" / "marts"
    described = {
        model["name"]: {column["name"]: column for column in model.get("columns", ())}
        for path in folder.glob("*.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ())
    }
    return {f"marts.{path.stem.removeprefix('marts_')}": described[path.stem] for path in folder.glob("*.sql")}


@pytest.fixture(scope="module")
def access(settings: Settings) -> Access:
    return load_access(settings.access)


def test_every_mart_is_declared_and_has_the_columns_that_tell_whose_a_row_is(access: Access, marts: dict) -> None:
    lacking = [
        (name, kind)
        for name, opened in access.relations.items()
        for kind in opened.readers
        if kind != "bi" and name.startswith("marts.") and getattr(opened, kind) not in (None, *marts.get(name, {}))
    ]
    assert lacking == []
    assert set(marts) <= set(access.relations)


def test_names_and_citizen_ids_are_for_those_who_go_and_look(access: Access, marts: dict) -> None:
    personal = {"name", "citizen_id", "household_head_name", "household_head_citizen_id"}
    seen_by_bi = {name for name, opened in access.relations.items() if "bi" in opened.readers}
    assert {name for name in seen_by_bi if personal & set(marts.get(name, ()))} == set()


def test_departments_are_those_of_the_seed(access: Access, settings: Settings) -> None:
    lines = (settings.dbt_project / "seeds" / "department.csv").read_text(encoding="utf-8").splitlines()
    assert set(access.departments) == {line.split(",")[0] for line in lines[1:]}
