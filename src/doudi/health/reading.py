"""What the page on the state of the warehouse shows, read from the ledger: states, dates and counts, no rows."""

import shutil
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from doudi.settings import Settings

DAYS = 14  # of deliveries taken in, by the clock
_MOST = 200
Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Health:
    """Everything on the page; each list of rows under the name of the query that gives it."""

    judged_on: str
    rows: dict[str, Rows]
    disk_free_bytes: int
    disk_bytes: int
    database_bytes: int

    @property
    def late(self) -> Rows:
        return [row for row in self.rows["feeds"] if row["state"] == "late"]

    @property
    def overdue_red(self) -> int:
        return sum(row["warnings"] for row in self.rows["overdue"])

    @property
    def waiting_rows(self) -> int:
        return sum(row["refused_rows"] for row in self.rows["refused_rows"])


def read(connection: psycopg.Connection, settings: Settings) -> Health:
    """Read it all, judged on the settings' day. The connection is the owner's."""
    day = settings.date_of_run().isoformat()
    connection.execute("select set_config('doudi.as_of', %s, false)", (day,))
    queries = dict(_QUERIES)
    if connection.execute("select to_regclass('marts.warning') is null").fetchone()[0]:
        queries["overdue"] = "select '' as county_code where false"
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = {name: cursor.execute(query).fetchall() for name, query in queries.items()}
    disk = shutil.disk_usage(settings.home)
    return Health(
        judged_on=day,
        rows=rows,
        disk_free_bytes=disk.free,
        disk_bytes=disk.total,
        database_bytes=connection.execute(_DATABASE).fetchone()[0],
    )


OVERDUE_RED = """
    select county_code, lead_department, count(*) as warnings, min(due_on) as first_due_on
    from marts.warning
    where level = 'red' and is_overdue and closed_on is null
    group by county_code, lead_department
    order by county_code, lead_department
"""
_DATABASE = """
    select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class where relkind in ('r', 'm', 'S')
"""  # pg_database_size asks for a right that the steps' roles do not have
_QUERIES = {
    "feeds": """
        select * from ops.feed_health
        order by array_position(array['late', 'never_came', 'in_time'], state), late_days desc, feed, area_code
    """,
    "days": f"""
        select
            finished_at::date as day, count(*) as deliveries,
            count(*) filter (where status in ('refused', 'failed')) as refused,
            coalesce(sum(rows_read) filter (where status = 'published'), 0) as rows_read,
            coalesce(sum(rows_published), 0) as rows_published, coalesce(sum(rows_unchanged), 0) as rows_unchanged,
            coalesce(sum(rows_quarantined) filter (where status = 'published'), 0) as rows_quarantined
        from ops.load_health
        where finished_at >= now() - interval '{DAYS} days'
        group by finished_at::date order by day desc
    """,
    "loads": f"""
        select * from ops.load_health
        where received_at >= now() - interval '{DAYS} days'
        order by load_id desc limit {_MOST}
    """,
    "refusals": f"""
        select health.*, load.error
        from ops.load_health as health
        inner join ops.load using (load_id)
        where health.is_unresolved
        order by health.load_id desc limit {_MOST}
    """,
    "checks": """
        with last_of_area as (
            select distinct on (feed, area_code) load_id
            from ops.check_health
            order by feed, area_code, data_date desc, load_id desc
        )

        select
            feed, rule, column_name, severity, count(*) as deliveries,
            coalesce(sum(rows_judged), 0) as rows_judged, coalesce(sum(rows_against), 0) as rows_against
        from ops.check_health
        inner join last_of_area using (load_id)
        where not success
        group by feed, rule, column_name, severity order by severity, feed, rule
    """,
    "refused_rows": """
        select feed, rule, column_name, sum(refused_rows) as refused_rows, min(first_refused_at)::date as since
        from ops.refused_row_health
        where status = 'open'
        group by feed, rule, column_name order by refused_rows desc, feed, rule
    """,
    "overdue": OVERDUE_RED,
    "builds": """
        select
            build_id, as_of, schema_suffix, status, models, tests, started_at, error,
            extract(epoch from finished_at - started_at) as seconds
        from ops.build
        order by build_id desc limit 10
    """,
    "phases": """
        with last_build as (
            select timings from ops.build
            where status = 'succeeded' and schema_suffix = '' order by build_id desc limit 1
        )

        select name, (value #>> '{}')::numeric as seconds, 0 as turn
        from last_build cross join jsonb_each(timings - 'nodes' - 'content') as phase (name, value)
        where jsonb_typeof(value) = 'number'
        union all
        (
            select name, (value #>> '{}')::numeric, 1
            from last_build cross join jsonb_each(timings -> 'nodes') as node (name, value)
            order by 2 desc limit 12
        )
        order by turn, seconds desc
    """,
    "tables": """
        select
            namespace.nspname || '.' || class.relname as relation, pg_total_relation_size(class.oid) as bytes,
            greatest(class.reltuples, 0)::bigint as about_rows
        from pg_class as class
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where
            class.relkind in ('r', 'p')
            and namespace.nspname ~ '^(landing|register|ops|reference|staging|intermediate|identity|marts|airflow)'
        order by bytes desc limit 20
    """,
    "failures": "select * from ops.failure order by failure_id desc limit 20",
    "alerts": "select * from ops.alert order by alert_id desc limit 20",
}
