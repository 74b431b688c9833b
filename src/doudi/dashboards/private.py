"""Secrets that are made once, and that only the account of this installation may read."""

import secrets
from pathlib import Path

from doudi.dashboards.declaration import DashboardError
from doudi.private import write_private

_LETTERS = 24


def kept_secret(path: Path) -> str:
    """The secret in ``path``, made where there is none. Raises DashboardError where others may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, secrets.token_urlsafe(_LETTERS) + "\n")
    if path.stat().st_mode & 0o077:
        raise DashboardError(f"others may read {path}: chmod 600 it")
    return path.read_text(encoding="ascii").strip()
