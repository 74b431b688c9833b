"""The contract's part of checking: landed text typed in one scan, and what is wrong with each row.

The SQL is written from the contract, so that a rule has one home. A row without faults goes on to the suite; a row
with faults is kept as it came and never ends the record it should have confirmed.
"""

import json
from collections.abc import Collection, Iterable

import psycopg

from doudi.contracts import Column, Contract
from doudi.landing import LoadTables
from doudi.rules import reason

_TYPED = {
    "text": "ops.clean_text({raw})",
    "id": "ops.citizen_id({raw})",
    "div": "ops.to_division({raw})",
    "date": "ops.to_date({raw})",
    "money": "ops.to_money({raw})::numeric(14, 2)",
    "int": "ops.to_integer({raw})",
    "bool": "ops.to_boolean({raw})",
}
_CITIZEN_ID_FAULTS = ("length", "characters", "birth_date", "check_character")


def type_rows(
    connection: psycopg.Connection, *, contract: Contract, present: Collection[str], tables: LoadTables, area_code: str
) -> None:
    """Fill ``tables.typed`` (every landed row, typed, with its hash and ``_faults``) and ``tables.faults``; commit.

    ``present`` are the contract's columns that ``tables.landed`` has; the others are null in every row.

    A value that is there and cannot be read as its type is null in ``typed`` and named in ``_faults``.
    """
    connection.execute(_typing_query(contract, present=present, tables=tables, area_code=area_code))
    connection.execute(
        f"""
        create unlogged table {tables.faults} as
        select typed._row_no, fault.position::integer as position, fault.content ->> 'column' as column_name,
            fault.content ->> 'rule' as rule, fault.content ->> 'reason' as reason
        from {tables.typed} as typed
        cross join lateral jsonb_array_elements(typed._faults) with ordinality as fault (content, position)
        where typed._faults is not null
        """
    )
    connection.execute(f"analyze {tables.typed}")
    connection.commit()


def _typing_query(contract: Contract, *, present: Collection[str], tables: LoadTables, area_code: str) -> str:
    columns = contract.columns
    names = ", ".join(column.name for column in columns)
    raws = ", ".join(f"raw_{column.name}" for column in columns)
    landed = ", ".join(
        f"{column.name if column.name in present else 'null::text'} as raw_{column.name}" for column in columns
    )
    typed = ", ".join(_typed(column) for column in columns)
    ids = [column.name for column in columns if column.type == "id"]
    digits = "".join(f", ops.citizen_id_digits({name}) as {name}_digits" for name in ids)
    id_faults = "".join(f", ops.citizen_id_fault({name}, {name}_digits) as {name}_fault" for name in ids)
    faults = [fault for column in columns for fault in _faults(column)]
    any_fault = " or ".join(condition for condition, _ in faults)
    # No subquery here: one that looks at the row's own values would keep the scan from being shared among workers.
    all_faults = ", ".join(f"case when {condition} then {_json(told)} end" for condition, told in faults)
    area = _text(area_code)
    if contract.has("division_code"):
        area = f"case when starts_with(division_code, {area}) then division_code else {area} end"
    # `offset` keeps the planner from folding the levels into one, which would read each value several times. It is
    # quoted since a bare 0 becomes a constant only after the planner has asked whether workers may share the level.
    return f"""
        create unlogged table {tables.typed} as
        select _row_no, {names},
            {area} as _area_code,
            left({area}, 6) as _county_code,
            md5(row({names})::text)::uuid as _row_hash,
            case when {any_fault} then to_jsonb(array_remove(array[{all_faults}], null)) end as _faults
        from (
            select _row_no, {raws}, {names}{id_faults}
            from (
                select _row_no, {raws}, {names}{digits}
                from (
                    select _row_no, {raws}, {typed}
                    from (select _row_no, {landed} from {tables.landed}) as landed
                    offset '0'
                ) as typed
                offset '0'
            ) as numbered
            offset '0'
        ) as judged
    """


def _typed(column: Column) -> str:
    raw = f"raw_{column.name}"
    if column.type == "code":
        as_sent = " ".join(f"when {_text(k)} then {_text(v)}" for k, v in column.codes.items())
        folded = " ".join(f"when {_text(k.lower())} then {_text(v)}" for k, v in column.codes.items())
        cleaned = f"lower(ops.clean_text(ops.half_width({raw})))"
        return f"coalesce(case {raw} {as_sent} end, case {cleaned} {folded} end) as {column.name}"
    return f"{_TYPED[column.type].format(raw=raw)} as {column.name}"


def _faults(column: Column) -> list[tuple[str, dict[str, str]]]:
    """Condition and fault for each rule of a column, in the order in which they are told."""

    def fault(condition: str, rule: str) -> tuple[str, dict[str, str]]:
        said = reason(rule, header=column.header, column=column.name)
        return condition, {"column": column.name, "rule": rule, "reason": said}

    # Nearly every value is typed; only of the others it is asked whether there was anything to type.
    empty = f"({column.name} is null and ops.clean_text(raw_{column.name}) is null)"
    unread = f"({column.name} is null and ops.clean_text(raw_{column.name}) is not null)"
    found = []
    if column.required:
        found.append(fault(empty, "required"))
    if column.type == "id":
        found += [fault(f"({column.name}_fault = '{code}')", f"citizen_id.{code}") for code in _CITIZEN_ID_FAULTS]
    elif column.type != "text":
        rule = "code" if column.type == "code" else f"type.{column.type}"
        found.append(fault(unread, rule))
    if column.minimum is not None:
        found.append(fault(f"({column.name} < {column.minimum})", "minimum"))
    return found


def refuse_damaged_cells(connection: psycopg.Connection, *, contract: Contract, tables: LoadTables) -> None:
    """Add the faults of cells that were damaged in the workbook, before their text was looked at; commits."""
    rules = connection.execute(f"select distinct column_name, rule from {tables.cells}").fetchall()
    for name, rule in rules:
        said = reason(rule, header=contract.column(name).header, column=name)
        fault = json.dumps({"column": name, "rule": rule, "reason": said})
        damaged = f"select _row_no from {tables.cells} where column_name = %(name)s and rule = %(rule)s"
        values = {"name": name, "rule": rule, "reason": said, "fault": fault}
        connection.execute(
            f"insert into {tables.faults} select _row_no, 0, %(name)s, %(rule)s, %(reason)s from ({damaged}) as cell",
            values,
        )
        connection.execute(
            f"""
            update {tables.typed} set _faults = jsonb_build_array(%(fault)s::jsonb) || coalesce(_faults, '[]')
            where _row_no in ({damaged})
            """,
            values,
        )
    connection.commit()


def refuse_repeated_keys(connection: psycopg.Connection, *, contract: Contract, tables: LoadTables) -> None:
    """The first sound row of a key stands; every later one gets the fault ``duplicate_key``."""
    key = ", ".join(["_county_code", *(column.name for column in contract.key)])
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

        select _row_no, 0, null, 'duplicate_key', {_text(reason("duplicate_key"))} from numbered where occurrence > 1
        """
    )


def sound_rows(tables: LoadTables) -> str:
    """A subquery of the typed rows that no rule has refused so far."""
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
    totals = connection.execute(f"select {sums} from {tables.typed}").fetchone()
    return {name: float(total) for name, total in zip(known, totals, strict=True)}


def _json(value: dict[str, str]) -> str:
    return _text(json.dumps(value, ensure_ascii=False)) + "::jsonb"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
