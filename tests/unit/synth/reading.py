"""Deliveries read back in plain Python as feeds.md and standards.md say: what was written is what was meant.

It shares no code with the writer, and only the contracts with the warehouse.
"""

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from doudi.contracts import Column, Contract, accepted_headers, normalise_header

Refusal = tuple[int, str, str]  # line number, column, rule
TRUTHS = {"是": True, "有": True, "1": True, "Y": True, "true": True}
TRUTHS |= {"否": False, "无": False, "0": False, "N": False, "false": False}
MAY_BE_NEGATIVE = ("monthly_income_per_capita", "annual_income_per_capita")


@dataclass(frozen=True)
class Reading:
    """The rows that stand and those that do not, the latter with what could be read of them."""

    accepted: list[dict[str, Any]]
    refused: list[tuple[Refusal, dict[str, Any]]]


def encoding_of(content: bytes, contract: Contract, *, folder: Path) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def read(path: Path, contract: Contract, *, folder: Path) -> Reading:
    content = path.read_bytes()
    encoding = encoding_of(content, contract, folder=folder)
    records = _records(content.removeprefix(codecs.BOM_UTF8), encoding.removesuffix("-sig"))
    _, header, _ = next(records)
    accepted_as = {heading: c.name for c in contract.columns for heading in accepted_headers(c, folder=folder)}
    names = [accepted_as.get(normalise_header(heading)) for heading in header]
    accepted: list[dict[str, Any]] = []
    refused: list[tuple[Refusal, dict[str, Any]]] = []
    keys = set()
    for line_no, cells, broken in records:
        broken = broken or ("line.columns" if len(cells) != len(header) else None)
        row = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        if broken:
            refused.append(((line_no, "", broken), _typed(row, contract)[0]))
            continue
        typed, faults = _typed(row, contract)
        faults += _suite(typed, contract) if not faults else []
        key = tuple(typed[column.name] for column in contract.key)
        if not faults and key in keys:
            faults = [("", "duplicate_key")]
        if faults:
            refused.append(((line_no, *faults[0]), typed))
        else:
            keys.add(key)
            accepted.append(typed)
    return Reading(accepted, refused)


def _records(content: bytes, encoding: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Physical line, cells and, for a line that is no record, the rule it breaks. The header comes first."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    place, width = 0, 0
    while place < len(lines):
        count = 1
        if lines[place].count(b'"') % 2:
            count = _closed_after(lines[place:], encoding, width) or 1
        cells, broken = _cells(b"\n".join(lines[place : place + count]), encoding)
        width = width or len(cells)
        yield place + 1, cells, broken
        place += count


def _closed_after(lines: list[bytes], encoding: str, width: int) -> int | None:
    """After how many lines the quote that the first one opens is closed, if that makes a whole record."""
    for count in range(2, len(lines) + 1):
        if lines[count - 1].count(b'"') % 2:
            cells, broken = _cells(b"\n".join(lines[:count]), encoding)
            return None if broken or len(cells) != width else count
    return None


def _cells(raw: bytes, encoding: str) -> tuple[list[str], str | None]:
    if b"\0" in raw:
        return next(csv.reader([raw.decode(encoding).replace("\0", "")])), "line.nul"
    try:
        text = raw.decode(encoding).removesuffix("\r")
    except UnicodeDecodeError:
        return next(csv.reader([raw.decode(encoding, errors="replace")])), "line.encoding"
    if text.count('"') % 2:
        return text.split(","), "line.quote"
    try:
        return next(csv.reader([text], strict=True)), None
    except csv.Error:
        return [], "line.quote"


def _typed(row: dict[str, str], contract: Contract) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    typed: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    for column in contract.columns:
        text = row.get(column.name, "").strip(" \t\u3000")
        value, rule = _value(text, column) if text else (None, "required" if column.required else None)
        typed[column.name] = value
        if rule:
            faults.append((column.name, rule))
    return typed, faults


def _value(text: str, column: Column) -> tuple[Any, str | None]:
    match column.type:
        case "text":
            return re.sub(r"(?<=\w)[•・．](?=\w)", "·", text) if "name" in column.name else text, None
        case "id":
            return _citizen_id(text)
        case "code":
            return column.codes.get(text), None if text in column.codes else "code"
        case "bool":
            return TRUTHS.get(text), None if text in TRUTHS else "type.bool"
        case "div":
            return (text, None) if re.fullmatch(r"\d{12}", text) else (None, "type.div")
        case "int":
            if not re.fullmatch(r"-?\d+", text):
                return None, "type.int"
            low = column.minimum is not None and int(text) < column.minimum
            return int(text), "minimum" if low else None
        case "money":
            return _fen(text)
        case "date":
            return _day(text)
    raise AssertionError(column.type)


def _citizen_id(text: str) -> tuple[str | None, str | None]:
    number = re.sub(r"[\s\u3000]", "", unicodedata.normalize("NFKC", text)).lstrip("'").upper()
    if len(number) == 15 and number.isdigit():
        number = number[:6] + "19" + number[6:]
        number += check(number)
    if len(number) != 18:
        return None, "citizen_id.length"
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return None, "citizen_id.characters"
    born, fault = _day(number[6:14])
    if fault or born.year < 1900:
        return None, "citizen_id.birth_date"
    return (number, None) if check(number[:17]) == number[17] else (None, "citizen_id.check_character")


def check(seventeen: str) -> str:
    """GB 11643-1999 by its other definition: 2^(18-i) mod 11 as weights."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(seventeen))
    return "0123456789X"[(12 - total % 11) % 11]


def _fen(text: str) -> tuple[int | None, str | None]:
    number = text.removeprefix("￥").removesuffix("元")
    match = re.fullmatch(r"(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?", number)
    if not match:
        return None, "type.money"
    fen = int(match[2].replace(",", "")) * 100 + int((match[3] or "").ljust(2, "0"))
    return -fen if match[1] else fen, None


def _day(text: str) -> tuple[date | None, str | None]:
    match = re.fullmatch(r"(\d{4})(?:[-/年](\d{1,2})[-/月](\d{1,2})日?|(\d{2})(\d{2}))", text)
    try:
        year, *rest = (int(part) for part in match.groups() if part)
        return date(year, *rest), None
    except (AttributeError, ValueError):
        return None, "type.date"


def _suite(row: dict[str, Any], contract: Contract) -> list[tuple[str, str]]:
    rules = []
    if contract.name == "minimum_allowance" and row["covered_members"] > row["household_size"]:
        rules.append("covered_members_within_household")
    if row.get("end_date") and row.get("start_date") and row["end_date"] < row["start_date"]:
        rules.append("end_not_before_start")
    if contract.name == "disability":
        certificate = f"{row['citizen_id']}{row['category']}{row['grade']}"
        if not re.fullmatch(rf"{certificate}(B\d+)?", row["certificate_no"]):
            rules.append("certificate_matches_holder")
    if contract.name == "medical_assistance":
        parts = ("basic_paid", "serious_paid", "aid_paid", "self_paid")
        if row["total_cost"] != sum(row[part] or 0 for part in parts):
            rules.append("settlement_adds_up")
    amounts = [c.name for c in contract.columns if c.type == "money" and c.name not in MAY_BE_NEGATIVE]
    if any((row[name] or 0) < 0 for name in amounts):
        rules.append("amount_not_negative")
    return [("", rule) for rule in rules]
