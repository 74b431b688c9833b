"""When the last backups of an installation were made and where they lie, noted in its home for `doudi doctor`."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from doudi.private import write_private

Kind = Literal["set", "base"]
_FILE = "backups.json"


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A backup that was made whole; ``folder`` is its own."""

    taken_at: datetime
    folder: Path


def note(home: Path, kind: Kind, *, taken_at: datetime, folder: Path) -> None:
    """Put it in the place of the one before of its kind."""
    written = _read(home) | {kind: {"taken_at": taken_at.isoformat(), "folder": str(folder)}}
    write_private(home / _FILE, json.dumps(written, indent=1))


def last(home: Path) -> dict[Kind, Noted]:
    """The last of each kind that there was."""
    return {
        kind: Noted(taken_at=datetime.fromisoformat(told["taken_at"]), folder=Path(told["folder"]))
        for kind, told in _read(home).items()
    }


def _read(home: Path) -> dict[str, dict[str, str]]:
    path = home / _FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
