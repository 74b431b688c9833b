"""The command ``doudi disclosures``: where data went, and whether the record of it is whole."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from doudi.extracts import asking, verifying
from doudi.settings import load_settings, parse_date
from doudi.summary import print_table
from doudi.warehouse.connection import connect, warehouse_url


def disclosures(
    person: Annotated[
        str | None,
        typer.Option(help="A citizen ID or person_id; - reads it from standard input, so that no shell keeps it."),
    ] = None,
    recipient: Annotated[str | None, typer.Option(help="Only what this recipient got.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from this day on, YYYY-MM-DD.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the whole chain, and the manifests in the output folder against it.")
    ] = False,
    manifest: Annotated[
        list[Path] | None, typer.Option(help="With --verify: a manifest that a recipient has, or a folder of them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every file with all that is recorded of it.")] = False,
) -> None:
    """Tell who got which columns of whose data, when, for what and under which declaration.

    With --verify ends with 1 where the record is not as it was written.
    """
    settings = load_settings()
    url = warehouse_url(settings)
    if verify:
        given = [
            path for each in manifest or () for path in ([each] if each.is_file() else verifying.manifests_in(each))
        ]
        found = verifying.manifests_in(settings.out, settings.outgoing)
        with connect(url, step="disclosures", role="extractor") as connection:
            result = verifying.verify(connection, manifests=[*given, *found])
        if result.fault:
            print(f"doudi: {result.fault}", file=sys.stderr)
            raise typer.Exit(1)
        print(f"{result.disclosures} disclosures and {result.manifests} manifests: all as they were written")
        return
    with connect(url, step="disclosures", role="extractor") as connection:
        ids = None
        if person is not None:
            asked = sys.stdin.readline() if person == "-" else person
            ids = asking.person_ids(connection, asked, settings=settings)
        day = parse_date(since, name="--since") if since else None
        rows = asking.disclosures(connection, person_ids=ids, recipient=recipient, since=day)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2, default=str))
    elif person is None:
        columns = ("disclosure", "handed out", "recipient", "as of", "file", "rows", "people")
        print_table("Handed out", *columns, rows=map(_line, rows), numbers=2)
    else:
        for line in _account(rows):
            print(line)


def _line(row: asking.Disclosure) -> tuple[object, ...]:
    counts = (f"{row.rows:,}", f"{row.persons:,}")
    return (row.disclosure_id, f"{row.disclosed_at:%Y-%m-%d %H:%M}", row.recipient, row.as_of, row.file_name, *counts)


def _account(rows: Iterable[asking.Disclosure]) -> Iterator[str]:
    """For the person who asks: what went to whom, the files of one kind told together."""
    by_kind = sorted(rows, key=lambda row: (row.recipient, _columns(row), row.declaration_sha256, row.disclosure_id))
    if not by_kind:
        yield "nothing has been handed out about this person"
    for _, group in groupby(by_kind, key=lambda row: (row.recipient, _columns(row), row.declaration_sha256)):
        files = list(group)
        days = sorted({f"{file.disclosed_at:%Y-%m-%d}" for file in files})
        yield f"{files[0].recipient}: {len(files)} files, {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")
        yield f"  columns      {_columns(files[0])}"
        yield f"  purpose      {files[0].purpose}"
        yield f"  legal basis  {files[0].legal_basis}"
        yield f"  declaration  {files[0].declaration_sha256} (its text: ops.declaration)"
        yield f"  disclosures  {', '.join(str(file.disclosure_id) for file in files)}"


def _columns(row: asking.Disclosure) -> str:
    return ", ".join(f"{column['heading']} ({column['treatment']})" for column in row.columns)
