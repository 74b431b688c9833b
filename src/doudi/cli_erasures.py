"""The command ``doudi erase``: a person's data out of the warehouse, and the record of it."""

import getpass
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from doudi import erasing
from doudi.erasures import Erasure, ErasureError, recorded
from doudi.erasures.leaving_out import NAMED_AGAIN
from doudi.settings import load_settings, parse_date
from doudi.summary import print_table
from doudi.warehouse import schema
from doudi.warehouse.connection import connect, warehouse_url


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def erase(
    citizen_id: Annotated[
        str | None,
        typer.Argument(metavar="[CITIZEN_ID]", help="- reads it from standard input: a shell keeps what it is given."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, such as the file number of the decision; it is kept.")] = "",
    by: Annotated[str, typer.Option(help="Who decided it; it is kept.")] = "",
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="Deliveries for this day and before leave the person out; today in Shanghai else."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, it is only told what would go.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Do what was done before an older backup was restored; restore does so too.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print the erasures on record.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: all of it, with the archived files.")] = False,
) -> None:
    """Remove a person's data from registers, quarantine, identity and marts; disclosures stay on record.

    Nothing is changed without --yes. Other people's rows in the marts come back with the next build.
    """
    settings = load_settings()
    url = warehouse_url(settings)
    schema.initialise(url, settings)
    if listed:
        with connect(url, step="erase", role="owner") as connection:
            _list(connection, as_json=as_json)
        return
    if again:
        print(f"{erasing.again(settings=settings, progress=_say)} erasures were done again")
        return
    if citizen_id is None:
        raise ErasureError("name whom to erase: - reads the ID from standard input")
    if as_of:
        settings = replace(settings, as_of=parse_date(as_of, name="--as-of"))
    outcome = erasing.erase(_read(citizen_id), settings=settings, reason=reason, by=by, really=yes, progress=_say)
    _tell(outcome)


def _read(given: str) -> str:
    if given != "-":
        return given
    return getpass.getpass("citizen ID: ") if sys.stdin.isatty() else sys.stdin.readline()


def _tell(outcome: erasing.Outcome) -> None:
    erasure = outcome.erasure
    title = f"Erased: {erasure.erasure_id}" if outcome.done else "What an erasure takes away"
    print_table(
        title, "place", "rows", rows=[(place, f"{rows:,}") for place, rows in erasure.counts.items()], numbers=1
    )
    for recipient in erasure.recipients:
        print(f"has been handed out data of the person, and is to be told: {recipient}")
    for copy in outcome.copies:
        print(f"still with us until {copy.until or 'it is removed'}: {copy.folder}")
    if erasure.archived_load_ids:
        print(
            f"archived deliveries with lines of the person, which stay as they came: {len(erasure.archived_load_ids)}"
        )
    if outcome.done:
        print("left to do: doudi build; and a copy of erasures.jsonl to where the keys are kept")
    else:
        print("nothing is changed yet: the same with --yes removes it")


def _list(connection: psycopg.Connection, *, as_json: bool) -> None:
    erasures = recorded(connection)
    if as_json:
        told = [asdict(each) | {"archived_files": _files(connection, each)} for each in erasures]
        print(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    print_table(
        "Erasures", "erasure", "up to", "decided by", "reason", "archived", "rows",
        rows=[
            (
                *(each.erasure_id, each.erased_on, each.erased_by, each.reason),
                *(f"{len(each.archived_load_ids):,}", f"{sum(each.counts.values()):,}"),
            )
            for each in erasures
        ],
        numbers=2,
    )  # fmt: skip
    for load_id, file_name, people in connection.execute(
        "select load_id, file_name, notes -> %(note)s from ops.load where notes ? %(note)s order by load_id",
        {"note": NAMED_AGAIN},
    ).fetchall():
        print(f"load {load_id}, {file_name}: names {people} who had been erased before its day")


def _files(connection: psycopg.Connection, erasure: Erasure) -> Iterable[str]:
    rows = connection.execute(
        "select archive_path from ops.load where load_id = any(%s) order by load_id", (list(erasure.archived_load_ids),)
    )
    return [path for (path,) in rows.fetchall() if Path(path).exists()]
