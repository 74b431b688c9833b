"""Refused rows whose citizen ID cannot be used, as far as they can be read.

The text of a refused row stands under its sender's headings; which of them are which columns of the contract is known
by delivery. With that in a table, one statement reads the rows of all feeds.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.identity.columns import people, record_numbers
from doudi.quarantine.headings import SentHeadings

_LOADS_WITH_OPEN_ROWS = """
    select load.load_id, load.feed, load.headings
    from ops.load as load
    where
        load.status = 'published'
        and exists (select from ops.quarantine as kept where kept.load_id = load.load_id and kept.status = 'open')
"""

_LOADS_NAMED = "select load.load_id, load.feed, load.headings from ops.load as load where load.load_id = any(%s)"

# `written` is the ID as it was written, letters and digits only, an old one of 15 digits not upgraded; it is null where
# nothing of it can be trusted: it is missing, or a spreadsheet has made a number of it. `record` holds the numbers by
# which the feed calls the record.
_UNUSABLE = """
    create temporary table unusable on commit drop as
    with heading as (
        select * from jsonb_to_recordset(%(headings)s) as heading (load_id bigint, part text, heading text, name text)
    ),

    feed_column as (
        select * from jsonb_to_recordset(%(columns)s) as feed_column (
            feed text, column_name text, name_column text, numbers text[]
        )
    ),

    sent as (
        select
            kept.load_id, kept.row_no, kept.feed, kept.status, kept.faults,
            jsonb_object_agg(heading.name, ops.clean_text(kept.raw ->> heading.heading)) as sent
        from ops.quarantine as kept
        inner join heading on heading.load_id = kept.load_id and heading.part = coalesce(kept.part, '')
        where not kept.raw ? '_line' and kept.values_removed_at is null
        group by kept.load_id, kept.row_no
    ),

    faulty as (
        select
            sent.load_id, sent.row_no, sent.feed, sent.status, sent.sent, feed_column.column_name,
            feed_column.name_column, feed_column.numbers,
            bool_or(fault ->> 'rule' like 'cell.%%') as is_damaged
        from sent
        cross join jsonb_array_elements(sent.faults) as fault
        inner join feed_column on feed_column.feed = sent.feed and feed_column.column_name = fault ->> 'column'
        where fault ->> 'rule' like any(array['citizen_id.%%', 'cell.%%', 'required'])
        group by
            sent.load_id, sent.row_no, sent.feed, sent.status, sent.sent, feed_column.column_name,
            feed_column.name_column, feed_column.numbers
    )

    select
        faulty.load_id, faulty.row_no, faulty.feed, faulty.status, faulty.column_name, load.data_date, faulty.sent,
        left(case when starts_with(division, load.area_code) then division else load.area_code end, 6) as county_code,
        ops.person_name(faulty.sent ->> faulty.name_column) as name,
        case when not faulty.is_damaged then nullif(
            regexp_replace(upper(ops.half_width(faulty.sent ->> faulty.column_name)), '[^0-9A-Z]', '', 'g'), ''
        ) end as written,
        (select jsonb_object_agg(number, faulty.sent -> number) from unnest(faulty.numbers) as number) as record
    from faulty
    inner join ops.load as load using (load_id)
    cross join lateral ops.to_division(faulty.sent ->> 'division_code') as division
"""


def read_unusable(
    connection: psycopg.Connection,
    *,
    contracts: Mapping[str, Contract],
    contracts_folder: Path,
    load_ids: list[int] | None = None,
) -> None:
    """Make the temporary table ``unusable``: a row per refused row and column whose citizen ID cannot be used.

    Of the deliveries with open rows, or of ``load_ids``. Whether a row is open yet is in ``status``. The table lives
    as long as the caller's transaction.
    """
    connection.execute("drop table if exists unusable")
    found = connection.execute(*((_LOADS_NAMED, (load_ids,)) if load_ids is not None else (_LOADS_WITH_OPEN_ROWS,)))
    headings = [
        {"load_id": load_id, "part": part, "heading": heading, "name": name}
        for load_id, feed, parts in found
        if feed in contracts
        for sent in [SentHeadings(parts, contract=contracts[feed], contracts_folder=contracts_folder)]
        for part, written in parts.items()
        for heading in written
        if (name := sent.column(heading))
    ]
    columns = [
        {
            "feed": feed,
            "column_name": person["column"],
            "name_column": person["name_column"],
            "numbers": [column.name for column in record_numbers(contract)],
        }
        for feed, contract in contracts.items()
        for person in people(contract)
    ]
    connection.execute(_UNUSABLE, {"headings": Jsonb(headings), "columns": Jsonb(columns)})
    connection.execute("analyze unusable")
