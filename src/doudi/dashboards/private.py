"""What only the account of this installation may read: secrets made once, and the notes with which Superset starts."""

import os
import secrets
from pathlib import Path

from doudi.dashboards.declaration import DashboardError

_LETTERS = 24


def kept_secret(path: Path) -> str:
    """The secret in ``path``, made where there is none. Raises DashboardError where others may read it."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_LETTERS) + "\n")
    if path.stat().st_mode & 0o077:
        raise DashboardError(f"others may read {path}: chmod 600 it")
    return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that is never open to others, not even for a moment, and never half written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    written.replace(path)
