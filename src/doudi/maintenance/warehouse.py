"""What is kept of builds and of what was told; dead rows, and rows that never change again."""

import json
from datetime import datetime

import psycopg
from psycopg import sql

from doudi.maintenance.work import Outcome, Work, files_in, locked, older_than, remove, size_of
from doudi.private import keep_lines
from doudi.transform import builds, record
from doudi.warehouse.distribution import is_distributed
from doudi.warehouse.roles import OWNERS

# A table is vacuumed from this share of dead rows on, and from so many. Autovacuum comes at a fifth, and of a register
# of millions, of which a month changes a hundredth, that is years.
_DEAD_SHARE, _DEAD_ROWS = 0.05, 1000
_BUILD_LOCK = str(builds.LOCK)
_BUSY = "a build is running"


def failures_and_alerts(work: Work) -> Outcome:
    cutoff, count, size = work.cutoff("failures_and_alerts"), 0, 0
    if cutoff:
        for table, moment in (("ops.failure", "failed_at"), ("ops.alert", "sent_at")):
            rows, bytes_ = work.connection.execute(
                f"select count(*), coalesce(sum(pg_column_size(told.*)), 0) from {table} as told where {moment} < %s",
                (cutoff,),
            ).fetchone()
            count, size = count + rows, size + bytes_
            if rows and not work.dry_run:
                work.connection.execute(f"delete from {table} where {moment} < %s", (cutoff,))
        lines, bytes_ = keep_lines(
            work.settings.home / "alerts.jsonl", lambda line: _is_younger(line, cutoff), dry_run=work.dry_run
        )
        count, size = count + lines, size + bytes_
    return work.outcome("failures_and_alerts", "failures and alerts", count=count, size=size)


def _is_younger(line: str, cutoff: datetime) -> bool:
    try:
        return datetime.fromisoformat(json.loads(line)["at"]) >= cutoff
    except (ValueError, KeyError, TypeError):
        return True  # not written by us: whoever did looks after it


def past_day_marts(work: Work) -> Outcome:
    """Schemas of builds apart from the present, by when they were built. What somebody reads stays."""
    cutoff, count, size, left = work.cutoff("past_day_marts"), 0, 0, []
    for suffix, bytes_ in _past_days(work, cutoff) if cutoff else ():
        with locked(work.connection, _BUILD_LOCK) as idle:
            if not idle:
                left.append(_BUSY)
                break
            if not work.dry_run and not _dropped(work, suffix):
                left.append(f"marts{suffix} is being read")
                continue
        count, size = count + 1, size + bytes_
    return work.outcome("past_day_marts", "past days", count=count, size=size, left=tuple(left))


def _past_days(work: Work, cutoff: datetime) -> list[tuple[str, int]]:
    """The ends of their names and what they take up. Of what no build has noted nobody can say how old it is."""
    return work.connection.execute(
        """
        with past as (
            select schema_suffix
            from ops.build
            where schema_suffix ~ '^_as_of_[0-9]{8}$'
            group by schema_suffix
            having max(coalesce(finished_at, started_at)) < %(cutoff)s
        ),

        place as (
            select namespace.oid, past.schema_suffix
            from past
            cross join unnest(%(schemas)s::text[]) as schema
            inner join pg_namespace as namespace on namespace.nspname = schema || past.schema_suffix
        )

        select place.schema_suffix, coalesce(sum(pg_total_relation_size(class.oid)), 0)::bigint
        from place
        left join pg_class as class on class.relnamespace = place.oid and class.relkind in ('r', 'p', 'm')
        group by place.schema_suffix
        order by place.schema_suffix
        """,
        {"cutoff": cutoff, "schemas": list(builds.SCHEMAS)},
    ).fetchall()


def _dropped(work: Work, suffix: str) -> bool:
    try:
        work.connection.execute("set lock_timeout to '1s'")
        with work.connection.transaction():
            builds.drop_schemas(work.connection, suffix)
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        work.connection.execute("reset lock_timeout")
    return True


def touched_people(work: Work) -> Outcome:
    """Whom deliveries touched that a build has taken in: a build forgets them, unless it was cut off at its end."""
    count, size = 0, 0
    with locked(work.connection, _BUILD_LOCK) as idle:
        if idle:
            count, size = record.touched_and_taken_in(work.connection)
            if count and not work.dry_run:
                record.forget_touched(work.connection)
    left = () if idle else (_BUSY,)
    return work.outcome(
        "touched_people", "marks for builds that have ended", count=count, size=size, left=left, kept=""
    )


def build_files(work: Work) -> Outcome:
    """What dbt has compiled and parsed; a build that finds nothing parses the project again."""
    cutoff, past = work.cutoff("build_files"), []
    with locked(work.connection, _BUILD_LOCK) as idle:
        if cutoff and idle:
            past = older_than(files_in(work.settings.home / "dbt"), cutoff)
        size = size_of(past)
        if not work.dry_run:
            remove(*past)
    return work.outcome("build_files", "files of dbt", count=len(past), size=size, left=() if idle else (_BUSY,))


def _state(connection: psycopg.Connection) -> str:
    """A query of the tables and their rows; the coordinator of a cluster knows nothing of those on other nodes."""
    if is_distributed(connection):
        return "select * from cluster.table_state()"
    return """
        select
            stat.schemaname as schema_name, stat.relname as table_name, stat.n_dead_tup as dead_rows,
            stat.n_live_tup as live_rows, age(class.relfrozenxid) as age
        from pg_stat_user_tables as stat
        inner join pg_class as class on class.oid = stat.relid
    """


def dead_rows(work: Work) -> Outcome:
    """Vacuum tables with many dead rows, and freeze registers before PostgreSQL has to in the middle of a night.

    A table that somebody holds is passed over.
    """
    rows = work.connection.execute(
        f"""
        with freezable as (
            select
                *,
                schema_name = 'register'
                and age > current_setting('autovacuum_freeze_max_age')::bigint / 2 as wants_freezing
            from ({_state(work.connection)}) as state
            where schema_name = any(%(schemas)s)
        )

        select schema_name, table_name, dead_rows, wants_freezing
        from freezable
        where wants_freezing or dead_rows >= greatest(%(rows)s, %(share)s * (live_rows + dead_rows))
        order by schema_name, table_name
        """,
        {"schemas": list(OWNERS), "rows": _DEAD_ROWS, "share": _DEAD_SHARE},
    ).fetchall()
    for schema, table, _, freeze in () if work.dry_run else rows:
        work.connection.execute(
            sql.SQL("vacuum (skip_locked, analyze{}) {}").format(
                sql.SQL(", freeze" if freeze else ""), sql.Identifier(schema, table)
            )
        )
    count = sum(dead for _, _, dead, _ in rows)
    return work.outcome("dead_rows", f"dead rows in {len(rows)} tables", count=count, size=None, kept="")
