"""What the warehouse knows of one warning."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row


class UnknownWarning(Exception):
    """There is no warning of that identifier."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A finding that was sent back; names and free text are left out."""

    visited_on: date
    finding: str
    refer_to: str | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A warning with its indicator's row of the catalogue, and the names that it is told in.

    ``warning`` holds the columns of marts.warning; ``files`` the file of each load of its facts by load_id;
    ``catalogue``, ``levels`` and ``departments`` rows of the seeds by code; ``divisions`` names by code.
    """

    warning: dict[str, Any]
    visits: list[Visit]
    earlier: list[str]
    files: dict[int, str]
    catalogue: dict[str, dict[str, Any]]
    levels: dict[str, dict[str, Any]]
    departments: dict[str, dict[str, Any]]
    divisions: dict[str, str]

    def place(self, code: str) -> str:
        """An area by its names from the province down; a code that is not known is told as it is."""
        parts = [code[:digits] for digits in (2, 4, 6, 9, 12) if digits <= len(code)]
        names = [self.divisions.get(part, part) for part in parts]
        return " ".join(names) if parts else code


def read(connection: psycopg.Connection, warning_id: str) -> Case:
    """Raises UnknownWarning where there is no warning of that identifier, or nothing has been built yet."""
    name = warning_id.strip().upper()
    with connection.cursor(row_factory=dict_row) as cursor:
        (built,) = cursor.execute("select to_regclass('marts.warning') is not null as yes").fetchall()
        warning = (
            built["yes"] and cursor.execute("select * from marts.warning where warning_id = %s", (name,)).fetchone()
        )
        if not warning:
            raise UnknownWarning(f"there is no warning {name}; the visit list and marts.warning have the identifiers")
        facts, compared = warning["evidence"]["facts"], warning["evidence"]["compared"]
        areas = {warning["division_code"]} | {item["limit"]["area"] for item in compared if item.get("limit")}
        return Case(
            warning=warning,
            visits=_visits(connection, name),
            earlier=_earlier(connection, warning),
            files=_files(connection, {fact["load_id"] for fact in facts}),
            catalogue=_seed(cursor, "indicator", key="code"),
            levels=_seed(cursor, "level", key="level"),
            departments=_seed(cursor, "department", key="department"),
            divisions=_divisions(connection, areas),
        )


def _visits(connection: psycopg.Connection, warning_id: str) -> list[Visit]:
    rows = connection.execute(
        """
        select distinct on (visited_on) visited_on, finding, refer_to
        from register.household_visit
        where %s = any(ops.warning_ids(warning_id)) and _valid_to = 'infinity'
        order by visited_on, cardinality(ops.warning_ids(warning_id)), _valid_from desc
        """,
        (warning_id,),
    )
    return [Visit(visited_on=day, finding=finding, refer_to=department) for day, finding, department in rows]


def _earlier(connection: psycopg.Connection, warning: dict[str, Any]) -> list[str]:
    rows = connection.execute(
        """
        select warning_id from marts.warning
        where indicator_code = %s and subject_id = %s and opened_on < %s
        order by opened_on
        """,
        (warning["indicator_code"], warning["subject_id"], warning["opened_on"]),
    )
    return [warning_id for (warning_id,) in rows]


def _files(connection: psycopg.Connection, load_ids: set[int]) -> dict[int, str]:
    query = "select load_id, file_name from ops.load where load_id = any(%s)"
    return dict(connection.execute(query, (list(load_ids),)).fetchall())


def _seed(cursor: psycopg.Cursor[dict[str, Any]], seed: str, *, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in cursor.execute(f"select * from reference.{seed}")}


def _divisions(connection: psycopg.Connection, codes: set[str]) -> dict[str, str]:
    """Names of areas and of those around them; of a code that was given twice, the name it has now."""
    around = {code[:digits] for code in codes for digits in (2, 4, 6, 9, 12)}
    query = "select code, name from reference.division where code = any(%s) order by valid_from nulls first"
    return dict(connection.execute(query, (list(around),)).fetchall())
