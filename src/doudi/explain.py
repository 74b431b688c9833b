"""A warning told in sentences: what was compared with what, where the limit comes from, which rows were read."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from doudi.contracts import Contract, load_contracts
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url

_COMPARISONS = {
    "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least", "=": "is", "<>": "is not",
    "in": "is one of", "within": "lies within",
}  # fmt: skip


class UnknownWarning(Exception):
    """There is no warning of that identifier."""


def explain(warning_id: str, *, settings: Settings) -> list[str]:
    """The lines that explain a warning. Raises UnknownWarning where there is none of that identifier.

    Names of people are left out: who may know them joins identity.person.
    """
    contracts = load_contracts(settings.contracts)
    with connect(warehouse_url(settings), step="explain") as connection:
        warning = _read(connection, warning_id)
        return [*_head(warning), *_compared(warning), *_facts(connection, warning, contracts)]


def _read(connection: psycopg.Connection, warning_id: str) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        warning = cursor.execute(
            """
            select warning.*, indicator.name_en, indicator.name_zh, indicator.clause
            from marts.warning as warning
            inner join reference.indicator as indicator on indicator.code = warning.indicator_code
            where warning.warning_id = %s
            """,
            (warning_id.strip(),),
        ).fetchone()
    if warning is None:
        raise UnknownWarning(f"there is no warning {warning_id}")
    return warning


def _head(warning: dict[str, Any]) -> Iterator[str]:
    yield f"{warning['warning_id']} · {warning['indicator_code']} {warning['name_en']} ({warning['name_zh']})"
    subject = "A household" if warning["scope"] == "H" else "A person"
    yield f"{subject} in {warning['division_code']}; level {warning['level']}, led by {warning['lead_department']}."
    state = f"{warning['status']} since it was opened on {warning['opened_on']}"
    ending = f", closed on {warning['closed_on']}" if warning["closed_on"] else f", due on {warning['due_on']}"
    yield f"It is {state}{ending}; last seen on {warning['last_seen_on']}."
    yield f"It rests on: {warning['clause']}"


def _compared(warning: dict[str, Any]) -> Iterator[str]:
    yield "Because:"
    for compared in warning["evidence"]["compared"]:
        name = compared["name"].replace("_", " ")
        limit = compared.get("limit")
        comparison = _COMPARISONS[compared["comparison"]]
        if limit is None:
            expected = compared["expected"]
            expected = ", ".join(map(str, expected)) if isinstance(expected, list) else expected
            yield f"  - {name} is {compared['value']}; the indicator asks that it {comparison} {expected}."
            continue
        yield f"  - {name} {compared['value']} {comparison} {limit['value']} {limit['unit']}{_distance(compared)}."
        area = "the whole country" if limit["area"] == "*" else limit["area"]
        yield f"    limit {limit['name']}, for {area} from {limit['valid_from']}: {limit['source']}"


def _distance(compared: dict[str, Any]) -> str:
    value, limit = compared["value"], compared["limit"]["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or compared["comparison"] == "within":
        return ""
    return f", by {abs(value - limit):,.2f}"


def _facts(connection: psycopg.Connection, warning: dict[str, Any], contracts: dict[str, Contract]) -> Iterator[str]:
    yield "Read from:"
    facts = warning["evidence"]["facts"]
    load_ids = sorted({fact["load_id"] for fact in facts})
    files = dict(
        connection.execute("select load_id, file_name from ops.load where load_id = any(%s)", (load_ids,)).fetchall()
    )
    for fact in facts:
        contract = contracts[fact["feed"]]
        header = contract.column(fact["column"]).header if contract.has(fact["column"]) else fact["column"]
        place = f"{files[fact['load_id']]}, data row {fact['row_no']} (load {fact['load_id']})"
        column = f"{contract.title} {header} ({fact['feed']}.{fact['column']})"
        yield f"  - {column} = {fact['value']}, {fact['date']}: {place}"
