"""What is wrong by the ledger and the marts: each trouble with what it is about and how bad it is."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import psycopg

from doudi.health.reading import OVERDUE_RED

FAILURE, REFUSED, LATE, OVERDUE = "failure", "refused_delivery", "late_feed", "overdue_red_warnings"
_FAILURES_SINCE = "2 days"  # an older one was told, or nobody wanted to be told


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing that is wrong. The same ``subject`` of a kind is told again only at a higher ``level``."""

    kind: str
    subject: str
    level: int = 1
    zh: str
    en: str


def standing(
    connection: psycopg.Connection, kind: str, *, as_of: date, departments: Mapping[str, str] | None = None
) -> list[Trouble]:
    """What is wrong of one kind on a day, the oldest first. The connection is the owner's; ``departments`` are what
    people call them."""
    connection.execute("select set_config('doudi.as_of', %s, false)", (as_of.isoformat(),))
    return KINDS[kind](connection, departments or {})


def _failures(connection: psycopg.Connection, departments: Mapping[str, str]) -> list[Trouble]:
    rows = connection.execute(
        """
        select failure_id, dag, task, error, message, to_char(failed_at, 'YYYY-MM-DD HH24:MI')
        from ops.failure
        where failed_at >= now() - %s::interval
        order by failure_id
        """,
        (_FAILURES_SINCE,),
    )
    return [
        Trouble(
            kind=FAILURE,
            subject=str(failure_id),
            zh=f"{at} 任务 {dag}.{task}：{message or error}",
            en=f"{at} task {dag}.{task}: {message or error}",
        )
        for failure_id, dag, task, error, message, at in rows
    ]


def _refused(connection: psycopg.Connection, departments: Mapping[str, str]) -> list[Trouble]:
    """The message of a refusal names files and headings, which departments may have named after people: left out."""
    rows = connection.execute(
        """
        select load_id, feed, coalesce(feed_title, feed), area_code, data_date, status, coalesce(error_code, '')
        from ops.load_health
        where is_unresolved
        order by load_id
        """
    )
    return [
        Trouble(
            kind=REFUSED,
            subject=str(load_id),
            zh=f"第 {load_id} 批 {title}（{_area(connection, area)}，数据日期 {day}）"
            f"{'整批退回' if status == 'refused' else '处理失败'}：{rule}",
            en=f"load {load_id}, {feed} of {area} for {day}: {status} by {rule}",
        )
        for load_id, feed, title, area, day, status, rule in rows
    ]


def _late(connection: psycopg.Connection, departments: Mapping[str, str]) -> list[Trouble]:
    """It is worse each time twice as many deliveries have been missed."""
    rows = connection.execute(
        """
        select feed, feed_title, area_code, last_data_date, due_on, late_days, due_on - last_data_date
        from ops.feed_health
        where state = 'late'
        order by due_on, feed, area_code
        """
    )
    return [
        Trouble(
            kind=LATE,
            subject=f"{feed} {area}",
            level=1 + int(math.log2(1 + late // max(cadence, 1))),
            zh=f"{title}（{_area(connection, area)}）：上次数据日期 {last}，应于 {due} 前报送，已逾期 {late} 天",
            en=f"{feed} of {area}: last data date {last}, due on {due}, late by {late} days",
        )
        for feed, title, area, last, due, late, cadence in rows
    ]


def _overdue(connection: psycopg.Connection, departments: Mapping[str, str]) -> list[Trouble]:
    """Counts by county and department. It is worse when there are more of them."""
    if not connection.execute("select to_regclass('marts.warning') is not null").fetchone()[0]:
        return []
    rows = connection.execute(OVERDUE_RED)
    return [
        Trouble(
            kind=OVERDUE,
            subject=f"{county} {department}",
            level=count,
            zh=f"{_area(connection, county)}，牵头部门{departments.get(department, department)}："
            f"{count} 条红色预警逾期未核实，最早的期限为 {due}",
            en=f"county {county}, led by {department}: {count} red warnings past their deadline, the first since {due}",
        )
        for county, department, count, due in rows
    ]


def _area(connection: psycopg.Connection, code: str) -> str:
    """The division's name and code; the seed that has the names is there once something was built."""
    if not connection.execute("select to_regclass('reference.division') is not null").fetchone()[0]:
        return code
    row = connection.execute("select name from reference.division where code = %s limit 1", (code,)).fetchone()
    return f"{row[0]} {code}" if row else code


KINDS: dict[str, Callable[[psycopg.Connection, Mapping[str, str]], list[Trouble]]] = {
    FAILURE: _failures,
    REFUSED: _refused,
    LATE: _late,
    OVERDUE: _overdue,
}
