"""Where somebody's data went, and what has been handed out at all, from the chain of disclosures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from doudi.access import identifier_key, keyed_hash
from doudi.extracts.errors import ExtractError
from doudi.settings import Settings

_UNKNOWN = "that is neither a citizen ID of 18 or 15 characters nor a person_id"  # without what was typed


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """A file that was handed out; ``columns`` as [{name, heading, treatment}]."""

    disclosure_id: int
    disclosed_at: datetime
    recipient: str
    purpose: str
    legal_basis: str
    declaration_sha256: str
    columns: list[dict[str, str]]
    as_of: date
    file_name: str
    rows: int
    persons: int
    hash: str


def disclosures(
    connection: psycopg.Connection,
    *,
    person_ids: Sequence[UUID] | None = None,
    recipient: str | None = None,
    since: date | None = None,
) -> list[Disclosure]:
    """What was handed out, the oldest first: of all, or of files that are about one of ``person_ids``."""
    with connection.cursor(row_factory=class_row(Disclosure)) as cursor:
        return cursor.execute(
            """
            select
                disclosure_id, disclosed_at, recipient, purpose, legal_basis, declaration_sha256, columns, as_of,
                file_name, rows, persons, hash
            from ops.disclosure
            where
                (%(people)s::uuid[] is null or disclosure_id in (
                    select disclosure_id from ops.disclosed_person where person_id = any(%(people)s)
                ))
                and (%(recipient)s::text is null or recipient = %(recipient)s)
                and (%(since)s::date is null or disclosed_at >= %(since)s)
            order by disclosure_id
            """,
            {"people": None if person_ids is None else list(person_ids), "recipient": recipient, "since": since},
        ).fetchall()


def person_ids(connection: psycopg.Connection, person: str, *, settings: Settings) -> list[UUID]:
    """Every person_id under which data of somebody may have been handed out, from a person_id or a citizen ID.

    A citizen ID may be written as the registers write it: 15 digits, a small x, full-width. Who has been joined with
    another ID is looked for under both. The registers are not asked, so whoever left them is found as well.
    Raises ExtractError where it is neither, without telling what was typed.
    """
    try:
        return [UUID(person.strip())]
    except ValueError:
        pass
    found = citizen_ids(connection, person)
    key = identifier_key(connection, settings=settings)
    return [person_id(citizen_id, key) for citizen_id in found]


def citizen_ids(connection: psycopg.Connection, written: str) -> list[str]:
    """Every citizen ID that counts as the same person's as one that is written in whichever way, itself included.

    Raises ExtractError where it is none, without telling what was typed.
    """
    rows = connection.execute(
        """
        with asked as (select ops.citizen_id_as_written(%s) as citizen_id)

        select citizen_id from asked where citizen_id ~ '^[0-9]{17}[0-9X]$'
        union
        select one.canonical_id from identity.joined_id as one inner join asked using (citizen_id)
        union
        select other.citizen_id
        from identity.joined_id as other
        left join identity.joined_id as one on other.canonical_id = one.canonical_id
        inner join asked on asked.citizen_id in (other.canonical_id, one.citizen_id)
        """,
        (written,),
    ).fetchall()
    if not rows:
        raise ExtractError(_UNKNOWN)
    return [citizen_id for (citizen_id,) in rows]


def person_id(citizen_id: str, key: str) -> UUID:
    """As the macro person_id makes it; ``key`` is as `identifier_key` gives it."""
    return UUID(bytes=keyed_hash(key, f"person|{citizen_id}")[:16])
