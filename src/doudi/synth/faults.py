"""How rows are made wrong: one fault for each rule that refuses a row.

The rules are ops.quarantine's: the contract's, the line's, and those of the suites that stop a row.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from doudi.contracts import Column, Contract
from doudi.synth.citizen_id import check_character
from doudi.synth.records import Beside, Fault, Record, Row

LINE_RULES = ("line.columns", "line.quote", "line.encoding", "line.nul")
DUPLICATE = "duplicate_key"
_ID_RULES = (
    "citizen_id.length",
    "citizen_id.characters",
    "citizen_id.birth_date",
    "citizen_id.check_character",
)
_MAY_BE_NEGATIVE = ("monthly_income_per_capita", "annual_income_per_capita")
# Feeds whose texts never hold a line feed: an open quote in them cannot be mistaken for a long text.
_ONE_LINE_FEEDS = ("poverty_register", "disability", "medical_assistance", "housing_assistance", "left_behind")
_SUITES = {
    "minimum_allowance": ("covered_members_within_household", "end_not_before_start"),
    "special_hardship": ("end_not_before_start",),
    "child_protection": ("end_not_before_start",),
    "disability": ("certificate_matches_holder",),
    "medical_assistance": ("settlement_adds_up",),
}

_WRONG_TEXTS = {
    "type.date": ("2020-02-30", "2020年13月1日", "不详"),
    "type.money": ("约一千二", "1200.5.0", "八百元"),
    "type.int": ("三", "2.5", "4口人"),
    "type.bool": ("不清楚", "待核实"),
    "type.div": ("5134311002", "51343110020A", "昭觉县"),
    "code": ("未知类别", "其它情况"),
}


def rules_of(contract: Contract) -> list[tuple[str, str]]:
    """Every (rule, column) that a row of this feed can break; the column is empty where the rule has none.

    Sorted so that the first few already break many different rules.
    """
    by_rule: dict[str, list[str]] = {}
    for column in contract.columns:
        for rule in _column_rules(column):
            by_rule.setdefault(rule, []).append(column.name)
    for rule in (*_suite_rules(contract), DUPLICATE, *LINE_RULES):
        if rule != "line.quote" or contract.name in _ONE_LINE_FEEDS:
            by_rule[rule] = [""]
    longest = max(len(columns) for columns in by_rule.values())
    return [(rule, cols[turn]) for turn in range(longest) for rule, cols in by_rule.items() if turn < len(cols)]


def _column_rules(column: Column) -> list[str]:
    rules = ["required"] if column.required else []
    if column.type == "id":
        rules += _ID_RULES
    elif column.type == "code":
        rules.append("code")
    elif column.type != "text":
        rules.append(f"type.{column.type}")
    if column.minimum is not None:
        rules.append("minimum")
    return rules


def _suite_rules(contract: Contract) -> list[str]:
    rules = list(_SUITES.get(contract.name, ()))
    if _amounts(contract):
        rules.append("amount_not_negative")
    return rules


def _amounts(contract: Contract) -> list[str]:
    return [
        column.name for column in contract.columns if column.type == "money" and column.name not in _MAY_BE_NEGATIVE
    ]


def make(rule: str, column: Column | None, row: Row, *, contract: Contract, turn: int) -> Fault | None:
    """A fault that breaks ``rule``, and nothing before it, in ``row``; None where this row cannot break it.

    ``turn`` chooses among several ways.
    """
    if rule.startswith("line."):
        return None if _has_line_feed(row) else _line_fault(rule, turn)
    if column is None:
        return Fault(rule, edits=_SUITE_EDITS[rule](row, contract))
    if rule == "required":
        return Fault(rule, column.name, text=("", "  ")[turn % 2])
    if rule == "minimum":
        return Fault(rule, column.name, text=str(column.minimum - 1))
    if rule in _ID_RULES:
        number = row[column.name]
        return number and Fault(rule, column.name, text=_wrong_id(rule, number, turn))
    texts = _WRONG_TEXTS[rule]
    return Fault(rule, column.name, text=texts[turn % len(texts)])


def _has_line_feed(row: Row) -> bool:
    """Where a broken line of several physical ones ends is anybody's guess."""
    return any(isinstance(value, str) and "\n" in value for value in row.values())


def _line_fault(rule: str, turn: int) -> Fault:
    ways = {"line.columns": ("extra", "short", "comma")}.get(rule, (rule.removeprefix("line."),))
    return Fault(rule, line=ways[turn % len(ways)])


def _wrong_id(rule: str, number: str, turn: int) -> str:
    if rule == "citizen_id.length":
        as_float = f"{number[0]}.{number[1:6]}E+17"  # what a spreadsheet leaves of 18 digits
        return (number[:-1], as_float, number + "0")[turn % 3]
    if rule == "citizen_id.characters":
        return number[:10] + "O" + number[11:]
    if rule == "citizen_id.birth_date":
        seventeen = number[:6] + ("19990230", "18991231", "20011301")[turn % 3] + number[14:17]
        return seventeen + check_character(seventeen)
    wrong = "0123456789X"[("0123456789X".index(number[17]) + 1 + turn % 10) % 11]
    return number[:17] + wrong


def _ends_before_start(row: Row, _: Contract) -> Row:
    start = row["start_date"] or date(2019, 1, 1)
    return {"start_date": start, "end_date": start - timedelta(days=1)}


def _other_certificate(row: Row, _: Contract) -> Row:
    return {"grade": "1" if row["grade"] != "1" else "2"}


def _negative_amount(row: Row, contract: Contract) -> Row:
    if contract.name == "medical_assistance":  # still adds up
        return {"self_paid": -row["self_paid"] - 1, "total_cost": row["total_cost"] - 2 * row["self_paid"] - 1}
    return {_amounts(contract)[-1]: -100_00}


_SUITE_EDITS: Mapping[str, Callable[[Row, Contract], Row]] = {
    "covered_members_within_household": lambda row, _: {"covered_members": row["household_size"] + 1},
    "end_not_before_start": _ends_before_start,
    "certificate_matches_holder": _other_certificate,
    "settlement_adds_up": lambda row, _: {"total_cost": row["total_cost"] + 1},
    "amount_not_negative": _negative_amount,
}


def duplicate(record: Record, index: int, *, contract: Contract, contradicts: bool) -> Beside:
    """A second row for the record's key in one delivery: the same again, or one that says something else."""
    row = record.states[index]
    edits = _contradiction(row, contract) if contradicts else None
    return Beside(index, row, Fault(DUPLICATE, edits=edits))


def _contradiction(row: Row, contract: Contract) -> Row:
    """Another value in a column that is no key; not an amount of a settlement, which would no longer add up."""
    values = {column.name: row[column.name] for column in contract.columns if not column.primary_key}
    for column in contract.columns:
        value = values.get(column.name)
        if column.type == "money" and value is not None and contract.name != "medical_assistance":
            return {column.name: value + 100_00}
        if column.type == "bool" and value is not None:
            return {column.name: not value}
    column = next(column for column in contract.columns if column.type == "code" and column.name in values)
    return {column.name: next(code for code in column.codes.values() if code != values[column.name])}
