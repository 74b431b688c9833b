"""Consignments by the people that they are about: what lies ready is withdrawn, and what lies with us is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg

from doudi.extracts import ledger
from doudi.extracts.delivering import BY_CONNECTION
from doudi.extracts.ledger import Consignment

_ABOUT = """
    from ops.extract as extract
    inner join ops.disclosure as disclosure
        on extract.recipient = disclosure.recipient and extract.build_id = disclosure.build_id
        and extract.file_name = disclosure.file_name and extract.sha256 = disclosure.file_sha256
    inner join ops.disclosed_person as person on disclosure.disclosure_id = person.disclosure_id
    where person.person_id = any(%(people)s) and extract.state = %(state)s
"""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A delivered consignment of which a copy lies with us, until ``until`` by its declaration (None: for good)."""

    folder: Path
    until: date | None


def recipients(connection: psycopg.Connection, person_ids: Sequence[UUID]) -> list[str]:
    """Who was ever handed out, or prepared, something about one of these people."""
    rows = connection.execute(
        """
        select distinct recipient
        from ops.disclosure
        where disclosure_id in (select disclosure_id from ops.disclosed_person where person_id = any(%s))
        order by recipient
        """,
        (list(person_ids),),
    ).fetchall()
    return [recipient for (recipient,) in rows]


def copies(connection: psycopg.Connection, person_ids: Sequence[UUID]) -> list[Copy]:
    """What of ours still holds them: delivered consignments in folders of this installation."""
    rows = connection.execute(
        f"""
        select distinct
            extract.destination, extract.recipient, extract.folder,
            (extract.delivered_at + extract.retention_days * interval '1 day')::date
        {_ABOUT} and extract.destination not in (%(elsewhere)s, '') and extract.folder <> ''
        order by 1, 2, 3
        """,
        {"people": list(person_ids), "state": "delivered", "elsewhere": BY_CONNECTION},
    ).fetchall()
    found = [Copy(folder=Path(place) / recipient / folder, until=until) for place, recipient, folder, until in rows]
    return [copy for copy in found if copy.folder.exists()]


def withdraw(connection: psycopg.Connection, person_ids: Sequence[UUID], *, keys: Sequence[str]) -> list[Consignment]:
    """Withdraw what lies ready about one of these people; the next extract is made anew.

    A recipient of changes is then told all as new, but of rows with one of ``keys`` that they are gone. Runs in the
    caller's transaction, who keeps senders waiting and afterwards removes the folders (`preparing.clear`).
    """
    ready = connection.execute(
        f"select distinct extract.recipient, extract.folder {_ABOUT}",
        {"people": list(person_ids), "state": "prepared"},
    ).fetchall()
    withdrawn = [
        one for recipient, folder in ready for one in ledger.consignments(connection, recipient) if one.folder == folder
    ]
    for consignment in withdrawn:
        ledger.became(connection, consignment, "withdrawn")
        connection.execute(
            "delete from ops.extract_row where recipient = %s and not key && %s::text[]",
            (consignment.recipient, list(keys)),
        )
    return withdrawn
