"""How a column's text is read, and what may be wrong with it: SQL written from the contract, so a rule has one home.

The statements that use it call a column's text ``raw_<name>``, its value ``<name>``, and of an ID the fault that was
found ``<name>_fault``.
"""

import hashlib
import json

import psycopg

from doudi.contracts import Column, Contract
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


def reading(column: Column) -> str:
    """An expression that reads a column's text as its type; null where it cannot be read."""
    raw = f"raw_{column.name}"
    if column.type == "code":
        as_sent = " ".join(f"when {as_text(k)} then {as_text(v)}" for k, v in column.codes.items())
        folded = " ".join(f"when {as_text(k.lower())} then {as_text(v)}" for k, v in column.codes.items())
        cleaned = f"lower(ops.clean_text(ops.half_width({raw})))"
        return f"coalesce(case {raw} {as_sent} end, case {cleaned} {folded} end)"
    return _TYPED[column.type].format(raw=raw)


def column_faults(column: Column) -> list[tuple[str, dict[str, str]]]:
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


def rules_hash(connection: psycopg.Connection, contract: Contract) -> str:
    """A hash of all that decides how a row is read; with other rules no text is known, and each is read anew."""
    (functions,) = connection.execute(
        """
        select string_agg(pg_get_functiondef(oid), '' order by oid::regprocedure::text)
        from pg_proc where pronamespace = 'ops'::regnamespace and prokind = 'f'
        """
    ).fetchone()
    faults = [(condition, told["rule"]) for column in contract.columns for condition, told in column_faults(column)]
    read = [(column.name, column.type, reading(column)) for column in contract.columns]
    return hashlib.sha256(repr((functions, read, faults)).encode()).hexdigest()[:16]


def as_json(value: dict[str, str]) -> str:
    """A JSON object as a literal of SQL."""
    return as_text(json.dumps(value, ensure_ascii=False)) + "::jsonb"


def as_text(value: str) -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"
