"""What each mart promises its readers: the contracts in dbt_project/models/marts/*.yml, and what stands in Postgres."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import psycopg

from doudi.closed import read_yaml
from doudi.extracts.errors import ExtractError

PersonalKind = Literal["name", "citizen_id", "birth_date", "phone", "card", "person_id", "household_id"]
_ALIAS = re.compile(r"\balias\s*=\s*['\"](\w+)['\"]")


@dataclass(frozen=True, kw_only=True)
class MartColumn:
    """A column by its contract: Postgres type, and what of a person it tells, None where nothing."""

    name: str
    data_type: str
    personal: PersonalKind | None


@dataclass(frozen=True, kw_only=True)
class Mart:
    """A table of the schema marts by its contract; ``key`` is empty where it names no primary key."""

    name: str
    columns: dict[str, MartColumn]
    key: tuple[str, ...]


def load_marts(dbt_project: Path) -> dict[str, Mart]:
    """The marts by their table's full name, such as ``marts.visit_list``.

    Raises ExtractError where a contract says of a column a kind of personal data that nobody knows.
    """
    marts = {}
    for path in sorted((dbt_project / "models" / "marts").glob("*.yml")):
        for model in (read_yaml(path) or {}).get("models", []):
            name = f"marts.{_alias(path.with_name(model['name'] + '.sql')) or model['name']}"
            columns = [_column(column, path) for column in model.get("columns", [])]
            marts[name] = Mart(name=name, columns={column.name: column for column in columns}, key=_key(model))
    return marts


def _alias(model: Path) -> str | None:
    """The table's name where the model's file says another one."""
    found = _ALIAS.search(model.read_text(encoding="utf-8")) if model.exists() else None
    return found and found[1]


def _column(column: dict[str, Any], path: Path) -> MartColumn:
    meta = column.get("config", {}).get("meta") or column.get("meta") or {}
    personal = meta.get("personal")
    if personal is not None and personal not in get_args(PersonalKind):
        raise ExtractError(f"{path.name}: {column['name']}: there is no kind {personal} of personal data")
    return MartColumn(name=column["name"], data_type=column.get("data_type", ""), personal=personal)


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    for constraint in model.get("constraints", []):
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    return tuple(
        column["name"]
        for column in model.get("columns", [])
        if any(constraint["type"] == "primary_key" for constraint in column.get("constraints", []))
    )


def standing_columns(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """The columns that a table has in the database, with their Postgres types; empty where there is no table."""
    rows = connection.execute(
        """
        select attname, format_type(atttypid, atttypmod)
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        order by attnum
        """,
        (table,),
    )
    return dict(rows.fetchall())
