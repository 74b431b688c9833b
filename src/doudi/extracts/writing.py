"""Writing the files of extracts, several at a time, each in a process of its own; all of them see one snapshot."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from doudi.deliveries import make_durable
from doudi.extracts import encrypting
from doudi.extracts.declaration import Declaration, FormName
from doudi.extracts.forms import FORMS
from doudi.extracts.forms.about import About
from doudi.extracts.ledger import File
from doudi.extracts.query import Query
from doudi.side_by_side import Tell, each_done, workers_for
from doudi.warehouse.connection import connect
from doudi.warehouse.distribution import is_distributed

# For a transaction that waits until files are written, however long that takes and whatever the server allows else.
MAY_WAIT = "set local idle_in_transaction_session_timeout to 0"


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file that is to be written: the rows of ``query`` in a form, encrypted where there is a ``key``.

    ``is_ours``: the query reads temporary tables, which no other session sees. ``work`` says which file takes longer,
    in no unit.
    """

    declaration: Declaration
    form: FormName
    query: Query
    path: Path
    about: About
    key: str | None
    is_ours: bool
    work: float

    def write(self, connection: psycopg.Connection) -> File:
        """Write it, bring it to the disk, and say what it is."""
        rows = FORMS[self.form].write(connection, self.query, self.path, self.about)
        plain, path = _sha256(self.path), self.path
        if self.key:
            path = encrypting.encrypt(path, self.key, self.declaration)
        path.chmod(0o600)
        with path.open("rb+") as file:
            make_durable(file)
        return File(
            file_name=path.name,
            rows=rows,
            sha256=_sha256(path) if self.key else plain,
            plain_sha256=plain,
            size_bytes=path.stat().st_size,
        )


def write_all(
    connection: psycopg.Connection, files: Sequence[PlannedFile], *, url: str
) -> Iterator[tuple[PlannedFile, File | Exception]]:
    """Write the files, those that take longest first; yields what came of each as soon as it is done.

    ``connection`` is in a transaction of REPEATABLE READ, and the other processes see what it sees. On a cluster there
    is no snapshot to share; there, and where tables are of this session only, the files are written in this process.
    """
    alone = is_distributed(connection) or workers_for(len(files)) <= 1
    longest_first = sorted(files, key=lambda file: -file.work)
    ours = [file for file in longest_first if file.is_ours or alone]
    shared = [file for file in longest_first if not (file.is_ours or alone)]
    yield from each_done(partial(_write_here, connection=connection), ours, workers=1, tell=_say_nothing)
    if shared:
        (snapshot,) = connection.execute("select pg_export_snapshot()").fetchone()
        work = partial(_write_elsewhere, url=url, snapshot=snapshot)
        with closing(each_done(work, shared, workers=workers_for(len(shared)), tell=_say_nothing)) as done:
            yield from done


def _say_nothing(line: str) -> None:
    """What a file holds is told once it is delivered."""


def _write_here(file: PlannedFile, _: Tell, *, connection: psycopg.Connection) -> File:
    with connection.transaction():  # an error ends this file and not the others
        return file.write(connection)


def _write_elsewhere(file: PlannedFile, _: Tell, *, url: str, snapshot: str) -> File:
    with connect(url, autocommit=True, step="extract", role="extractor") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            connection.execute(sql.SQL("set transaction snapshot {}").format(snapshot))
            connection.execute(MAY_WAIT)
            return file.write(connection)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
