"""What a report is about: an area, the marts of a day, and the reader's role whose rows it may hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from doudi.access import load_access
from doudi.reports.document import Text
from doudi.reports.errors import ReportError
from doudi.settings import Settings
from doudi.warehouse.connection import connect

WHOLE = "*"
LEVELS = {2: "province", 4: "prefecture", 6: "county", 9: "township", 12: "village"}
_PARTS = {0: 2, 2: 4, 4: 6, 6: 9, 9: 12}  # digits of an area, and of the areas in it


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build whose marts stand, and the end of its schemas' names: empty for the present."""

    build_id: int
    as_of: date
    suffix: str

    @property
    def marts(self) -> str:
        return f"marts{self.suffix}"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """An open session in the reader's role, and what it is asked about. ``area``: 2 to 9 digits, or * for all."""

    session: psycopg.Connection
    build: Build
    area: str
    name: str

    @property
    def digits(self) -> int:
        """Of the area's code; 0 of the whole."""
        return 0 if self.area == WHOLE else len(self.area)

    @property
    def part_digits(self) -> int:
        """Of the codes of the areas in it."""
        return _PARTS[self.digits]

    def rows(self, query: str, **values: object) -> list[tuple]:
        """Rows of a query, in which {marts} is the schema and %(area)s, %(begins)s, %(digits)s, %(as_of)s are ours."""
        own = {
            "area": self.area,
            "begins": "" if self.area == WHOLE else self.area,
            "level": LEVELS[self.part_digits],
            "digits": self.part_digits,
            "as_of": self.build.as_of,
        }
        return self.session.execute(query.replace("{marts}", self.build.marts), {**own, **values}).fetchall()

    def part_names(self) -> dict[str, Text]:
        """The names of the areas in it by their codes; a code without a name is called by itself."""
        return {
            code: Text(name or code, code if name is None else name)
            for code, name in self.rows(
                """
                select division_code, max(division_name)
                from (
                    select division_code, division_name, division_level from {marts}.area_summary
                    union all
                    select division_code, division_name, division_level from {marts}.coverage_gap
                ) as division
                where division_level = %(level)s and division_code ^@ %(begins)s
                group by division_code
                order by division_code
                """
            )
        }


@contextmanager
def opened(url: str, *, settings: Settings, build: Build, area: str | None) -> Iterator[Scope]:
    """A session that reads one state of the marts as the narrowest reader that sees the area.

    Without an ``area`` it is the one that all counties of the marts lie in. Raises ReportError for an area of which
    there is nothing, and where the account may not take the role.
    """
    with connect(url, step="report") as session:
        session.execute("set transaction isolation level repeatable read, read only")
        _take_reader(session, settings, area)
        session.execute("select set_config('doudi.as_of', %s, true)", (build.as_of.isoformat(),))
        code = area or _all_of(session, build)
        yield Scope(session=session, build=build, area=code, name=_name(session, build, code))


def build_of(session: psycopg.Connection, as_of: date | None) -> Build:
    """The build at hand, or the latest that stands for a day. Raises ReportError where there is none."""
    rows = session.execute(
        """
        select build_id, as_of, schema_suffix from ops.build
        where status = 'succeeded' and to_regclass(format('marts%s.public_summary', schema_suffix)) is not null
        order by schema_suffix = '' desc, build_id desc
        """
    ).fetchall()
    present = next((row for row in rows if not row[2]), None)
    for build_id, day, suffix in rows:
        # of the builds of the present only the last one's marts are still there
        if (as_of in (None, day)) and (suffix or build_id == present[0]):
            return Build(build_id=build_id, as_of=day, suffix=suffix)
    raise ReportError(
        f"no marts{f' as of {as_of}' if as_of else ''}: run doudi build{f' --as-of {as_of}' if as_of else ''}"
    )


def _take_reader(session: psycopg.Connection, settings: Settings, area: str | None) -> None:
    declared = load_access(settings.access).areas
    covering = max((code for code in declared if area and area.startswith(code)), key=len, default=None)
    role = f"doudi_area_{covering}" if covering else "doudi_bi"
    try:
        session.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege):
        account = session.info.user
        raise ReportError(
            f"{account} may not read as {role}: run doudi init; on a server of your own, as an administrator, "
            f"grant {role} to {account} with inherit false, set true"
        ) from None


def _all_of(session: psycopg.Connection, build: Build) -> str:
    counties = [
        code
        for (code,) in session.execute(
            f"select distinct division_code from {build.marts}.public_summary where division_level = 'county'"
        )
    ]
    return next((counties[0][:n] for n in (6, 4, 2) if counties and len({c[:n] for c in counties}) == 1), WHOLE)


def _name(session: psycopg.Connection, build: Build, code: str) -> str:
    if code == WHOLE:
        return "全部地区"
    if not code.isdecimal() or len(code) not in (2, 4, 6, 9):
        raise ReportError(f"{code} is no area of a report: 2 digits of a province, 4, 6, or 9 of a township")
    names = session.execute(
        f"""
        select max(division_name), count(*)
        from (
            select division_name from {build.marts}.area_summary where division_code = %(code)s
            union all
            select division_name from {build.marts}.coverage_gap where division_code = %(code)s
            union all
            select division_name from {build.marts}.public_summary where division_code = %(code)s
        ) as named
        """,
        {"code": code},
    ).fetchone()
    if not names[1]:
        raise ReportError(f"the marts of {build.as_of} hold nothing of area {code}")
    return names[0] or code
