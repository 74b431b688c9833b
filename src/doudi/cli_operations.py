"""The commands ``doudi backup``, ``doudi restore`` and ``doudi db archive-wal``."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from doudi import backup as backups
from doudi import erasing
from doudi.settings import TIME_ZONE, SettingsError, load_settings
from doudi.warehouse import cluster, schema
from doudi.warehouse.connection import warehouse_url


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def backup(
    destination: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds all backups; best on another disk.")],
    recipient: Annotated[
        list[str] | None, typer.Option(help="A public key of age or SSH to encrypt for; may be repeated.")
    ] = None,
    base: Annotated[
        bool, typer.Option("--base", help="Copy the server's files instead, for a restore to a point in time.")
    ] = False,
) -> None:
    """Back up database, archive and ledger of this moment into FOLDER, and print where. No key is in it."""
    settings = load_settings()
    url, destination = warehouse_url(settings), destination.resolve()
    if base and recipient:
        raise backups.BackupError("--base is not encrypted, as WAL is not either: keep both on an encrypted disk")
    if base:
        print(backups.base_backup(destination, url=url, settings=settings, progress=_say))
        return
    print(backups.take(destination, url=url, settings=settings, recipients=recipient or (), progress=_say))
    _say(f"not in it, and needed with it: {settings.keys} and {settings.home / 'airflow' / 'state.json'}")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="A folder that doudi backup has printed.")],
    identity: Annotated[Path | None, typer.Option(help="The file of the private key, of an encrypted backup.")] = None,
    to: Annotated[
        str | None, typer.Option(help='Of a base backup: the moment, "YYYY-MM-DD HH:MM:SS"; the last one else.')
    ] = None,
    wal: Annotated[Path | None, typer.Option(help="Of a base backup: where the archived WAL lies now.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check every file against its checksum.")] = False,
) -> None:
    """Bring a backup back into an installation that holds nothing yet. Its keys must be in place before."""
    settings, folder = load_settings(), folder.resolve()
    if check:
        backups.BackupSet.read(folder).verify(folder)
        print("every file is as it was written")
    elif folder.name.startswith("base_"):
        lost = backups.recover(folder, settings=settings, until=_moment(to), wal=wal and wal.resolve())
        for path in lost:
            _say(f"not in the archive: {path}")
        if lost:
            _say("the database is whole; doudi land with these files puts them back into the archive")
    else:
        if to or wal:
            raise backups.BackupError("--to and --wal go with a base backup (doudi backup --base)")
        backups.restore(folder, url=warehouse_url(settings), settings=settings, identity=identity, progress=_say)
    if not check and settings.erasures.exists():
        schema.initialise(warehouse_url(settings), settings)
        erasing.again(settings=settings, progress=_say)


def archive_wal(
    folder: Annotated[Path | None, typer.Argument(help="Where to; DOUDI_HOME/wal unless given.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Not any more.")] = False,
) -> None:
    """Keep every change of the embedded PostgreSQL, for restores to a point in time. Restarts it."""
    settings = load_settings()
    if settings.database_url:
        raise backups.BackupError("the warehouse is not the embedded one: set archive_command on its own server")
    cluster.archive_wal(settings.home, None if off else (folder or settings.home / "wal").resolve())
    cluster.stop(settings.home)
    cluster.start(settings.home)
    print(f"archiving WAL into {cluster.wal_folder(settings.home)}" if not off else "no WAL is archived any more")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--to={text} is no moment: write YYYY-MM-DD HH:MM:SS") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=TIME_ZONE)
