"""Files that nobody but the account of this installation reads."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file that is never open to others, not even for a moment, and never half written."""
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    written.replace(path)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that is open to nobody else; the line is there whole or not at all."""
    while True:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX)  # on a file system that machines share, appending alone is no protection
            if _is_at(path, file):  # else another has taken its place while we waited
                os.write(file, f"{line}\n".encode())
                return
        finally:
            os.close(file)


def keep_lines(path: Path, keep: Callable[[str], bool], *, dry_run: bool = False) -> tuple[int, int]:
    """Remove the lines of such a file that ``keep`` refuses; returns how many they are and their bytes.

    Who appends meanwhile waits; cut off, it leaves the file as it was. With ``dry_run`` it stays so.
    """
    if not path.exists():
        return 0, 0
    with path.open("r+", encoding="utf-8") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        lines = file.readlines()
        kept = [line for line in lines if keep(line)]
        if len(kept) < len(lines) and not dry_run:
            write_private(path, "".join(kept))
    removed = len("".join(lines).encode()) - len("".join(kept).encode())
    return len(lines) - len(kept), removed


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
