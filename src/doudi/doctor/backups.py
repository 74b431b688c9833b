"""Backups: whether there are any of late, and whether their place is still there."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg

from doudi.backup import noted
from doudi.doctor.finding import Finding
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse import cluster

_OLDEST_SET = timedelta(days=2)  # one a night, and one night missed
_OLDEST_BASE = timedelta(days=9)  # one a week


def backups(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    """Silent as long as there is nothing older than a backup may be."""
    now, last = datetime.now(TIME_ZONE), noted.last(settings.home)
    (first_delivery,) = connection.execute("select min(received_at) from ops.load").fetchone()
    if first_delivery is None:
        return
    asked = {"set": (_OLDEST_SET, "doudi backup FOLDER")}
    if not settings.database_url and cluster.wal_folder(settings.home):
        asked["base"] = _OLDEST_BASE, "doudi backup FOLDER --base"
    for kind, (most, command) in asked.items():
        if now - (last[kind].taken_at if kind in last else first_delivery) > most:
            yield Finding(
                fault=f"backup.{'old' if kind in last else 'missing'}",
                severity="warning",
                what=_told(command, last.get(kind)),
                meaning="what came since would have to be sent, decided and handed out again"
                if kind == "set"
                else "WAL since then must all be kept, and a restore replays all of it",
                command=f"{command}, and have it done every {'night' if kind == 'set' else 'week'} (docs/backup.md)",
            )
    for each in last.values():
        if not each.folder.is_dir():
            yield Finding(
                fault="backup.away",
                severity="warning",
                what=f"the last backup is not in {each.folder} any more",
                meaning="there is none to restore from, or the next one goes onto the wrong disk",
                command=f"mount {each.folder.parent}, or make a new one: doudi backup FOLDER",
            )


def _told(command: str, last: noted.Noted | None) -> str:
    if last is None:
        return f"there are deliveries for days, and {command} was never run here"
    return f"the last {command} is of {last.taken_at:%Y-%m-%d %H:%M}, in {last.folder}"
