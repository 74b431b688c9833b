"""ops.extract: the consignments of each recipient, file by file, from prepared to delivered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

import psycopg
from psycopg.rows import class_row

from doudi.extracts.declaration import Declaration
from doudi.extracts.errors import ExtractError, NotBuiltError

# Whoever holds it prepares and delivers for the recipient, and nobody else: two would deliver twice.
RECIPIENT_LOCK = "hashtext('doudi.extract'), hashtext(%s)"


@dataclass(frozen=True, kw_only=True)
class Build:
    """The build whose marts stand now."""

    build_id: int
    as_of: date


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a consignment, as it goes out; ``plain_sha256`` is of what it was before encryption."""

    file_name: str
    rows: int
    sha256: str
    plain_sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Consignment:
    """The files that one recipient gets of one build, in a folder of its own at ``destination``."""

    recipient: str
    build: Build
    declaration_sha256: str
    folder: str
    destination: str
    state: str
    files: tuple[File, ...]


@dataclass(frozen=True, kw_only=True)
class _Row:
    recipient: str
    build_id: int
    as_of: date
    declaration_sha256: str
    folder: str
    destination: str
    state: str
    file_name: str
    rows: int
    sha256: str
    plain_sha256: str
    size_bytes: int


def build_at_hand(connection: psycopg.Connection, as_of: date | None, *, or_later: bool = False) -> Build:
    """The build whose marts stand. Raises NotBuiltError where there is none yet as of the day, ExtractError if it is
    of a later one.
    """
    row = connection.execute(
        """
        select build_id, as_of, exists (select from ops.erasure where erased_at >= build.started_at) from ops.build
        where status = 'succeeded' and schema_suffix = ''
        order by build_id desc
        limit 1
        """
    ).fetchone()
    if row is None or (as_of and row[1] < as_of):
        raise NotBuiltError(f"no marts have been built{f' as of {as_of}' if as_of else ''}: run doudi build first")
    if as_of and row[1] > as_of and not or_later:
        raise ExtractError(f"the marts are those of {row[1]} now; of {as_of} nothing can be handed out any more")
    if row[2]:
        raise ExtractError("somebody was erased since, and the marts lack others' rows too: run doudi build first")
    return Build(build_id=row[0], as_of=row[1])


def data_dates(connection: psycopg.Connection, build: Build) -> dict[str, dict[str, str]]:
    """Of each feed and area the data date of the latest delivery that the build holds."""
    rows = connection.execute(
        """
        select feed, area_code, max(data_date)::text
        from ops.load
        where
            load_id in (
                select unnest(load_ids) from ops.build
                where status = 'succeeded' and schema_suffix = '' and build_id <= %s
            )
        group by feed, area_code
        order by feed, area_code
        """,
        (build.build_id,),
    )
    return {
        feed: {area: day for _, area, day in group} for feed, group in groupby(rows.fetchall(), key=lambda row: row[0])
    }


def consignments(connection: psycopg.Connection, recipient: str) -> list[Consignment]:
    """All of a recipient's, the oldest first."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(
            """
            select
                recipient, build_id, as_of, declaration_sha256, folder, destination, state, file_name, rows, sha256,
                coalesce(plain_sha256, sha256) as plain_sha256, coalesce(size_bytes, 0) as size_bytes
            from ops.extract
            where recipient = %s
            order by extract_id
            """,
            (recipient,),
        ).fetchall()
    return [_consignment(list(group)) for _, group in groupby(rows, key=attrgetter("build_id", "folder"))]


def _consignment(rows: list[_Row]) -> Consignment:
    first = rows[0]
    return Consignment(
        recipient=first.recipient,
        build=Build(build_id=first.build_id, as_of=first.as_of),
        declaration_sha256=first.declaration_sha256,
        folder=first.folder,
        destination=first.destination,
        state=first.state,
        files=tuple(
            File(
                file_name=row.file_name,
                rows=row.rows,
                sha256=row.sha256,
                plain_sha256=row.plain_sha256,
                size_bytes=row.size_bytes,
            )
            for row in rows
        ),
    )


def free_folder(before: Iterable[Consignment], build: Build) -> str:
    """A folder that no consignment has had: the build's day, and from the second on with a number."""
    taken = {consignment.folder for consignment in before}
    name, number = build.as_of.isoformat(), 1
    while name in taken:
        number += 1
        name = f"{build.as_of.isoformat()}-{number}"
    return name


def prepared(connection: psycopg.Connection, consignment: Consignment, declaration: Declaration) -> None:
    """Write a consignment down that lies ready; in the transaction that also records its disclosure."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.extract (
                build_id, recipient, declaration_sha256, as_of, file_name, rows, sha256, plain_sha256, size_bytes,
                folder, destination, state, retention_days
            )
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'prepared', %s)
            """,
            [
                (
                    consignment.build.build_id, consignment.recipient, consignment.declaration_sha256,
                    consignment.build.as_of, file.file_name, file.rows, file.sha256, file.plain_sha256,
                    file.size_bytes, consignment.folder, consignment.destination, declaration.retention_days,
                )
                for file in consignment.files
            ],
        )  # fmt: skip


def became(connection: psycopg.Connection, consignment: Consignment, state: str) -> None:
    """Write down what became of a consignment, and when."""
    connection.execute(
        """
        update ops.extract
        set
            state = %(state)s,
            delivered_at = case when %(state)s = 'delivered' then now() else delivered_at end,
            removed_at = case when %(state)s = 'removed' then now() else removed_at end
        where recipient = %(recipient)s and folder = %(folder)s
        """,
        {"state": state, "recipient": consignment.recipient, "folder": consignment.folder},
    )
