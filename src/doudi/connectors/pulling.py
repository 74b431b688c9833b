"""Pulling from all sources of some feeds; one that cannot be read keeps no other from being pulled."""

import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import psycopg

from doudi.connectors import files, rows
from doudi.connectors.connections import SourceError
from doudi.connectors.files import Seen
from doudi.sources import Database, FileSource, Http, RowSource


def pull_all(
    sources: Iterable[FileSource | RowSource], *, folder: Path, as_of: date, seen: Seen, tell: Callable[[str], None]
) -> list[SourceError]:
    """Bring what is new at the sources into the spool at ``folder``. Returns what kept any from being read."""
    faults = []
    for source in sources:
        try:
            names = _pull(source, folder=folder, as_of=as_of, seen=seen, tell=tell)
        except SourceError as error:
            faults.append(error)
            tell(str(error))
        else:
            for name in names:
                tell(f"{source.name}: pulled {name}")
    return faults


def _pull(
    source: FileSource | RowSource, *, folder: Path, as_of: date, seen: Seen, tell: Callable[[str], None]
) -> list[str]:
    """Raises SourceError for whatever goes wrong: libraries' own messages hold hosts, credentials and rows."""
    try:
        if isinstance(source, Http | Database):
            return rows.pull(source, folder=folder, as_of=as_of, tell=tell)
        return files.pull(source, folder=folder, seen=seen, tell=tell)
    except psycopg.Error:  # the ledger's own trouble, not the source's
        raise
    except SourceError as error:
        raise SourceError(f"{source.name}: {error}") from None
    except OSError as error:
        told = os.strerror(error.errno) if error.errno else type(error).__name__
        raise SourceError(f"{source.name}: {told}") from None
    except Exception as error:
        raise SourceError(f"{source.name}: {type(error).__name__}") from None
