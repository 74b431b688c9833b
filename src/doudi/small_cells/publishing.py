"""marts.public_summary: the exact counts of a build, without those that must be hidden."""

from datetime import date

import psycopg

from doudi.small_cells.suppressing import suppress
from doudi.small_cells.table import Cell, additive

_OTHERS = ("as_of", "division_level", "division_name", "measure_name", "category_name", "value", "is_suppressed")


def publish(session: psycopg.Connection, *, suffix: str, as_of: date) -> int:
    """Bring ``marts{suffix}.public_summary`` to the counts of this build, in one go; returns how many are hidden.

    What has been hidden before in the month of ``as_of`` stays hidden to its end, also at zero: else a count would be
    told on the day it reaches the threshold, and what it had been the day before were known to be little less.
    """
    with session.transaction():
        rows = session.execute(
            f"select measure, category, division_code, value from intermediate{suffix}.int_public_count"
        )
        counts = {Cell(*cell): value for *cell, value in rows}
        cells, table = additive(counts)
        before = _hidden_before(session, suffix, as_of=as_of)
        hidden = suppress(table, threshold=_threshold(session, suffix), kept_hidden=[cell in before for cell in cells])
        _write(session, suffix, [cell for cell, is_hidden in zip(cells, hidden, strict=True) if is_hidden], as_of=as_of)
    return int(hidden.sum())


def _threshold(session: psycopg.Connection, suffix: str) -> int:
    """The strictest of all areas, as a count may be hidden for the sake of one in another area."""
    query = f"select ceil(max(value))::integer from intermediate{suffix}.int_local_standard where name = %s"
    return session.execute(query, ("small_cell_threshold",)).fetchone()[0]


def _hidden_before(session: psycopg.Connection, suffix: str, *, as_of: date) -> set[Cell]:
    """By the table that is there, and of a build for an earlier date also by that of the present."""
    tables = {f"marts{suffix}.public_summary", "marts.public_summary"}
    there = [table for table in tables if session.execute("select to_regclass(%s)", (table,)).fetchone()[0]]
    query = """
        select measure, category, division_code
        from {}
        where is_suppressed and date_trunc('month', as_of) = date_trunc('month', %s::date)
    """
    return {Cell(*cell) for table in there for cell in session.execute(query.format(table), (as_of,))}


def _write(session: psycopg.Connection, suffix: str, hidden: list[Cell], *, as_of: date) -> None:
    """Rows that are right already stay as they are."""
    session.execute(
        "create temporary table hidden_count (measure text, category text, division_code text) on commit drop"
    )
    with session.cursor().copy("copy hidden_count from stdin") as copy:
        for cell in hidden:
            copy.write_row(cell)
    kept, wanted = (", ".join(f"{row}.{column}" for column in _OTHERS) for row in ("kept", "wanted"))
    session.execute(
        f"""
        merge into marts{suffix}.public_summary as kept
        using (
            select
                %(as_of)s::date as as_of,
                exact.division_code,
                exact.division_level,
                exact.division_name,
                exact.measure,
                exact.measure_name,
                exact.category,
                exact.category_name,
                case when hidden.measure is null then exact.value end as value,
                hidden.measure is not null as is_suppressed
            from intermediate{suffix}.int_public_count as exact
            left join hidden_count as hidden
                on exact.measure = hidden.measure
                and exact.category = hidden.category
                and exact.division_code = hidden.division_code
        ) as wanted
            on kept.division_code = wanted.division_code
            and kept.measure = wanted.measure
            and kept.category = wanted.category
        when matched
            and ({kept}) is distinct from ({wanted})
            then update set ({", ".join(_OTHERS)}) = row({wanted})
        when not matched
            then insert (division_code, measure, category, {", ".join(_OTHERS)})
            values (wanted.division_code, wanted.measure, wanted.category, {wanted})
        """,
        {"as_of": as_of},
    )
    session.execute(
        f"""
        delete from marts{suffix}.public_summary as kept
        where not exists (
            select from intermediate{suffix}.int_public_count as exact
            where
                exact.division_code = kept.division_code
                and exact.measure = kept.measure
                and exact.category = kept.category
        )
        """
    )
