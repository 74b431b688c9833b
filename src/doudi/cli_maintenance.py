"""The command ``doudi maintain``: what is past its time goes."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from doudi import maintenance
from doudi.orchestration.history import clear_history
from doudi.settings import TIME_ZONE, load_settings, parse_date
from doudi.summary import print_table
from doudi.warehouse import schema
from doudi.warehouse.connection import warehouse_url


def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    on: Annotated[str | None, typer.Option(help="With --dry-run: what would go on this day, YYYY-MM-DD.")] = None,
) -> None:
    """Remove what is past its time in retention.yml, and vacuum; registers, marts and disclosures stay whole."""
    settings = load_settings()
    url = warehouse_url(settings)
    schema.initialise(url, settings)
    now = on and datetime.combine(parse_date(on, name="--on"), datetime.min.time(), tzinfo=TIME_ZONE)
    outcomes = maintenance.maintain(url=url, settings=settings, dry_run=dry_run, now=now or None)
    outcomes += clear_history(settings, dry_run=dry_run, now=now or None)
    rows = [
        (each.rule, each.kept, each.what, f"{each.count:,}", "" if each.size is None else f"{each.size:,}")
        for each in outcomes
    ]
    title = f"{'What would go' if dry_run else 'What went'} by {settings.retention.name}{f' on {on}' if on else ''}"
    print_table(title, "rule", "kept", "what", "count", "bytes", rows=rows, numbers=2)
    for each in outcomes:
        for reason in each.left:
            print(f"left for the next time: {each.rule}: {reason}", file=sys.stderr)
