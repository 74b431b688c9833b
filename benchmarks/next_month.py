"""What the departments of a synthetic county send a month later: the same files with one row in a hundred changed.

Lines that stay are the same bytes, as from a system that exports the same list again.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from io import StringIO
from pathlib import Path

from doudi.contracts import Contract, accepted_headers, normalise_header
from doudi.deliveries import Delivery, parse_name

EVERY = 100
_HEAD_BYTES = 1 << 16
# The amount that is another in a changed row.
_CHANGED = {
    "poverty_register": "annual_income_per_capita",
    "minimum_allowance": "monthly_income_per_capita",
    "special_hardship": "monthly_amount",
    "education_assistance": "self_paid",
    "housing_assistance": "subsidy_amount",
}
# Lists without one: the row is left out, and its record ends.
_SHORTENED = ("child_protection", "disability", "left_behind")
# Events that were sent before come again under another number.
_NUMBERED = {"economic_check": "check_no", "medical_assistance": "settlement_no", "temporary_assistance": "grant_no"}


def write_next_month(
    folder: Path, out: Path, *, data_date: date, contracts: Mapping[str, Contract], contracts_folder: Path
) -> int:
    """Write the delivery after the latest of each feed and area in ``folder`` into ``out``. Returns the rows changed.

    Visits are left out: who is visited follows from the warnings.
    """
    changed = 0
    for delivery in _latest(folder, feeds=contracts):
        contract = contracts[delivery.feed]
        target = out / f"{delivery.feed}_{delivery.area_code}_{data_date:%Y%m%d}.csv"
        changed += _write_changed(delivery.path, target, contract=contract, contracts_folder=contracts_folder)
    return changed


def write_correction(folder: Path, out: Path, *, feed: str, contract: Contract, contracts_folder: Path) -> int:
    """Write the latest list of ``feed`` in ``folder`` again, for the same day, with other rows changed."""
    (delivery,) = _latest(folder, feeds=[feed])
    target = out / f"{delivery.path.stem}_1.csv"
    return _write_changed(
        delivery.path, target, contract=contract, contracts_folder=contracts_folder, offset=EVERY // 2
    )


def _latest(folder: Path, *, feeds: Mapping[str, Contract] | list[str]) -> list[Delivery]:
    found: dict[tuple[str, str], Delivery] = {}
    for path in sorted(folder.glob("*.csv")):
        delivery = parse_name(path, feeds=None)
        if delivery.feed in feeds and delivery.feed in {*_CHANGED, *_NUMBERED, *_SHORTENED}:
            found[delivery.feed, delivery.area_code] = delivery  # later days sort later
    return list(found.values())


def _write_changed(source: Path, target: Path, *, contract: Contract, contracts_folder: Path, offset: int = 0) -> int:
    encoding = encoding_of(source)
    with source.open(encoding=encoding, newline="") as lines, target.open("w", encoding=encoding, newline="") as out:
        header = next(lines)
        out.write(header)
        headings = [normalise_header(heading) for heading in next(csv.reader([header]))]
        changed = 0
        for number, record in enumerate(_records(lines)):
            if number % EVERY != offset:
                if contract.mode == "snapshot":
                    out.write(record)
                continue
            changed += 1
            out.writelines(_changed(record, contract, headings, contracts_folder))
    return changed


def _records(lines: Iterable[str]) -> Iterator[str]:
    """The lines put together where a quoted cell goes on in the next."""
    record = ""
    for line in lines:
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""


def _changed(record: str, contract: Contract, headings: list[str], contracts_folder: Path) -> Iterator[str]:
    name = _CHANGED.get(contract.name) or _NUMBERED.get(contract.name)
    if name is None:
        return
    accepted = accepted_headers(contract.column(name), folder=contracts_folder)
    place = next(place for place, heading in enumerate(headings) if heading in accepted)
    (cells,) = csv.reader(record.splitlines(keepends=True))
    if contract.name in _NUMBERED:
        cells[place] += "9"
    else:
        cells[place] = f"{3000 + len(record) * 7 % 900}.50"
    out = StringIO()
    csv.writer(out, lineterminator=record[len(record.rstrip("\r\n")) :]).writerow(cells)
    yield out.getvalue()


def encoding_of(path: Path) -> str:
    """Of a file that synth wrote: UTF-8 with or without a mark, else GB18030."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        (head[: head.rfind(b"\n")] if len(head) == _HEAD_BYTES else head).decode()
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
