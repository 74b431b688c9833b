"""The commands ``doudi health`` and ``doudi alerts``: the state of the warehouse as a page, and told."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from doudi import alerts as telling
from doudi.health import build_health
from doudi.settings import load_settings
from doudi.warehouse import schema
from doudi.warehouse.connection import warehouse_url


def health(out: Annotated[Path | None, typer.Option(help="The page's folder; DOUDI_HOME/health else.")] = None) -> None:
    """Write the page on loads, late feeds, refusals, builds and sizes, and print where it is."""
    settings = load_settings()
    url = warehouse_url(settings)
    schema.initialise(url, settings)
    print(build_health(url=url, settings=settings, out=out.resolve() if out else None))


def alerts() -> None:
    """Tell now what is new, by mail and webhook, as the DAG watch_night does. Ends with 1 where one was not taken."""
    settings = load_settings()
    schema.initialise(warehouse_url(settings), settings)
    counts = telling.tell(settings)
    print(f"{counts['alerts_sent']} messages sent, {counts['alerts_not_taken']} not taken")
    if counts["alerts_not_taken"]:
        print("doudi status lists what was not taken", file=sys.stderr)
        raise typer.Exit(1)
