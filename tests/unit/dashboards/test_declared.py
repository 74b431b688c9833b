"""The dashboards agree with what they read: a column that is renamed fails here, and not before an official."""

import re
from functools import cache
from pathlib import Path

import pytest

from doudi.access import load_access
from doudi.dashboards.bundle import bundle
from doudi.dashboards.declaration import DashboardError, Dataset, load_declared
from doudi.dashboards.queries import dataset_sql
from doudi.extracts.marts import load_marts
from doudi.settings import load_settings

SETTINGS = load_settings()
FOLDER = SETTINGS.project / "dashboards"
DECLARED = load_declared(FOLDER)
_READ = re.compile(r"\b(?:from|join)\s+\(?(?:select[^()]*\bfrom\s+)?((?:marts|ops)\.\w+) as (\w+)")
_MENTIONED = re.compile(r"\b(?:marts|ops)\.\w+")
_COLUMN = re.compile(r"(?<![\w'.])([a-z_]+)\.([a-z_0-9]+)\b")


@cache
def _promised() -> dict[str, set[str]]:
    """The columns of every relation that dashboards may read, by the marts' contracts and the views' SQL."""
    promised = {name: set(mart.columns) for name, mart in load_marts(SETTINGS.dbt_project).items()}
    views = (SETTINGS.project / "src/doudi/warehouse/sql/health.sql").read_text(encoding="utf-8")
    for name, text in re.findall(r"create view (ops\.\w+) (.*?);\n", views, re.DOTALL):
        listed = text[text.rindex("\nselect") :]
        promised[name] = set(re.findall(r"(?:\bas|\.)\s*(\w+),?$", listed, re.MULTILINE))
    return promised


def _unknown(dataset: Dataset) -> list[str]:
    sql, promised = dataset_sql(dataset), _promised()
    relations = {alias: relation for relation, alias in _READ.findall(sql)}
    assert set(_MENTIONED.findall(sql)) == set(relations.values())  # each under a name
    return sorted(
        f"{relations[alias]}.{column}"
        for alias, column in set(_COLUMN.findall(sql))
        if alias in relations and column not in promised[relations[alias]]
    )


@pytest.mark.parametrize("name", DECLARED.datasets)
def test_a_dataset_reads_only_columns_that_are_promised(name: str) -> None:
    assert _unknown(DECLARED.datasets[name]) == []


def test_a_column_that_was_renamed_is_found() -> None:
    dataset = DECLARED.datasets["warning"]
    renamed = dataset.model_copy(update={"source": dataset.source.replace("warning.level", "warning.grade")})
    assert _unknown(renamed) == ["marts.warning.grade"]


def test_datasets_read_what_is_open_to_bi_of_every_area() -> None:
    relations = load_access(SETTINGS.access).relations
    read = {name for dataset in DECLARED.datasets.values() for name in _MENTIONED.findall(dataset_sql(dataset))}
    assert {name for name in read if not {"bi", "area"} <= set(relations[name].readers)} == set()


def test_the_bundle_is_what_the_declarations_make() -> None:
    folder = FOLDER / "bundle"
    written = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}
    assert written == bundle(DECLARED), "python -m doudi.dashboards bundle"


def test_the_bundle_holds_no_account_and_no_address() -> None:
    database = bundle(DECLARED)["databases/doudi.yaml"]
    assert "sqlalchemy_uri: postgresql+psycopg2://reader@warehouse.invalid/doudi\n" in database


def test_everything_is_called_in_chinese_and_english() -> None:
    charts = [chart for dashboard in DECLARED.dashboards.values() for chart in dashboard.charts.values()]
    names = [
        *(dashboard.title for dashboard in DECLARED.dashboards.values()),
        *(chart.title for chart in charts),
        *(figure for chart in charts for figure in chart.show),
        *(column.title for dataset in DECLARED.datasets.values() for column in dataset.columns.values()),
    ]
    assert [name for name in names if not re.search(r"[\u4e00-\u9fff].* .*[A-Za-z]{2}", name)] == []


def test_a_chart_of_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("datasets.yml", "dashboards.yml"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("split: level\n", "split: grade\n", 1), encoding="utf-8")
    with pytest.raises(DashboardError, match=r"overview\.standing_by_day: warning_day has no grade"):
        load_declared(tmp_path)
