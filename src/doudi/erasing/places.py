"""Where a text or an identifier may stand: every table of the warehouse, by the catalogue and not by a list of ours."""

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from doudi.transform import builds
from doudi.warehouse.roles import APART, OWNERS

# What has its own rules: the record of disclosures, whose people are known by person_id only, and what recipients of
# changes have, of which the next extract tells that it is gone.
_BY_OWN_RULES = ("ops.declaration", "ops.disclosure", "ops.disclosed_person", "ops.erasure", "ops.extract_row")
_TABLES = """
    select
        namespace.nspname, class.relname,
        array_agg(attribute.attname::text order by attribute.attnum),
        array_agg(format_type(attribute.atttypid, null) order by attribute.attnum)
    from pg_class as class
    inner join pg_namespace as namespace on class.relnamespace = namespace.oid
    inner join pg_attribute as attribute on attribute.attrelid = class.oid
    where
        class.relkind in ('r', 'p') and not class.relispartition
        and (namespace.nspname = any(%(ours)s) or namespace.nspname ~ %(apart)s)
        and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
        and format_type(attribute.atttypid, null) in (
            'text', 'character varying', 'text[]', 'json', 'jsonb', 'uuid', 'uuid[]'
        )
    group by namespace.nspname, class.relname
    order by namespace.nspname, class.relname
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with those of its columns, by type, that can hold what is looked for."""

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def suffix(self) -> str:
        """Of a table built apart from the present the end of its schema's name, such as ``_as_of_20200331``."""
        return next((self.schema.removeprefix(own) for own in builds.SCHEMAS if self.schema.startswith(f"{own}_")), "")

    @property
    def is_built(self) -> bool:
        """Whether the next build makes the rows anew that are still right."""
        return self.schema in builds.SCHEMAS or self.suffix != ""

    def holds(self, wanted: "Wanted") -> sql.Composable:
        """A condition on rows that hold one of the identifiers in any column; its values are `Wanted.values`."""
        return sql.SQL(" or ").join(_holds(sql.Identifier(name), kind, wanted) for name, kind in self.columns.items())

    def without(self, wanted: "Wanted") -> sql.Composable:
        """Assignments that put something else in the place of citizen IDs, wherever in a text they stand."""
        texts = {name: kind for name, kind in self.columns.items() if not kind.startswith("uuid")}
        return sql.SQL(", ").join(
            sql.SQL("{} = ({})::{}").format(sql.Identifier(name), _replaced(name, wanted), sql.SQL(kind))
            for name, kind in texts.items()
        )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for: written citizen IDs, each with what takes its place, and identifiers that were made of them.

    They reach the server as values only: a statement that fails stands in its log.
    """

    stand_ins: dict[str, str]
    person_ids: tuple[UUID, ...]

    @property
    def texts(self) -> list[str]:
        return [*self.stand_ins, *map(str, self.person_ids)]

    @property
    def values(self) -> dict[str, object]:
        numbered = {f"text_{place}": text for place, text in enumerate(self.texts)}
        others = {f"other_{place}": other for place, other in enumerate(self.stand_ins.values())}
        return numbered | others | {"people": list(self.person_ids)}


def _holds(name: sql.Identifier, kind: str, wanted: Wanted) -> sql.Composable:
    if kind == "uuid":
        return sql.SQL("{} = any(%(people)s::uuid[])").format(name)
    if kind == "uuid[]":
        return sql.SQL("{} && %(people)s::uuid[]").format(name)
    # An array element by element: a cluster deletes by nothing that depends on how a session has arrays written.
    held = "exists (select 1 from unnest({}) as each where strpos(each, {}) > 0)"
    return sql.SQL(" or ").join(
        sql.SQL(held if kind == "text[]" else "strpos({}::text, {}) > 0").format(name, sql.Placeholder(f"text_{place}"))
        for place in range(len(wanted.texts))
    )


def _replaced(name: str, wanted: Wanted) -> sql.Composable:
    text: sql.Composable = sql.SQL("{}::text").format(sql.Identifier(name))
    for place in range(len(wanted.stand_ins)):
        written, other = sql.Placeholder(f"text_{place}"), sql.Placeholder(f"other_{place}")
        text = sql.SQL("replace({}, {}, {})").format(text, written, other)
    return text


def tables(connection: psycopg.Connection) -> list[Table]:
    """All tables of the warehouse, those of past dates included, but for what has rules of its own."""
    apart = f"^({'|'.join(builds.SCHEMAS)}){APART}"
    found = connection.execute(_TABLES, {"ours": list(OWNERS), "apart": apart}).fetchall()
    all_of_them = [
        Table(schema=schema, name=name, columns=dict(zip(columns, kinds, strict=True)))
        for schema, name, columns, kinds in found
    ]
    return [table for table in all_of_them if table.full_name not in _BY_OWN_RULES]
