"""Telling what is new: one message per kind and channel, nothing twice, and on record whether it went out."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import psycopg

from doudi.access import load_access
from doudi.alerts import channels
from doudi.alerts.messages import compose
from doudi.alerts.troubles import KINDS, Trouble, standing
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url

NIGHT = timedelta(hours=6)
_LOCK = "doudi.alerts"

log = logging.getLogger(__name__)


def note_failure(settings: Settings, *, facts: Mapping[str, Any]) -> None:
    """Enter a task that failed: dag, task, run, attempt, error and message."""
    with connect(warehouse_url(settings), step="alerts", role="owner") as connection:
        connection.execute(
            """
            insert into ops.failure (dag, task, run, attempt, error, message)
            values (%(dag)s, %(task)s, %(run)s, %(attempt)s, %(error)s, %(message)s)
            """,
            facts,
        )


def tell(
    settings: Settings,
    *,
    kinds: Iterable[str] = tuple(KINDS),
    quiet_for: timedelta | None = None,
    places: Sequence[str] = (),
) -> dict[str, int]:
    """Tell each channel what of these kinds is new to it, or worse than it was told.

    A kind of which a channel has had a message within ``quiet_for`` waits for the next call, so that failures of one
    night make one message. Returns counts of messages sent and not taken. A channel that fails raises nothing: it is
    on record in ops.alert, and is told again the next time. Raises WarehouseError where Postgres cannot be asked.
    """
    counts = {"alerts_sent": 0, "alerts_not_taken": 0}
    departments = load_access(settings.access).departments
    with connect(warehouse_url(settings), autocommit=True, step="alerts", role="owner") as connection:
        connection.execute("select pg_advisory_lock(hashtext(%s))", (_LOCK,))
        for kind in kinds:
            troubles = standing(connection, kind, as_of=settings.date_of_run(), departments=departments)
            for channel in channels.CHANNELS:
                _forget_what_ended(connection, channel, kind, troubles)
                fresh = _new_to(connection, channel, kind, troubles)
                if not fresh or (quiet_for and _spoke_within(connection, channel, kind, quiet_for)):
                    continue
                deliver = channels.channel(channel, kind)
                if deliver is None:
                    continue
                error = _try(deliver, compose(kind, fresh, standing=len(troubles), places=places))
                _record(connection, channel, kind, fresh, error=error)
                counts["alerts_not_taken" if error else "alerts_sent"] += 1
    return counts


def _forget_what_ended(connection: psycopg.Connection, channel: str, kind: str, troubles: list[Trouble]) -> None:
    """What ended and comes again is news; what became better and then worse again is, too."""
    connection.execute(
        """
        delete from ops.alert_told
        where channel = %s and kind = %s and subject <> all(%s)
        """,
        (channel, kind, [trouble.subject for trouble in troubles]),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            update ops.alert_told set level = %(level)s
            where channel = %(channel)s and kind = %(kind)s and subject = %(subject)s and level > %(level)s
            """,
            [{"channel": channel, "kind": kind, "subject": each.subject, "level": each.level} for each in troubles],
        )


def _new_to(connection: psycopg.Connection, channel: str, kind: str, troubles: list[Trouble]) -> list[Trouble]:
    rows = connection.execute(
        "select subject, level from ops.alert_told where channel = %s and kind = %s", (channel, kind)
    )
    told = dict(rows.fetchall())
    return [trouble for trouble in troubles if trouble.level > told.get(trouble.subject, 0)]


def _spoke_within(connection: psycopg.Connection, channel: str, kind: str, quiet_for: timedelta) -> bool:
    query = """
        select exists (
            select from ops.alert where channel = %s and kind = %s and error is null and sent_at > now() - %s
        )
    """
    return connection.execute(query, (channel, kind, quiet_for)).fetchone()[0]


def _try(deliver: channels.Deliver, message: Any) -> str | None:
    """Deliver, and return the class of what kept it; other people's messages may hold addresses and secrets."""
    try:
        deliver(message)
    except Exception as error:
        log.error("an alert was not taken: %s", type(error).__name__)
        return type(error).__name__
    return None


def _record(
    connection: psycopg.Connection, channel: str, kind: str, fresh: Sequence[Trouble], *, error: str | None
) -> None:
    with connection.transaction():
        connection.execute(
            "insert into ops.alert (channel, kind, subjects, error) values (%s, %s, %s, %s)",
            (channel, kind, len(fresh), error),
        )
        if error:
            return
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                insert into ops.alert_told (channel, kind, subject, level) values (%s, %s, %s, %s)
                on conflict (channel, kind, subject) do update
                set level = excluded.level, told_at = excluded.told_at
                """,
                [(channel, kind, trouble.subject, trouble.level) for trouble in fresh],
            )
