"""Making a report: read in one snapshot as a reader, written whole, and recorded like every other file handed out."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, get_args

import psycopg
from psycopg import sql

from doudi.access import load_access
from doudi.extracts import disclosures
from doudi.reports.document import Document
from doudi.reports.errors import ReportError
from doudi.reports.figures import period_of
from doudi.reports.page import page
from doudi.reports.paper import pdf
from doudi.reports.periodic import periodic
from doudi.reports.public import Told, public, told
from doudi.reports.scope import Build, Scope, build_of, opened
from doudi.reports.situation import situation
from doudi.reports.word import word
from doudi.settings import Settings
from doudi.transform.builds import marts_kept_still
from doudi.warehouse.connection import connect, warehouse_url

Edition = Literal["public", "internal"]
FORMS: dict[str, Callable[[Document], bytes]] = {"html": page, "pdf": pdf, "docx": word}
_NOBODY = sql.SQL("select null::uuid where false")
_PURPOSE = {
    "public": "Tell the public how social assistance stands; small counts are hidden.",
    "internal": "Steer and report on the Action Plan, for those entitled to the area's exact figures.",
}
_LEGAL_BASIS = (
    "民政部 国务院扶贫办《社会救助兜底脱贫行动方案》(2020), reports at the end of June, September and December"
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report that was written, its number in ops.disclosure, and what it is made of."""

    path: Path
    disclosure_id: int
    document: Document


def make(
    *,
    settings: Settings,
    out: Path,
    area: str | None = None,
    as_of: date | None = None,
    period: str = "quarter",
    forms: tuple[str, ...] = ("html", "pdf", "docx"),
    edition: Edition = "public",
) -> list[Report]:
    """Write the reports of an area into ``out``: the situation as a page, the period as PDF and Word.

    ``edition``: ``public`` holds what is published of the area, ``internal`` its exact figures. Raises ReportError
    where there is no such build, area or period, or the account may not read it.
    """
    url = warehouse_url(settings)
    seeds = settings.dbt_project
    written: list[tuple[Path, Document]] = []
    with connect(url, autocommit=True, step="report", role="extractor") as session, marts_kept_still(session):
        build = build_of(session, as_of)
        with opened(url, settings=settings, build=build, area=area) as scope:
            documents: dict[bool, Document] = {}
            counts = told(scope) if edition == "public" else {}
            for form in forms:
                is_periodic = form != "html"
                if is_periodic not in documents:
                    documents[is_periodic] = _document(
                        scope, edition=edition, period=period if is_periodic else None, seeds=seeds, url=url
                    )
                written.append((_path(out, scope, edition, form, period), documents[is_periodic]))
    out.mkdir(parents=True, exist_ok=True)
    return [
        _hand_out(url, path, document, build=build, edition=edition, area=scope.area, counts=counts)
        for path, document in written
    ]


def make_all(
    *, settings: Settings, as_of: date, area: str | None = None, progress: Callable[[str], None] = lambda line: None
) -> list[Report]:
    """Both editions for the area, or for each area of access.yml down to the county, in ``reports/<day>`` of the home.

    An area of which the marts hold nothing is left out and told. Raises ReportError where no report could be written.
    """
    areas = [area] if area else [code for code in load_access(settings.access).areas if len(code) <= len("513431")]
    made: list[Report] = []
    for code in areas:
        try:
            for edition in get_args(Edition):
                made += make(
                    settings=settings, out=settings.reports / f"{as_of}", area=code, as_of=as_of, edition=edition
                )
        except ReportError as error:
            progress(f"{code}: {error}")
    if not made:
        raise ReportError(f"no report could be written of {', '.join(areas)} as of {as_of}")
    return made


def _document(scope: Scope, *, edition: Edition, period: str | None, seeds: Path, url: str) -> Document:
    if edition == "internal":
        return periodic(scope, period=period, seeds=seeds) if period else situation(scope, seeds=seeds)
    about = period_of(scope, period) if period else None
    return public(scope, period=period, before=_told_on(url, scope.area, about.before_last_on) if about else {})


def _told_on(url: str, area: str, day: date) -> Told:
    """What the last public report on a day told of an area; nothing where none was made."""
    with connect(url, step="report", role="extractor") as session:
        found = session.execute(
            """
            select declaration.content
            from ops.disclosure as disclosure
            inner join ops.declaration as declaration on declaration.sha256 = disclosure.declaration_sha256
            where
                disclosure.recipient = 'report_public'
                and disclosure.as_of = %s
                and strpos(disclosure.file_name, %s) > 0
            order by disclosure.disclosure_id desc
            limit 1
            """,
            (day, f"_{area}_"),
        ).fetchone()
    return json.loads(found[0]).get("counts", {}) if found else {}


def _path(out: Path, scope: Scope, edition: Edition, form: str, period: str) -> Path:
    area = "all" if scope.digits == 0 else scope.area
    called = "situation" if form == "html" else f"report_{period}"
    return out / f"{called}_{area}_{scope.build.as_of:%Y%m%d}_{edition}.{form}"


def _hand_out(
    url: str, path: Path, document: Document, *, build: Build, edition: Edition, area: str, counts: Told
) -> Report:
    """The file appears under its name when its disclosure is on record."""
    content = FORMS[path.suffix.removeprefix(".")](document)
    unfinished = path.with_name(f".{path.name}.part")
    with connect(url, step="report", role="extractor") as session:
        number = _record(session, path.name, content, document, build=build, edition=edition, area=area, counts=counts)
        unfinished.write_bytes(content)
        unfinished.chmod(0o644 if edition == "public" else 0o600)
    unfinished.replace(path)
    return Report(path=path, disclosure_id=number, document=document)


def _record(
    session: psycopg.Connection,
    name: str,
    content: bytes,
    document: Document,
    *,
    build: Build,
    edition: Edition,
    area: str,
    counts: Told,
) -> int:
    """One row of ops.disclosure: of aggregates, so of nobody in particular."""
    headings = {column.heading for table in document.tables for column in table.columns}
    declaration = {
        "report": document.title.zh,
        "edition": edition,
        "area": area,
        "tables": [table.caption.zh for table in document.tables],
    } | ({"counts": counts} if counts else {})
    treatment = "small counts hidden" if edition == "public" else "counts"
    number, _ = disclosures.record(
        session,
        disclosures.HandedOut(
            recipient=f"report_{edition}",
            purpose=_PURPOSE[edition],
            legal_basis=_LEGAL_BASIS,
            declaration=json.dumps(declaration, ensure_ascii=False, indent=2),
            columns=tuple(
                disclosures.DisclosedColumn(name=heading.en, heading=heading.zh, treatment=treatment)
                for heading in sorted(headings)
            ),
            build_id=build.build_id,
            as_of=build.as_of,
            file_name=name,
            file_sha256=hashlib.sha256(content).hexdigest(),
            rows=sum(len(table.rows) for table in document.tables),
        ),
        people=_NOBODY,
    )
    return number


def last_day(quarter: str) -> date:
    """The last day of a quarter written as 2020Q2. Raises ReportError for anything else."""
    year, _, number = quarter.partition("Q")
    if not (year.isdecimal() and len(year) == 4 and number in ("1", "2", "3", "4")):
        raise ReportError(f"{quarter} is no quarter: write it as 2020Q2")
    month = 3 * int(number)
    return date(int(year) + month // 12, month % 12 + 1, 1) - timedelta(days=1)
