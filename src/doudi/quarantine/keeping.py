"""Refused rows, kept as they came with every reason, so that they can be sent back, corrected and replayed."""

import psycopg

from doudi.landing import LoadTables, landed_names
from doudi.text_form import TextForm


def keep_refused(connection: psycopg.Connection, *, form: TextForm, tables: LoadTables) -> int:
    """Keep what was refused of a load in ops.quarantine; returns the number of rows.

    Runs in the caller's transaction.
    """
    values = {"load": tables.load_id, "feed": tables.feed, "headings": _headings(form)}
    rows = connection.execute(_refused_rows(connection, form, tables), values).rowcount
    lines = connection.execute(
        f"""
        insert into ops.quarantine (load_id, feed, row_no, line_no, rule, reason, faults, raw)
        select %(load)s, %(feed)s, _row_no, _line_no, rule, reason,
            jsonb_build_array(jsonb_build_object('column', null, 'rule', rule, 'reason', reason)), raw
        from {tables.lines}
        """,
        values,
    ).rowcount
    return rows + lines


def _headings(form: TextForm) -> list[str]:
    """The headings as sent; a repeated one carries its position, so that no value hides another."""
    return [
        heading if form.header.count(heading) == 1 else f"{heading} [{position}]"
        for position, heading in enumerate(form.header, start=1)
    ]


def _refused_rows(connection: psycopg.Connection, form: TextForm, tables: LoadTables) -> str:
    as_sent = ", ".join(f"located.{name}" for name in landed_names(form))
    return f"""
        insert into ops.quarantine (load_id, feed, row_no, line_no, column_name, rule, reason, faults, raw)
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

        located as ({_located(connection, form, tables)})

        select
            %(load)s, %(feed)s, refused._row_no, located.line_no, refused.column_name, refused.rule, refused.reason,
            refused.faults, jsonb_object(%(headings)s::text[], array[{as_sent}])
        from refused
        inner join located using (_row_no)
    """


def _located(connection: psycopg.Connection, form: TextForm, tables: LoadTables) -> str:
    """Each landed row with the line of the file on which it begins.

    Row and line numbers run in step unless a quoted field holds line feeds; only then are they counted.
    """
    last_row, numbered = connection.execute(
        f"select coalesce(max(_row_no), 0), count(_line_no) > 0 from {tables.landed}"
    ).fetchone()
    if numbered:
        line_no = "_line_no"
    elif form.lines == form.header_lines + last_row:
        line_no = f"{form.header_lines} + _row_no"
    else:
        text = f"concat({', '.join(landed_names(form))})"
        feeds = f"length({text}) - length(replace({text}, E'\\n', ''))"
        line_no = f"{form.header_lines} + _row_no + sum({feeds}) over (order by _row_no) - ({feeds})"
    return f"select *, {line_no} as line_no from {tables.landed}"
