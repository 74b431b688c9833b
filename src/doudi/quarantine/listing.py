"""What is in quarantine: counts by delivery and rule, and single rows with their origin and their fate.

A row that was replayed and refused again stands in the replay's own quarantine; it is told with the file and line in
which it came first, since that is where its sender looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import class_row

from doudi.quarantine.numbers import QuarantineError, RowNumber
from doudi.rules import RETURN_NUMBER

_BATCH_ROWS = 2000
_LINE = "_line"
_DAMAGED = {"cell.number", "cell.error"}
_BEYOND_RULES = _DAMAGED | {"duplicate_key"}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The delivery that rows were refused of; ``status`` and ``headings``, of each part, are those of the ledger."""

    load_id: int
    feed: str
    area_code: str
    data_date: date
    sequence: int
    file_name: str
    status: str
    headings: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Count:
    """Rows of one delivery that one rule refused first; ``oldest`` is the day since when they are kept."""

    load_id: int
    file_name: str
    rule: str
    columns: str
    status: str
    rows: int
    oldest: date


@dataclass(frozen=True, kw_only=True)
class KeptRow:
    """A refused row. ``file_name``, ``part`` and ``line_no`` are those under which it came first.

    ``own_part`` is that of the load it is kept for. ``faults`` are all of them, as ``column``, ``rule``, ``reason``;
    ``again_row_no`` is its number in the quarantine of ``replay_load_id`` where it was refused there too.
    """

    load_id: int
    row_no: int
    file_name: str
    part: str | None
    line_no: int
    own_part: str | None
    faults: list[dict[str, Any]]
    raw: dict[str, str | None]
    status: str
    replay_load_id: int | None
    replay_status: str | None
    again_row_no: int | None
    discard_reason: str | None
    text_removed_on: date | None

    @property
    def number(self) -> RowNumber:
        return RowNumber(self.load_id, self.row_no)

    @property
    def line(self) -> str | None:
        """The text of a line that is no record; None for a row that has columns."""
        return self.raw.get(_LINE)

    @property
    def cells(self) -> dict[str, str]:
        """The text under each of the sender's headings."""
        return {heading: text or "" for heading, text in self.raw.items() if heading not in (_LINE, RETURN_NUMBER)}

    @property
    def is_beyond_rules(self) -> bool:
        """Whether no other rule could accept the row: it is no record, lost digits, or repeats a key of its delivery.

        Judged by itself it would look sound.
        """
        rules = {fault["rule"] for fault in self.faults}
        return self.line is not None or not rules.isdisjoint(_BEYOND_RULES)

    @property
    def damaged_columns(self) -> set[str]:
        """The columns whose text is not what the sender's cell held."""
        return {fault["column"] for fault in self.faults if fault["rule"] in _DAMAGED}

    @property
    def fate(self) -> str:
        """What became of the row, in a few words."""
        return self._fate + (f" (text removed on {self.text_removed_on})" if self.text_removed_on else "")

    @property
    def _fate(self) -> str:
        if self.status == "discarded":
            return f"discarded: {self.discard_reason}"
        if self.again_row_no is not None:
            again = RowNumber(self.replay_load_id, self.again_row_no)
            return f"replayed in load {self.replay_load_id}: refused again as {again}"
        if self.status == "replayed":
            return f"replayed in load {self.replay_load_id}: {self.replay_status}"
        if self.replay_load_id is not None:
            return f"open; load {self.replay_load_id} that replays it: {self.replay_status}"
        return "open"


def find(connection: psycopg.Connection, load_id: int) -> Origin:
    """The delivery of that number. Raises QuarantineError where there is none."""
    found = _origins(connection, "load_id = %(load)s", {"load": load_id})
    if not found:
        raise QuarantineError(f"there is no load {load_id}")
    return found[0]


def with_open_rows(connection: psycopg.Connection, feed: str) -> list[Origin]:
    """The deliveries of a feed with open rows, the oldest data date first."""
    condition = """
        feed = %(feed)s and exists (
            select from ops.quarantine as kept where kept.load_id = ops.load.load_id and kept.status = 'open'
        )
    """
    return _origins(connection, condition, {"feed": feed})


def _origins(connection: psycopg.Connection, condition: str, values: dict[str, Any]) -> list[Origin]:
    with connection.cursor(row_factory=class_row(Origin)) as cursor:
        return cursor.execute(
            f"""
            select load_id, feed, area_code, data_date, sequence, file_name, status, headings
            from ops.load where {condition}
            order by data_date, sequence, load_id
            """,
            values,
        ).fetchall()


def counts(
    connection: psycopg.Connection, *, feed: str | None = None, load_id: int | None = None, status: str | None = "open"
) -> list[Count]:
    """How many rows each rule refused of each delivery; all that is kept where nothing narrows it."""
    with connection.cursor(row_factory=class_row(Count)) as cursor:
        return cursor.execute(
            """
            select
                kept.load_id, load.file_name, kept.rule, kept.status,
                coalesce(string_agg(distinct kept.column_name, ', '), '') as columns,
                count(*) as rows, min(kept.quarantined_at)::date as oldest
            from ops.quarantine as kept
            inner join ops.load as load using (load_id)
            where (%(feed)s::text is null or kept.feed = %(feed)s)
                and (%(load)s::bigint is null or kept.load_id = %(load)s)
                and (%(status)s::text is null or kept.status = %(status)s)
            group by kept.load_id, load.file_name, load.data_date, kept.rule, kept.status
            order by load.data_date, kept.load_id, count(*) desc, kept.rule
            """,
            {"feed": feed, "load": load_id, "status": status},
        ).fetchall()


_ROWS = f"""
    with recursive asked as (
        select * from ops.quarantine
        where load_id = %(load)s and (%(rows)s::bigint[] is null or row_no = any(%(rows)s))
            and (%(status)s::text is null or status = %(status)s)
    ),

    traced as (
        select
            row_no, load_id as first_load_id, part as first_part, line_no as first_line_no,
            raw ->> '{RETURN_NUMBER}' as came_as
        from asked
        union all
        select traced.row_no, earlier.load_id, earlier.part, earlier.line_no, earlier.raw ->> '{RETURN_NUMBER}'
        from traced
        inner join ops.load as load on load.load_id = traced.first_load_id
        inner join ops.quarantine as earlier
            on earlier.load_id = load.replays_load_id
            and earlier.row_no = substring(traced.came_as from '^T[0-9]+-([0-9]+)$')::bigint
    ),

    origin as (
        select distinct on (row_no) * from traced order by row_no, first_load_id
    )

    select
        asked.load_id, asked.row_no, first_load.file_name, origin.first_part as part, origin.first_line_no as line_no,
        asked.part as own_part, asked.faults, asked.raw, asked.status, asked.replay_load_id, asked.discard_reason,
        asked.values_removed_at::date as text_removed_on,
        replay.status as replay_status, again.row_no as again_row_no
    from asked
    inner join origin using (row_no)
    inner join ops.load as first_load on first_load.load_id = origin.first_load_id
    left join ops.load as replay on replay.load_id = asked.replay_load_id
    left join ops.quarantine as again
        on again.load_id = asked.replay_load_id
        and again.raw ->> '{RETURN_NUMBER}' = 'T' || asked.load_id || '-' || asked.row_no
    order by asked.row_no
"""


def rows(
    connection: psycopg.Connection, load_id: int, *, only: list[int] | None = None, status: str | None = None
) -> Iterator[KeptRow]:
    """The refused rows of a delivery in the order of the file, from a cursor on the server."""
    with connection.cursor(name="kept_rows", row_factory=class_row(KeptRow)) as cursor:
        cursor.itersize = _BATCH_ROWS
        cursor.execute(_ROWS, {"load": load_id, "rows": only, "status": status})
        yield from cursor
