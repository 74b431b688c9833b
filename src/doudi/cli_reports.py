"""The command ``doudi report``: what people look at, as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from doudi.reports import ReportError
from doudi.settings import load_settings, parse_date
from doudi.warehouse import schema
from doudi.warehouse.connection import warehouse_url


def report(
    out: Annotated[Path, typer.Option(help="The folder the files go into.")],
    area: Annotated[
        str | None, typer.Option(help="Code of a province, prefecture, county or township; all that is there else.")
    ] = None,
    period: Annotated[
        str, typer.Option(help="A quarter such as 2020Q2, or a period of marts.quarterly_report, for PDF and Word.")
    ] = "quarter",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The build of this day, YYYY-MM-DD; the last else.")
    ] = None,
    form: Annotated[Literal["html", "pdf", "docx", "all"], typer.Option()] = "all",
    internal: Annotated[
        bool, typer.Option("--internal", help="Exact figures, for those entitled; else what is published.")
    ] = False,
) -> None:
    """Write the situation page (html) and the periodic report (pdf, docx) of an area. Small counts are hidden."""
    from doudi.reports import making  # with charts and a typesetter, which other commands do not need

    settings = load_settings()
    schema.initialise(warehouse_url(settings), settings)
    day = parse_date(as_of, name="--as-of") if as_of else None
    if "Q" in period:
        if day and day != making.last_day(period):
            raise ReportError(f"--period={period} ends on {making.last_day(period)}: leave out --as-of")
        day, period = making.last_day(period), "quarter"
    made = making.make(
        settings=settings,
        out=out,
        area=area,
        as_of=day,
        period=period,
        forms=tuple(making.FORMS) if form == "all" else (form,),
        edition="internal" if internal else "public",
    )
    for each in made:
        print(each.path)
