"""Points in time: a copy of the embedded server's files, and its WAL, which holds every change since."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from doudi.backup import noted, programs
from doudi.backup.sets import BackupError
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import connect

_NOTE = "base.json"


def base_backup(
    destination: Path, *, url: str, settings: Settings, progress: Callable[[str], None] = lambda line: None
) -> Path:
    """Copy the running server's files into a new folder of ``destination``, and return it.

    Raises BackupError where no WAL is archived, without which the copy could not be made whole.
    """
    wal = cluster.wal_folder(settings.home)
    if settings.database_url or wal is None:
        raise BackupError("no WAL is archived by this installation: doudi db archive-wal FOLDER does so from then on")
    moment = datetime.now(TIME_ZONE)
    folder = destination / f"base_{moment:%Y%m%dT%H%M%S}"
    folder.mkdir(parents=True, mode=0o700)
    programs.run(
        "pg_basebackup", f"--pgdata={folder / 'data'}", "--checkpoint=fast", "--wal-method=none", "--no-password",
        url=url,
    )  # fmt: skip
    told = {"taken_at": moment.isoformat(), "home": str(settings.home), "wal": str(wal)}
    (folder / _NOTE).write_text(json.dumps(told), encoding="utf-8")
    noted.note(settings.home, "base", taken_at=moment, folder=folder)
    progress(f"every moment from {moment:%Y-%m-%d %H:%M:%S} on can be restored from it and {wal}")
    return folder


def recover(folder: Path, *, settings: Settings, until: datetime | None = None, wal: Path | None = None) -> list[str]:
    """Make the embedded server as it was at a moment (None: the last that is known) and start it.

    ``wal`` is where the archived WAL lies now, where the base backup noted it if None. The server goes on archiving
    there, unless it lives elsewhere than the one that was copied: two must not write into one archive. Returns the
    archived files that the ledger of that moment names and the archive lacks. Raises BackupError and ClusterError.
    """
    note = folder / _NOTE
    if not note.is_file():
        raise BackupError(f"{folder} is no base backup: it has no {_NOTE}")
    told = json.loads(note.read_text(encoding="utf-8"))
    if until and until < datetime.fromisoformat(told["taken_at"]):
        raise BackupError(f"this base backup is younger, of {told['taken_at']}: take an older one")
    cluster.recover(
        settings.home, base=folder / "data", wal=wal or Path(told["wal"]), until=until,
        go_on_archiving=told["home"] == str(settings.home),
    )  # fmt: skip
    with connect(cluster.start(settings.home), step="recover", role="loader") as session:
        named = session.execute(
            "select distinct archive_path from ops.load where archive_removed_at is null order by 1"
        ).fetchall()
    return [path for (path,) in named if not Path(path).is_file()]
