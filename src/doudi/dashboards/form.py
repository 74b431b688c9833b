"""What Superset calls the form of a chart: how its figures are asked for and drawn."""

from typing import Any

from doudi.dashboards.declaration import Chart, Dataset

_VIZ = {
    "number": "big_number_total",
    "bar": "echarts_timeseries_bar",
    "stack": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
    "table": "table",
}
_ROWS = 200


def viz_type(chart: Chart) -> str:
    return _VIZ[chart.kind]


def form(chart: Chart, dataset: Dataset) -> dict[str, Any]:
    metrics = [_metric(name, expression) for name, expression in chart.show.items()]
    filters = {"adhoc_filters": [_filter(chart.where)] if chart.where else []}
    if chart.kind == "number":
        return {
            "metric": metrics[0],
            "y_axis_format": ",.0f",
            "header_font_size": 0.4,
            "subheader": metrics[0]["label"],
            "subheader_font_size": 0.15,
            **filters,
        }
    if chart.kind == "table":
        return _table(chart, metrics) | filters
    return _axes(chart, dataset, metrics) | filters


def _table(chart: Chart, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    order = _metric(chart.order, f"max({chart.order})") if chart.order else metrics[0]
    return {
        "query_mode": "aggregate",
        "groupby": list(chart.by),
        "metrics": metrics,
        "timeseries_limit_metric": order,
        "order_desc": chart.first == "most",
        "row_limit": _ROWS,
        "table_timestamp_format": "%Y-%m-%d",
        "show_cell_bars": False,
        "column_config": {metric["label"]: {"d3NumberFormat": ",.1~f"} for metric in metrics},
    }


def _axes(chart: Chart, dataset: Dataset, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    (axis,) = chart.by
    is_time = dataset.columns[axis].is_time
    drawn: dict[str, Any] = {
        "x_axis": axis,
        "metrics": metrics,
        "groupby": [chart.split] if chart.split else [],
        "row_limit": 10_000,
        "show_legend": bool(chart.split) or len(metrics) > 1,
        "legendOrientation": "top",
        "legendType": "plain",  # all of it while that is two lines; Superset turns to paging by itself
        **({"sort_series_type": "name", "sort_series_ascending": True} if chart.split else {}),
        "rich_tooltip": True,
        "y_axis_format": ",.0f",
        "truncateYAxis": False,
    }
    if is_time:
        return drawn | {
            "time_grain_sqla": "P1M" if axis == "month" else "P1D",
            "x_axis_time_format": "%y-%m" if axis == "month" else "%m-%d",
            "markerEnabled": True,
        }
    return drawn | {
        "orientation": "horizontal",  # names in two languages are long
        "xAxisForceCategorical": True,
        # the first is drawn lowest: what is most stands at the top
        "x_axis_sort": chart.order or ("sum" if chart.split or len(metrics) > 1 else metrics[0]["label"]),
        "x_axis_sort_asc": chart.order is None,
        "stack": "Stack" if chart.kind == "stack" else None,
        "show_value": True,
        "only_total": True,
    }


def _metric(name: str, expression: str) -> dict[str, Any]:
    return {"expressionType": "SQL", "sqlExpression": expression, "label": name, "hasCustomLabel": True}


def _filter(expression: str) -> dict[str, Any]:
    return {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": expression}
