"""The bundle that Superset imports: a file for the database, and one for each dataset, chart and dashboard.

Identifiers are made from names, so that importing again brings the same objects to what is declared.
"""

from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import yaml

from doudi.dashboards.declaration import COLUMNS_OF_A_ROW, Chart, Dashboard, Dataset, Declared
from doudi.dashboards.form import form, viz_type
from doudi.dashboards.queries import dataset_sql

DATABASE = "doudi"
# Nobody's: the reader's own account, server and password are put in when a connection is made (inside/superset_config).
NO_ADDRESS = "warehouse.invalid"
_VERSION = "1.0.0"
_SAID = {"version": _VERSION, "is_managed_externally": True}
_HEIGHT = {"number": 22, "table": 50}
# What is urgent looks so everywhere; all else has Superset's colours.
_COLOURS = {
    "1 红色 red": "#c0392b",
    "2 橙色 orange": "#e67e22",
    "3 黄色 yellow": "#f1c40f",
    "4 核查 review": "#7f8c8d",
    "1 已逾期 overdue": "#c0392b",
    "2 三日内到期 within 3 days": "#e67e22",
    "3 七日内到期 within 7 days": "#f1c40f",
    "未获救助 no aid": "#c0392b",
    "未获救助 without aid": "#c0392b",
    "2 低收入未保障 low income and not covered": "#c0392b",
    "隔离 quarantined": "#c0392b",
}


def bundle(declared: Declared) -> dict[str, str]:
    """The text of each file by its path within the bundle."""
    files: dict[str, dict[str, Any]] = {
        # A fixed time: the same declarations make the same bundle.
        "metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": "2020-06-30T00:00:00+00:00"},
        f"databases/{DATABASE}.yaml": _database(),
    }
    for name, dataset in declared.datasets.items():
        files[f"datasets/{DATABASE}/{name}.yaml"] = _dataset(name, dataset)
    for name, dashboard in declared.dashboards.items():
        for chart_name, chart in dashboard.charts.items():
            files[f"charts/{chart_name}.yaml"] = _chart(chart_name, chart, declared.datasets[chart.dataset])
        files[f"dashboards/{name}.yaml"] = _dashboard(name, dashboard, declared)
    return {path: _text(content) for path, content in files.items()}


def write(declared: Declared, folder: Path) -> list[Path]:
    """Make ``folder`` the bundle, without what is declared no more. Returns the files."""
    files = {folder / path: text for path, text in bundle(declared).items()}
    for stale in set(folder.rglob("*.yaml")) - set(files):
        stale.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def identifier(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{kind}.{name}.doudi.invalid"))


def _database() -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"postgresql+psycopg2://reader@{NO_ADDRESS}/{DATABASE}",
        "uuid": identifier("database", DATABASE),
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "impersonate_user": False,  # that would keep the one password; see inside/superset_config
        "extra": {"per_user_caching": True, "allows_virtual_table_explore": True},
        **_SAID,
    }


def _dataset(name: str, dataset: Dataset) -> dict[str, Any]:
    return {
        "table_name": name,
        "description": dataset.title,
        "sql": dataset_sql(dataset) + "\n",
        "uuid": identifier("dataset", name),
        "database_uuid": identifier("database", DATABASE),
        "columns": [
            {"column_name": column_name, "verbose_name": column.title, "type": column.type.upper(),
             "is_dttm": column.is_time, "groupby": True, "filterable": True}
            for column_name, column in dataset.columns.items()
        ],
        **_SAID,
    }  # fmt: skip


def _chart(name: str, chart: Chart, dataset: Dataset) -> dict[str, Any]:
    return {
        "slice_name": chart.title,
        "viz_type": viz_type(chart),
        "params": {"viz_type": viz_type(chart), **form(chart, dataset)},
        "uuid": identifier("chart", name),
        "dataset_uuid": identifier("dataset", chart.dataset),
        **_SAID,
    }


def _dashboard(name: str, dashboard: Dashboard, declared: Declared) -> dict[str, Any]:
    return {
        "dashboard_title": dashboard.title,
        "slug": name,
        "uuid": identifier("dashboard", name),
        "published": True,
        "position": _position(dashboard),
        "metadata": {
            "native_filter_configuration": [
                _filter(name, dataset, column, title=declared.datasets[dataset].columns[column].title)
                for dataset, columns in dashboard.filters.items()
                for column in columns
            ],
            "label_colors": _COLOURS,
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
        },
        **_SAID,
    }


def _filter(dashboard: str, dataset: str, column: str, *, title: str) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{dashboard}-{column}",
        "name": title,
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "targets": [{"datasetUuid": identifier("dataset", dataset), "column": {"name": column}}],
        "controlValues": {"multiSelect": True, "searchAllOptions": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "cascadeParentIds": [],
    }


def _position(dashboard: Dashboard) -> dict[str, Any]:
    rows = _rows(dashboard)
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [f"ROW-{number}" for number in range(len(rows))],
                    "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
    }  # fmt: skip
    for number, names in enumerate(rows):
        row = f"ROW-{number}"
        position[row] = {
            "type": "ROW", "id": row, "children": [f"CHART-{name}" for name in names],
            "parents": ["ROOT_ID", "GRID_ID"], "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }  # fmt: skip
        for name in names:
            chart = dashboard.charts[name]
            position[f"CHART-{name}"] = {
                "type": "CHART", "id": f"CHART-{name}", "children": [], "parents": ["ROOT_ID", "GRID_ID", row],
                # chartId tells charts apart until the import puts in the number of each
                "meta": {"chartId": list(dashboard.charts).index(name) + 1, "uuid": identifier("chart", name),
                         "sliceName": chart.title, "width": chart.width,
                         "height": chart.height or _HEIGHT.get(chart.kind, 50)},
            }  # fmt: skip
    return position


def _rows(dashboard: Dashboard) -> list[list[str]]:
    """The charts in their order, as many in a row as fit."""
    rows: list[list[str]] = []
    left = 0
    for name, chart in dashboard.charts.items():
        if chart.width > left:
            rows.append([])
            left = COLUMNS_OF_A_ROW
        rows[-1].append(name)
        left -= chart.width
    return rows


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are, and nothing told by reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _said(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _said)


def _text(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
