"""dashboards/datasets.yml and dashboards/dashboards.yml: what charts read, and which charts there are."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from doudi.closed import Closed, faults_of

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Kind = Literal["number", "bar", "stack", "line", "table"]
COLUMNS_OF_A_ROW = 12


class DashboardError(Exception):
    """Dashboards are declared wrongly, or Superset cannot be set up or served; the message says what to look at."""


class Column(Closed):
    """A column of a dataset: the SQL that it ``is``, the SQL type of that, and its Chinese and English name."""

    sql: str
    type: Literal["text", "uuid", "date", "timestamp with time zone", "boolean", "integer", "bigint", "numeric"]
    title: str

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: object) -> object:
        return dict(zip(("sql", "type", "title"), given, strict=True)) if isinstance(given, list) else given

    @property
    def is_time(self) -> bool:
        return self.type in ("date", "timestamp with time zone")


class Dataset(Closed):
    """A query: its columns, of what stands after ``from``; ``ctes`` stand before it."""

    title: str
    ctes: str = Field(default="", alias="with")
    source: str = Field(alias="from")
    columns: dict[Name, Column]


class Chart(Closed):
    """One chart: figures (``show``, by the name told, SQL) over the rows ``where``, by columns of its dataset."""

    title: str
    kind: Kind
    dataset: Name
    show: dict[str, str] = Field(min_length=1)
    by: Annotated[tuple[Name, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)] = ()
    split: Name | None = None
    where: str | None = None
    order: Name | None = None
    first: Literal["most", "least"] = "most"  # of ``order``, in a table
    width: int = Field(default=3, ge=1, le=COLUMNS_OF_A_ROW)
    height: int | None = None


class Dashboard(Closed):
    """A page of charts, and the columns by which all of them can be filtered; a filter offers what a dataset has."""

    title: str
    filters: dict[Name, tuple[Name, ...]]
    charts: dict[Name, Chart]


class Declared(Closed):
    """All that dashboards/ declares."""

    datasets: dict[Name, Dataset]
    dashboards: dict[Name, Dashboard]

    @model_validator(mode="after")
    def _names_are_there(self) -> Self:
        for page, dashboard in self.dashboards.items():
            for name, columns in dashboard.filters.items():
                self._has(name, columns, where=f"the filters of {page}")
            for title, chart in dashboard.charts.items():
                used = (*chart.by, *filter(None, (chart.split, chart.order)))
                self._has(chart.dataset, used, where=f"{page}.{title}")
        names = [name for dashboard in self.dashboards.values() for name in dashboard.charts]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"charts of the same name: {', '.join(sorted(twice))}")
        return self

    def _has(self, dataset: str, columns: tuple[str, ...], *, where: str) -> None:
        if dataset not in self.datasets:
            raise ValueError(f"{where}: there is no dataset {dataset}")
        if missing := sorted(set(columns) - set(self.datasets[dataset].columns)):
            raise ValueError(f"{where}: {dataset} has no {', '.join(missing)}")


def load_declared(folder: Path) -> Declared:
    """Read the two files in ``folder``. Raises DashboardError with each fault."""
    try:
        parts = {
            name: yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8"))
            for name in ("datasets", "dashboards")
        }
        return Declared.model_validate(parts)
    except FileNotFoundError as error:
        raise DashboardError(f"there is no {error.filename}") from None
    except ValidationError as error:
        raise DashboardError(f"{folder.name}: {faults_of(error)}") from None
    except yaml.YAMLError as error:
        raise DashboardError(f"{folder.name}: {error}") from None
