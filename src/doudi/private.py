"""Files that nobody but the account of this installation reads."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file that is never open to others, not even for a moment, and never half written."""
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    written.replace(path)
