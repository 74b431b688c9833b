"""What lies with us longer than a declaration says is removed; what recipients got is theirs."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg

from doudi.extracts import ledger
from doudi.extracts.delivering import BY_CONNECTION
from doudi.extracts.preparing import staging
from doudi.settings import Settings


def prune(
    connection: psycopg.Connection, *, settings: Settings, progress: Callable[[str], None] = lambda line: None
) -> int:
    """Remove delivered extracts past their retention from our own folders, and what cuts left behind.

    Returns how many. An extract that lies ready and was not delivered stays, since the recipient has not got it.
    """
    past = past_their_time(connection)
    for consignment in past:
        shutil.rmtree(folder_of(consignment), ignore_errors=True)
        ledger.became(connection, consignment, "removed")
        progress(f"{consignment.recipient}: {consignment.folder} is past its time and was removed")
    _sweep(connection, settings)
    return len(past)


def past_their_time(connection: psycopg.Connection, *, now: datetime | None = None) -> list[ledger.Consignment]:
    """The delivered extracts in our own folders that are older than their declarations said, by the moment ``now``."""
    rows = connection.execute(
        """
        select distinct recipient, folder
        from ops.extract
        where
            state = 'delivered' and folder <> '' and destination <> %s
            and delivered_at < coalesce(%s, now()) - retention_days * interval '1 day'
        order by recipient, folder
        """,
        (BY_CONNECTION, now),
    ).fetchall()
    return [
        consignment
        for recipient, folder in rows
        for consignment in ledger.consignments(connection, recipient)
        if consignment.folder == folder
    ]


def folder_of(consignment: ledger.Consignment) -> Path:
    """Where it lies with us."""
    return Path(consignment.destination) / consignment.recipient / consignment.folder


def _sweep(connection: psycopg.Connection, settings: Settings) -> None:
    """Remove the folders of consignments that are not waiting; only a recipient's own sender makes others meanwhile."""
    for folder in settings.outgoing.glob("*"):
        (free,) = connection.execute(f"select pg_try_advisory_lock({ledger.RECIPIENT_LOCK})", (folder.name,)).fetchone()
        if not free:
            continue
        try:
            waiting = {
                staging(settings, one)
                for one in ledger.consignments(connection, folder.name)
                if one.state == "prepared"
            }
            for path in set(folder.iterdir()) - waiting:
                shutil.rmtree(path, ignore_errors=True)
        finally:
            connection.execute(f"select pg_advisory_unlock({ledger.RECIPIENT_LOCK})", (folder.name,))
