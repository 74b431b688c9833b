"""ops.erasure, and the file beside the database that outlives a restore of an older backup.

Neither holds a citizen ID: only its HMAC-SHA256 under the key of identifiers, which is in no database and no backup.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from doudi.access import identifier_key, keyed_hash
from doudi.private import write_private
from doudi.settings import Settings


class ErasureError(Exception):
    """Somebody's data cannot be erased, or not be kept out; the message says why, never whose."""


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """One erasure: of whom (``id_hashes``, one for each ID that counts as theirs), when, on whose word and why.

    ``erased_on`` is the day up to which deliveries leave them out. ``counts`` says how many rows of which place went,
    ``archived_load_ids`` which archived deliveries have lines of theirs, ``recipients`` who had been handed out some.
    """

    erasure_id: UUID
    id_hashes: tuple[str, ...]
    erased_on: date
    erased_at: datetime
    erased_by: str
    account_name: str
    reason: str
    counts: dict[str, int]
    archived_load_ids: tuple[int, ...]
    recipients: tuple[str, ...]

    def as_line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=str) + "\n"

    @classmethod
    def of_line(cls, line: str) -> "Erasure":
        told = json.loads(line)
        lists = {name: tuple(told[name]) for name in ("id_hashes", "archived_load_ids", "recipients")}
        moments = {
            "erasure_id": UUID(told["erasure_id"]),
            "erased_on": date.fromisoformat(told["erased_on"]),
            "erased_at": datetime.fromisoformat(told["erased_at"]),
        }
        return cls(**told | lists | moments)


_COLUMNS = tuple(Erasure.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who was erased, by hash, each with the last day up to which deliveries leave them out."""

    key: str
    last_days: Mapping[str, date]

    def among(self, citizen_ids: Iterable[str]) -> dict[str, date]:
        """Those of some citizen IDs that were erased, each with its day."""
        found = ((each, self.last_days.get(id_hash(each, self.key))) for each in citizen_ids)
        return {citizen_id: day for citizen_id, day in found if day}


def known(connection: psycopg.Connection, *, settings: Settings) -> Known | None:
    """Who was erased; None where nobody was, which is all that most deliveries have to ask.

    Raises AccessError where the key is not at hand.
    """
    rows = connection.execute(
        "select id_hash, max(erased_on) from ops.erasure cross join unnest(id_hashes) as id_hash group by id_hash"
    ).fetchall()
    return Known(key=hash_key(connection, settings=settings), last_days=dict(rows)) if rows else None


def hash_key(connection: psycopg.Connection, *, settings: Settings) -> str:
    """The key that IDs are hashed with. Raises AccessError where it is missing, ErasureError where there never was one.

    Without a key the hash of an ID would be as good as the ID, since all IDs can be tried.
    """
    key = identifier_key(connection, settings=settings)
    if not key:
        raise ErasureError("this warehouse makes identifiers without a key: who was erased could be guessed from it")
    return key


def id_hash(citizen_id: str, key: str) -> str:
    """What is kept of an erased person's ID, in hexadecimals; no ``person_id`` can be told from it."""
    return keyed_hash(key, f"erased|{citizen_id}").hex()


def stand_in(hashed: str) -> str:
    """What takes an erased ID's place where a row is somebody else's and stays."""
    return f"erased-{hashed[:12]}"


def recorded(connection: psycopg.Connection) -> list[Erasure]:
    """All erasures that the database knows of, the oldest first."""
    with connection.cursor(row_factory=class_row(_row)) as cursor:
        return cursor.execute(f"select {', '.join(_COLUMNS)} from ops.erasure order by erased_at").fetchall()


def _row(**values: object) -> Erasure:
    lists = {name: tuple(values[name]) for name in ("id_hashes", "archived_load_ids", "recipients")}
    return Erasure(**values | lists)


def record(connection: psycopg.Connection, erasure: Erasure) -> None:
    """Add an erasure. Runs in the caller's transaction."""
    values = asdict(erasure) | {"counts": Jsonb(erasure.counts)}
    lists = {name: list(values[name]) for name in ("id_hashes", "archived_load_ids", "recipients")}
    connection.execute(
        f"insert into ops.erasure ({', '.join(_COLUMNS)}) values ({', '.join(f'%({name})s' for name in _COLUMNS)})",
        values | lists,
    )


def in_file(path: Path) -> list[Erasure]:
    """What the file has, the oldest first and each once; nothing where there is none yet.

    Raises ErasureError where a line is no erasure, as after copying by hand, rather than forget about somebody.
    """
    found: dict[UUID, Erasure] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                erasure = Erasure.of_line(line)
            except (ValueError, KeyError, TypeError):
                raise ErasureError(f"{path}, line {number}: no erasure; bring the file back from its copy") from None
            found.setdefault(erasure.erasure_id, erasure)
    return list(found.values())


def keep_in_file(path: Path, erasures: Iterable[Erasure]) -> None:
    """Add what the file lacks; on the disk when this returns."""
    standing = in_file(path)
    there = {erasure.erasure_id for erasure in standing}
    new = [erasure for erasure in erasures if erasure.erasure_id not in there]
    if new:
        write_private(path, "".join(erasure.as_line() for erasure in (*standing, *new)))
        with path.open("rb") as file:
            os.fsync(file.fileno())
