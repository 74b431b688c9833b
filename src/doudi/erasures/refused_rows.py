"""Refused rows that hold an erased person's ID: their own lose their text, others' only the ID.

A refused row is kept as it was sent, so an ID may stand in it in any form: of 15 digits, full-width, amid a line that
is no record. A row of somebody else's stays open, to be sent back and corrected.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.erasures.record import id_hash, stand_in
from doudi.identity import people
from doudi.quarantine.headings import SentHeadings

# Also at the beginning of a longer number that was made of it. Full-width digits are digits here too.
_WRITTEN = re.compile(r"(?<!\d)(?:\d{17}[\dXxＸｘ]|\d{15}(?!\d))")
_LONGEST_CELL = 40  # of an ID alone, with spaces and an apostrophe
_LINE = "_line"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row of ops.quarantine with its text and the headings that its delivery came under."""

    load_id: int
    row_no: int
    feed: str
    raw: dict[str, str | None]
    headings: dict[str, list[str]]


_ROWS = """
    select kept.load_id, kept.row_no, kept.feed, kept.raw, load.headings
    from ops.quarantine as kept
    inner join ops.load as load using (load_id)
    where kept.load_id = %s and kept.raw <> '{}'
"""


def loads_with_text(connection: psycopg.Connection) -> list[int]:
    """The loads whose refused rows still have a text; one after the other they fit into memory."""
    rows = connection.execute("select distinct load_id from ops.quarantine where raw <> '{}' order by load_id")
    return [load_id for (load_id,) in rows.fetchall()]


def _of_load(connection: psycopg.Connection, load_id: int) -> list[Refused]:
    with connection.cursor(row_factory=class_row(Refused)) as cursor:
        return cursor.execute(_ROWS, (load_id,)).fetchall()


def clean(
    connection: psycopg.Connection,
    load_id: int,
    *,
    is_erased: Callable[[Collection[str]], Collection[str]],
    key: str,
    contracts: Mapping[str, Contract],
    contracts_folder: Path,
) -> list[tuple[int, int]]:
    """Clean a load's rows of those of their IDs that ``is_erased`` gives back; returns which rows held one.

    Runs in the caller's transaction.
    """
    rows = _of_load(connection, load_id)
    meant = _meant(connection, rows)
    erased = set(is_erased(set(meant.values())))
    touched = [
        row for row in rows if any(meant.get(piece) in erased for text in row.raw.values() for piece in _pieces(text))
    ]
    for row in touched:
        if _LINE in row.raw or _is_own(row, meant, erased, contracts, contracts_folder):
            blank(connection, [(row.load_id, row.row_no)])
        else:
            others = {heading: _without(text, meant, erased, key) for heading, text in row.raw.items()}
            connection.execute(
                "update ops.quarantine set raw = %s where load_id = %s and row_no = %s",
                (Jsonb(others), row.load_id, row.row_no),
            )
    return [(row.load_id, row.row_no) for row in touched]


def blank(connection: psycopg.Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Leave of refused rows where they stood and by which rule they were refused; open ones are given up."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            update ops.quarantine
            set
                raw = '{}',
                discard_reason = case when status = 'open' then 'erased' else discard_reason end,
                discarded_by = case when status = 'open' then current_user::text else discarded_by end,
                discarded_at = case when status = 'open' then now() else discarded_at end,
                status = case when status = 'open' then 'discarded' else status end
            where load_id = %s and row_no = %s
            """,
            list(rows),
        )


def ids_in(connection: psycopg.Connection, load_id: int) -> set[str]:
    """Every citizen ID that stands in a load's refused rows, in whichever form."""
    return set(_meant(connection, _of_load(connection, load_id)).values())


def _pieces(text: str | None) -> list[str]:
    """What of a text may be an ID: all of it where it is short, and each run of as many digits."""
    if not text:
        return []
    found = _WRITTEN.findall(text)
    return [*found, text] if len(text) <= _LONGEST_CELL and sum(map(str.isdigit, text)) >= 15 else found


def _meant(connection: psycopg.Connection, rows: Iterable[Refused]) -> dict[str, str]:
    """The citizen ID that each piece of some rows is in the form in which IDs are compared, where it is one."""
    pieces = {piece for row in rows for text in row.raw.values() for piece in _pieces(text)}
    found = connection.execute(
        """
        select written, citizen_id
        from unnest(%s::text[]) as written
        cross join lateral ops.citizen_id_as_written(written) as citizen_id
        where citizen_id ~ '^[0-9]{17}[0-9X]$'
        """,
        (sorted(pieces),),
    )
    return dict(found.fetchall())


def _is_own(
    row: Refused, meant: Mapping[str, str], erased: set[str], contracts: Mapping[str, Contract], contracts_folder: Path
) -> bool:
    """Whether the ID stands where the feed says whose a row is; of a feed without a contract any more, it does."""
    contract = contracts.get(row.feed)
    if contract is None:
        return True
    sent = SentHeadings(row.headings, contract=contract, contracts_folder=contracts_folder)
    own = {person["column"] for person in people(contract) if person["is_own"]}
    return any(
        sent.column(heading) in own and meant.get(piece) in erased
        for heading, text in row.raw.items()
        for piece in _pieces(text)
    )


def _without(text: str | None, meant: Mapping[str, str], erased: set[str], key: str) -> str | None:
    for piece in sorted(_pieces(text), key=len):
        if meant.get(piece) in erased:
            text = text.replace(piece, stand_in(id_hash(meant[piece], key)))
    return text
