"""What a night did, on one screen: deliveries by feed, refusals by rule, warnings by indicator, extracts, places."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from doudi.contracts import load_contracts
from doudi.deliveries import in_folder
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url


def print_summary(settings: Settings, *, since: datetime | None = None, console: Console | None = None) -> None:
    """Print the state of the warehouse; with ``since``, what was new from then on stands beside it."""
    console = console or _console()
    with connect(warehouse_url(settings), step="summary", role="owner") as connection:
        console.print(_feeds(connection, settings))
        if _exists(connection, "ops.quarantine"):
            console.print(_refusals(connection))
        if _exists(connection, "marts.warning"):
            console.print(_warnings(connection))
        console.print(_extracts(connection, settings))
        if since:
            console.print(_new_since(connection, since))
    console.print(_places(settings))


def _console() -> Console:
    """As wide as the terminal; where the output goes to a file, wide enough that no cell is folded."""
    console = Console()
    return console if console.is_terminal else Console(width=130)


def _exists(connection: psycopg.Connection, relation: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", (relation,)).fetchone()[0]


def _table(title: str, *columns: str, numbers: int = 0) -> Table:
    """A table whose last ``numbers`` columns are aligned as numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position >= len(columns) - numbers else "left")
    return table


def _feeds(connection: psycopg.Connection, settings: Settings) -> Table:
    table = _table(
        "Deliveries by feed (rows read = published + unchanged + quarantined)",
        "feed", "", "taken in", "refused", "rows read", "published", "unchanged", "quarantined", numbers=6,
    )  # fmt: skip
    rows = connection.execute(
        """
        select
            feed,
            count(*) filter (where status in ('published', 'superseded')),
            count(*) filter (where status in ('refused', 'failed')),
            coalesce(sum(rows_read) filter (where status in ('published', 'superseded')), 0),
            coalesce(sum(rows_published), 0), coalesce(sum(rows_unchanged), 0),
            coalesce(sum(rows_quarantined) filter (where status in ('published', 'superseded')), 0)
        from ops.load
        group by feed
        """
    ).fetchall()
    counts = {feed: numbers for feed, *numbers in rows}
    for name, contract in load_contracts(settings.contracts).items():
        table.add_row(name, contract.title, *(f"{number:,}" for number in counts.get(name, [0] * 6)))
    totals = [sum(numbers) for numbers in zip(*counts.values(), strict=True)] or [0] * 6
    table.add_section()
    table.add_row("all", "", *(f"{number:,}" for number in totals))
    return table


def _refusals(connection: psycopg.Connection) -> Table:
    table = _table("Rows in quarantine by rule", "rule", "columns", "rows", numbers=1)
    rows = connection.execute(
        """
        select rule, coalesce(string_agg(distinct column_name, ', '), ''), count(*) from ops.quarantine
        where status = 'open' group by rule order by count(*) desc, rule
        """
    ).fetchall()
    for rule, columns, count in rows:
        table.add_row(rule, columns, f"{count:,}")
    return table


def _warnings(connection: psycopg.Connection) -> Table:
    table = _table("Warnings by indicator", "indicator", "", "level", "lead", "open", "opened", "cleared", numbers=3)
    rows = connection.execute(
        """
        with last_run as (select max(as_of) as as_of from ops.build where status = 'succeeded' and schema_suffix = '')

        select
            indicator.code, indicator.name_en, indicator.level, indicator.lead_department,
            count(*) filter (where warning.closed_on is null),
            count(*) filter (where warning.opened_on = last_run.as_of and warning.closed_on is null),
            count(*) filter (where warning.closed_on = last_run.as_of and warning.status = 'cleared'
                and warning.opened_on < warning.closed_on)
        from reference.indicator as indicator
        cross join last_run
        left join marts.warning as warning on warning.indicator_code = indicator.code
        group by indicator.code, indicator.name_en, indicator.level, indicator.lead_department
        order by indicator.code
        """
    ).fetchall()
    for code, name, level, lead, *counts in rows:
        table.add_row(code, name, level, lead, *(f"{count:,}" for count in counts))
    return table


def _extracts(connection: psycopg.Connection, settings: Settings) -> Table:
    table = _table(f"Extracts of the last build, under {settings.out}", "recipient", "file", "rows", numbers=1)
    rows = connection.execute(
        """
        select recipient, file_name, rows from ops.extract
        where build_id = (select max(build_id) from ops.extract)
        order by recipient, file_name
        """
    ).fetchall()
    for recipient, file_name, count in rows:
        table.add_row(recipient, file_name, f"{count:,}")
    return table


def _new_since(connection: psycopg.Connection, since: datetime) -> str:
    deliveries, published, builds, extracts = connection.execute(
        """
        select
            (select count(*) from ops.load where finished_at >= %(since)s),
            (select coalesce(sum(rows_published), 0) from ops.load where finished_at >= %(since)s),
            (select count(*) from ops.build where started_at >= %(since)s),
            (select count(*) from ops.extract where written_at >= %(since)s)
        """,
        {"since": since},
    ).fetchone()
    return (
        f"In this run: {deliveries:,} deliveries taken in, {published:,} rows new or changed, "
        f"{builds} builds, {extracts} extract files.\n"
    )


def _places(settings: Settings) -> Table:
    table = _table("Where to look", "what", "where")
    table.add_row("warehouse", 'psql "$(.venv/bin/doudi db url)"   (schemas marts, register, ops, identity)')
    table.add_row("refused rows", ".venv/bin/doudi quarantine list   (show, export, replay, discard)")
    table.add_row("what the checks found", f"{settings.data_docs / 'index.html'}   (counts, no rows)")
    table.add_row("why a warning", ".venv/bin/doudi explain <warning_id>")
    table.add_row("extracts", str(settings.out))
    table.add_row("Airflow", f"make ui   (its home: {settings.home / 'airflow'})")
    table.add_row("archive", str(settings.archive))
    return table


def print_table(title: str, *columns: str, rows: Iterable[Sequence[object]], numbers: int = 0) -> None:
    """Print rows as a table of the house's kind; its last ``numbers`` columns are numbers. None is an empty cell."""
    table = _table(title, *columns, numbers=numbers)
    for column in table.columns:
        column.overflow = "fold"  # a Chinese sentence has no spaces at which a line could break
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    _console().print(table)


def print_status(settings: Settings, *, console: Console | None = None) -> None:
    """Print what an engineer looks at first: feeds and whether they are late, what was refused, the last build."""
    console = console or _console()
    with connect(warehouse_url(settings), step="status", role="owner") as connection:
        console.print(_lateness(connection, settings))
        for title, query in _TROUBLE.items():
            cursor = connection.execute(query)
            table = _table(title, *(column.name.replace("_", " ") for column in cursor.description))
            if cursor.rowcount:
                for row in cursor:
                    table.add_row(*("" if value is None else str(value) for value in row))
                console.print(table)
    _, strange = in_folder(settings.inbox, feeds=load_contracts(settings.contracts))
    for refusal in strange:
        console.print(f"not a delivery: {refusal}")


_TROUBLE = {
    "Deliveries refused or failed": """
        select load_id, file_name, status, error_code, error from ops.load
        where status in ('refused', 'failed') order by load_id desc limit 20
    """,
    "Columns kept out, which no contract knows": """
        select load_id, file_name, array_to_string(array(
            select jsonb_array_elements_text(notes -> 'columns_kept_out')
        ), ', ') as headings
        from ops.load where notes ? 'columns_kept_out' order by load_id desc limit 20
    """,
    "Warnings of the last checks": """
        select feed, rule, column_name, sum(unexpected) as rows
        from ops.check_result inner join ops.load using (load_id)
        where severity = 'warn' and not success
        group by feed, rule, column_name order by feed, rule
    """,
    "Alerts that were not taken, and nothing by the same channel since": """
        select distinct on (channel, kind) channel, kind, sent_at::timestamp(0) as tried_at, error
        from ops.alert as failed
        where error is not null and not exists (
            select from ops.alert as later
            where later.channel = failed.channel and later.sent_at > failed.sent_at and later.error is null
        )
        order by channel, kind, sent_at desc
    """,
    "Last builds": """
        select build_id, as_of, status, started_at::timestamp(0), finished_at - started_at as took, error
        from ops.build order by build_id desc limit 5
    """,
}


def _lateness(connection: psycopg.Connection, settings: Settings) -> Table:
    """By feed; of several areas that send one the latest counts, and how many of them are late."""
    table = _table("Feeds", "feed", "from", "comes every", "last data date", "next due", "state", "open refused rows")
    connection.execute("select set_config('doudi.as_of', %s, false)", (settings.date_of_run().isoformat(),))
    rows = connection.execute(
        """
        select
            feed, department, cadence, max(last_data_date), min(due_on), max(late_days),
            count(*) filter (where state = 'late'), count(last_data_date), sum(open_refused_rows)
        from ops.feed_health
        group by feed, department, cadence
        order by feed
        """
    )
    for feed, department, cadence, last, due, days, late, areas, refused in rows:
        of_areas = f" ({late} of {areas} areas)" if areas > 1 else ""
        state = "never came" if last is None else f"late by {days} days{of_areas}" if late else "in time"
        table.add_row(feed, department, cadence, str(last or ""), str(due or ""), state, f"{refused:,}")
    return table
