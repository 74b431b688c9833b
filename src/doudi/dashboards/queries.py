"""The SQL of datasets and of charts."""

import textwrap

from doudi.dashboards.declaration import Chart, Dataset


def dataset_sql(dataset: Dataset) -> str:
    columns = ",\n".join(
        textwrap.indent(f"{column.sql.strip()} as {name}", "    ") for name, column in dataset.columns.items()
    )
    ctes = f"with\n{dataset.ctes.strip()}\n" if dataset.ctes else ""
    return f"{ctes}select\n{columns}\nfrom\n{textwrap.indent(dataset.source.strip(), '    ')}"


def chart_sql(chart: Chart, dataset: Dataset) -> str:
    """What Superset asks for a chart that nothing is filtered in, but for the limit of rows."""
    axes = [*chart.by, *filter(None, [chart.split])]
    figures = [f'{expression} as "{name}"' for name, expression in chart.show.items()]
    where = f"\nwhere {chart.where}" if chart.where else ""
    by = f"\ngroup by {', '.join(axes)}" if axes else ""
    return f"select {', '.join([*axes, *figures])}\nfrom (\n{dataset_sql(dataset)}\n) as dataset{where}{by}"
