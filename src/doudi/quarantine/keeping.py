"""Refused rows, kept as they came with every reason, so that they can be sent back, corrected and replayed."""

import psycopg

from doudi import ledger
from doudi.forms import Part
from doudi.landing import Landed, LandedPart, LoadTables, landed_names


def keep_refused(connection: psycopg.Connection, *, landed: Landed, tables: LoadTables) -> int:
    """Keep what was refused of a load in ops.quarantine; returns the number of rows.

    Runs in the caller's transaction.
    """
    headings = {landed_part.part.name or "": _headings(landed_part.part) for landed_part in landed.parts}
    ledger.update(connection, tables.load_id, headings=headings)
    return sum(_keep_part(connection, part, tables) for part in landed.parts)


def _keep_part(connection: psycopg.Connection, landed: LandedPart, tables: LoadTables) -> int:
    values = {
        "load": tables.load_id,
        "feed": tables.feed,
        "part": landed.part.name,
        "position": landed.position,
        "headings": _headings(landed.part),
    }
    rows = connection.execute(_refused_rows(landed, tables), values).rowcount
    lines = connection.execute(
        f"""
        insert into ops.quarantine (load_id, feed, part, row_no, line_no, rule, reason, faults, raw)
        select %(load)s, %(feed)s, %(part)s, _row_no, _line_no, rule, reason,
            jsonb_build_array(jsonb_build_object('column', null, 'rule', rule, 'reason', reason)), raw
        from {tables.lines}
        where _part = %(position)s
        """,
        values,
    ).rowcount
    return rows + lines


def _headings(part: Part) -> list[str]:
    """The headings as sent; a repeated one carries its position, so that no value hides another."""
    return [
        heading if part.header.count(heading) == 1 else f"{heading} [{position}]"
        for position, heading in enumerate(part.header, start=1)
    ]


def _refused_rows(landed: LandedPart, tables: LoadTables) -> str:
    as_sent = ", ".join(f"located.{name}" for name in landed_names(landed.part))
    return f"""
        insert into ops.quarantine (load_id, feed, part, row_no, line_no, column_name, rule, reason, faults, raw)
        with refused as (
            select
                _row_no,
                (array_agg(column_name order by position))[1] as column_name,
                (array_agg(rule order by position))[1] as rule,
                (array_agg(reason order by position))[1] as reason,
                jsonb_agg(
                    jsonb_build_object('column', column_name, 'rule', rule, 'reason', reason) order by position
                ) as faults
            from {tables.faults}
            group by _row_no
        ),

        located as ({_located(landed, tables)})

        select
            %(load)s, %(feed)s, %(part)s, refused._row_no, located.line_no, refused.column_name, refused.rule,
            refused.reason, refused.faults, jsonb_object(%(headings)s::text[], array[{as_sent}])
        from refused
        inner join located using (_row_no)
    """


def _located(landed: LandedPart, tables: LoadTables) -> str:
    """Each row of a part with the line of the file, or the row of the sheet, on which it begins.

    Row and line numbers run in step unless a quoted field holds line feeds; only then are they counted.
    """
    part, text = landed.part, landed.part.text
    offset = part.header_lines - landed.rows_before
    if landed.numbered or text is None:
        line_no = "_line_no"
    elif text.lines == offset + landed.last_row:
        line_no = f"{offset} + _row_no"
    else:
        content = f"concat({', '.join(landed_names(part))})"
        feeds = f"length({content}) - length(replace({content}, E'\\n', ''))"
        line_no = f"{offset} + _row_no + sum({feeds}) over (order by _row_no) - ({feeds})"
    return f"select *, {line_no} as line_no from {tables.landed} where _part = {landed.position}"
