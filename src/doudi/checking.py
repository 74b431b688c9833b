"""What is refused of a delivery beside what its texts tell: damaged cells and repeated keys; and its sums.

A row without faults goes on to the suite; a row with faults is kept as it came and never ends the record it should
have confirmed.
"""

from collections.abc import Iterable

import psycopg

from doudi.column_rules import as_text
from doudi.contracts import Contract
from doudi.landing import Landed, LoadTables
from doudi.rules import reason
from doudi.typed_rows import RowTyping


def refuse_damaged_cells(connection: psycopg.Connection, *, typing: RowTyping) -> None:
    """Add the faults of cells that were damaged in the workbook, before their text was looked at; commits."""
    cells = typing.tables.cells
    for name, rule in connection.execute(f"select distinct column_name, rule from {cells}").fetchall():
        damaged = f"select _row_no from {cells} where column_name = %(name)s and rule = %(damage)s"
        typing.refuse(damaged, {"name": name, "damage": rule}, column=name, rule=rule, position=0)
    connection.commit()


def any_refused(connection: psycopg.Connection, *, landed: Landed, tables: LoadTables) -> bool:
    """Whether anything of the delivery has been refused so far."""
    (faults,) = connection.execute(f"select exists (select from {tables.faults})").fetchone()
    return faults or landed.lines_set_aside > 0


def sound_count(connection: psycopg.Connection, *, landed: Landed, tables: LoadTables) -> int:
    """How many rows of the delivery no rule has refused so far, those included that are known and were not typed."""
    (refused,) = connection.execute(f"select count(distinct _row_no) from {tables.faults}").fetchone()
    return landed.rows_read - landed.lines_set_aside - refused


def refuse_repeated_keys(connection: psycopg.Connection, *, contract: Contract, typing: RowTyping) -> None:
    """The first sound row of a key stands; every later one gets the fault ``duplicate_key``."""
    tables = typing.tables
    key = ", ".join(["_county_code", *(column.name for column in contract.key)])
    if typing.known and _repeats_a_known_row(connection, key=key, typing=typing):
        typing.complete()
    # Equal keys have equal hashes: only where two of those are equal, the keys are compared, which are long.
    (perhaps,) = connection.execute(
        f"""
        select count(*) > count(distinct hash_record_extended(row({key}), 0)) from {sound_rows(tables)} as sound
        """
    ).fetchone()
    if not perhaps:
        return
    connection.execute(
        f"""
        insert into {tables.faults}
        with repeated as (
            select {key} from {sound_rows(tables)} as sound group by {key} having count(*) > 1
        ),

        numbered as (
            select sound._row_no, row_number() over (partition by {key} order by sound._row_no) as occurrence
            from {sound_rows(tables)} as sound
            inner join repeated using ({key})
        )

        select _row_no, 0, null, 'duplicate_key', {as_text(reason("duplicate_key"))} from numbered where occurrence > 1
        """
    )


def _repeats_a_known_row(connection: psycopg.Connection, *, key: str, typing: RowTyping) -> bool:
    """Whether a sound row has the key of a standing record that a known row confirms."""
    gone, sound = (", ".join(f"{side}.{name}" for name in key.split(", ")) for side in ("gone", "sound"))
    (repeated,) = connection.execute(
        f"""
        select exists (
            select from (
                select {key} from {sound_rows(typing.tables)} as sound
                where not exists (
                    select from {typing.tables.gone} as gone where ({gone}) = ({sound})
                )
            ) as sound
            inner join ({typing.standing}) as standing using ({key})
        )
        """
    ).fetchone()
    return repeated


def sound_rows(tables: LoadTables) -> str:
    """A subquery of the typed rows that no rule has refused so far; known rows, which are sound, are not in it."""
    return (
        f"(select * from {tables.typed} as row where row._faults is null"
        f" and not exists (select from {tables.faults} as fault where fault._row_no = row._row_no))"
    )


def control_totals(
    connection: psycopg.Connection, *, contract: Contract, tables: LoadTables, columns: Iterable[str]
) -> dict[str, float]:
    """The sum of each of ``columns`` over all rows as sent; a column with a value that is no number has none."""
    summable = {column.name for column in contract.columns if column.type in ("money", "int")}
    unread = connection.execute(f"select distinct column_name from {tables.faults} where rule like 'type.%'").fetchall()
    known = [name for name in columns if name in summable and (name,) not in unread]
    if not known:
        return {}
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in known)
    totals = connection.execute(f"select {sums} from {tables.judged}").fetchone()
    return {name: float(total) for name, total in zip(known, totals, strict=True)}
