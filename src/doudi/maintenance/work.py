"""What every rule gets, and what it gives: the same whether it removes or only tells what it would."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import rmtree

import psycopg

from doudi.maintenance.policy import Policy
from doudi.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a rule removed, or would: ``size`` in bytes, None where that cannot be told.

    ``left`` says what stayed for the next time although it is due, and why.
    """

    rule: str
    kept: str
    what: str
    count: int
    size: int | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Work:
    """One maintenance. ``connection`` is the owner's and commits each statement; ``now`` is when it is.

    Nothing is removed where ``dry_run``.
    """

    connection: psycopg.Connection
    url: str
    settings: Settings
    policy: Policy
    now: datetime
    dry_run: bool

    def cutoff(self, rule: str) -> datetime | None:
        return self.policy.cutoff(rule, now=self.now)

    def outcome(
        self, rule: str, what: str, *, count: int, size: int | None, left: tuple[str, ...] = (), kept: str | None = None
    ) -> Outcome:
        """Of a rule whose name the policy has, unless ``kept`` says how long its things stay."""
        told = self.policy.kept(rule) if kept is None else kept
        return Outcome(rule=rule, kept=told, what=what, count=count, size=size, left=left)


Rule = Callable[[Work], Outcome]


@contextmanager
def locked(connection: psycopg.Connection, key: str, *values: object) -> Iterator[bool]:
    """Whether the advisory lock that ``key`` writes was free; then it is held until the block ends."""
    (free,) = connection.execute(f"select pg_try_advisory_lock({key})", values).fetchone()
    try:
        yield free
    finally:
        if free:
            connection.execute(f"select pg_advisory_unlock({key})", values)


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder, none where there is none."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of files, and of all that is in folders."""
    total = 0
    for path in paths:
        total += size_of(files_in(path)) if path.is_dir() else path.stat().st_size if path.exists() else 0
    return total


def remove(*paths: Path) -> None:
    """Remove files and folders; what has gone meanwhile is no error."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)


def older_than(paths: list[Path], cutoff: datetime) -> list[Path]:
    """Those that were last written before a moment."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):  # others clear up too
            if path.stat().st_mtime < cutoff.timestamp():
                found.append(path)
    return found
