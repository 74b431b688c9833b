"""What is to be different: parameters set one by one, or whole files in the place of a seed."""

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import psycopg

from doudi.settings import Settings
from doudi.transform.runner import indicators

NATIONAL = "*"


class SimulationError(Exception):
    """What is asked for cannot be simulated; the message says what there is instead."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Other parameters than those of the seeds.

    ``values`` gives a parameter's value by its name, in ``area`` (the start of division codes, or ``*``);
    ``parameters`` and ``indicators`` are files in the form of the seeds local_standard and indicator, and take their
    place as a whole. The values are set after the files are read.
    """

    values: dict[str, Decimal]
    area: str = NATIONAL
    parameters: Path | None = None
    indicators: Path | None = None

    @classmethod
    def read(
        cls, settings: list[str], *, area: str | None = None, parameters: Path | None, indicators: Path | None
    ) -> "Changes":
        """From ``name=value`` as a user writes it. Raises SimulationError where that says nothing to change."""
        if not (settings or parameters or indicators):
            raise SimulationError("nothing to change: name a parameter with --set, or a file")
        if area and not settings:
            raise SimulationError("--area says where --set holds: name a parameter with --set")
        return cls(
            values=dict(_setting(text) for text in settings),
            area=area or NATIONAL,
            parameters=parameters,
            indicators=indicators,
        )


def _setting(text: str) -> tuple[str, Decimal]:
    name, _, value = (part.strip() for part in text.partition("="))
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise SimulationError(f"--set {text}: write a parameter and a number, as in low_margin_multiple=2")
    return name, number


def lay_out(session: psycopg.Connection, changes: Changes, *, suffix: str, settings: Settings) -> None:
    """Copy the seeds into ``reference<suffix>`` and change the copy. Raises SimulationError for what is not there."""
    schema = f"reference{suffix}"
    session.execute(f"create schema {schema}")
    for seed in sorted(path.stem for path in (settings.dbt_project / "seeds").glob("*.csv")):
        session.execute(f"create table {schema}.{seed} (like reference.{seed})")
        session.execute(f"insert into {schema}.{seed} select * from reference.{seed}")
    if changes.parameters:
        _replace(session, f"{schema}.local_standard", changes.parameters)
        _refuse_missing_parameters(session, schema, changes.parameters)
    if changes.indicators:
        _replace(session, f"{schema}.indicator", changes.indicators)
        _refuse_unknown_indicators(session, schema, changes.indicators, settings)
    for name, value in changes.values.items():
        _set(session, schema, name=name, value=value, area=changes.area)


def _replace(session: psycopg.Connection, table: str, path: Path) -> None:
    """Fill a table from a CSV file with its columns. Names the file and the first thing that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SimulationError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    columns = [column.name for column in session.execute(f"select * from {table} limit 0").description or ()]
    header = next(csv.reader(text.splitlines()), [])
    if sorted(header) != sorted(columns):
        raise SimulationError(f"{path.name}: its columns must be {', '.join(columns)}")
    session.execute(f"truncate {table}")
    try:
        with session.cursor().copy(f"copy {table} ({', '.join(header)}) from stdin (format csv, header)") as copy:
            copy.write(text)
    except psycopg.DataError as error:
        place = (error.diag.context or "").split(":")[0].removeprefix("COPY ")
        raise SimulationError(f"{path.name}: {error.diag.message_primary} ({place})") from None


def _refuse_missing_parameters(session: psycopg.Connection, schema: str, path: Path) -> None:
    """Without its parameter an indicator would fall silent, which is not what a user asks for by leaving it out."""
    missing = _column(
        session, f"select name from reference.local_standard except select name from {schema}.local_standard"
    )
    if missing:
        raise SimulationError(f"{path.name} lacks the parameters {', '.join(missing)}")


def _refuse_unknown_indicators(session: psycopg.Connection, schema: str, path: Path, settings: Settings) -> None:
    computed = {name.split("_")[1].upper() for name in indicators(settings)}
    unknown = set(_column(session, f"select code from {schema}.indicator")) - computed
    if unknown:
        raise SimulationError(
            f"{path.name}: no model computes {', '.join(sorted(unknown))}; there are {', '.join(sorted(computed))}"
        )


def _set(session: psycopg.Connection, schema: str, *, name: str, value: Decimal, area: str) -> None:
    """Give a parameter its value for every period, so that it holds whichever of them counts on the date.

    An area without a row of its own gets the national ones first.
    """
    known = _column(session, f"select distinct name from {schema}.local_standard")
    if name not in known:
        raise SimulationError(f"there is no parameter {name}; there are {', '.join(known)}")
    own = f"from {schema}.local_standard where name = %(name)s and area = %(area)s"
    values = {"name": name, "value": value, "area": area, "national": NATIONAL}
    session.execute(
        f"""
        insert into {schema}.local_standard (area, valid_from, valid_to, name, value, unit, source)
        select %(area)s, valid_from, valid_to, name, value, unit, source
        from {schema}.local_standard
        where name = %(name)s and area = %(national)s and not exists (select {own})
        """,
        values,
    )
    session.execute(
        f"""
        update {schema}.local_standard
        set value = %(value)s, source = 'simulated'
        where name = %(name)s and area = %(area)s
        """,
        values,
    )


def refuse_uninhabited(session: psycopg.Connection, area: str, *, schema: str) -> None:
    """Raises SimulationError for an area in which nobody of the data lives, naming the counties in which they do."""
    if area == NATIONAL:
        return
    ((lived_in,),) = session.execute(
        f"select exists (select 1 from {schema}.int_household where starts_with(division_code, %s))", (area,)
    ).fetchall()
    if not lived_in:
        counties = _column(session, f"select distinct county_code from {schema}.int_household")
        raise SimulationError(f"nobody lives in the area {area}; there are people in {', '.join(counties)}")


def _column(session: psycopg.Connection, query: str) -> list[str]:
    return sorted(value for (value,) in session.execute(query))
