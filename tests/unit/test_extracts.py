"""Declarations: when an extract is due, what the shipped ones ask for, and that no mart hides a personal column."""

from datetime import date

import pytest

from doudi.extracts import load_declarations
from doudi.extracts.checking import check
from doudi.extracts.ledger import Build, Consignment
from doudi.extracts.marts import load_marts
from doudi.extracts.sending import is_due
from doudi.settings import Settings

# what columns of marts are called, or end with, that tell who somebody is
PERSONAL_NAMES = ("citizen_id", "citizen_ids", "person_id", "person_ids", "household_id", "head_name", "person_names")


@pytest.mark.parametrize(
    ("cadence", "last", "due"),
    [
        ("daily", date(2020, 6, 29), True),
        ("weekly", date(2020, 6, 29), False),  # a Monday
        ("weekly", date(2020, 6, 28), True),
        ("monthly", date(2020, 6, 1), False),
        ("monthly", date(2020, 5, 31), True),
        ("quarterly", date(2020, 4, 1), False),
        ("quarterly", date(2020, 3, 31), True),
        ("quarterly", None, True),
        ("on_demand", None, False),
    ],
)
def test_an_extract_is_due_once_in_its_period(settings: Settings, cadence: str, last: date | None, due: bool) -> None:
    declaration = load_declarations(settings.extracts)["housing"].model_copy(update={"cadence": cadence})
    build = Build(build_id=2, as_of=date(2020, 6, 30))

    def sent(build: Build, state: str = "delivered", sha256: str = declaration.sha256) -> Consignment:
        return Consignment(
            recipient="housing",
            build=build,
            declaration_sha256=sha256,
            folder="",
            destination="",
            state=state,
            files=(),
        )

    before = [sent(Build(build_id=1, as_of=last))] if last else []
    assert is_due(declaration, build, before) is due
    assert not is_due(declaration, build, [*before, sent(build)])  # never twice of one build
    if cadence != "on_demand":
        assert is_due(declaration, build, [sent(build, state="lost")])
        assert is_due(declaration, build, [sent(build, sha256="another declaration")])


def test_every_shipped_declaration_asks_for_what_its_mart_promises(settings: Settings) -> None:
    marts = load_marts(settings.dbt_project)
    for declaration in load_declarations(settings.extracts).values():
        promised = {column.name: column.data_type for column in marts[declaration.source].columns.values()}
        check(declaration, marts=marts, standing=promised)


def test_what_a_mart_says_of_a_person_is_marked_as_personal(settings: Settings) -> None:
    unmarked = [
        f"{mart.name}.{column.name}"
        for mart in load_marts(settings.dbt_project).values()
        for column in mart.columns.values()
        if (column.name == "name" or column.name.endswith(PERSONAL_NAMES)) and column.personal is None
    ]
    assert unmarked == []
