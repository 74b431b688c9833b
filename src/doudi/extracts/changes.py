"""Changes since the last: of each row handed out its key and a hash are kept, of the rest of it nothing.

The key is that of the mart as the recipient knows it, so that a row that is gone can be told of. What was kept moves on
with each extract that is prepared; for one recipient they are delivered in their order, or the row state is forgotten
and all is told as new.
"""

from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from doudi.extracts.declaration import CHANGE_HEADING, Declaration
from doudi.extracts.marts import Mart
from doudi.extracts.query import Field, Query

CHANGE = "change"
NEW, CHANGED, GONE = "新增", "变更", "删除"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a recipient is told, and the tables of this transaction that it is read from: all rows, and what changed."""

    query: Query
    now: sql.Identifier
    changed: sql.Identifier


def changes_of(
    connection: psycopg.Connection, declaration: Declaration, query: Query, *, mart: Mart, number: int
) -> Changes:
    """What of ``query`` is new, changed or gone since the recipient's last extract.

    The rows lie in tables of this transaction; the query that is returned reads them. ``number`` tells them from those
    of others in the same transaction.
    """
    now, changed = sql.Identifier(f"extract_now_{number}"), sql.Identifier(f"extract_changes_{number}")
    _tabulate_now(connection, query, mart, table=now)
    _tabulate_changes(connection, declaration, query, mart, now=now, table=changed)
    change = Field(
        name=CHANGE, heading=CHANGE_HEADING, type="text", treatment="plain", value=sql.Identifier("mart", CHANGE)
    )
    fields = [replace(field, value=sql.Identifier("mart", field.name)) for field in query.fields]
    told = Query(
        fields=(change, *fields),
        source=sql.SQL("{} as mart").format(changed),
        condition=sql.SQL("true"),
        order_by=sql.SQL("mart._order nulls last, mart._key"),
        people=((sql.Identifier("mart", "_people"), True),) if query.people else (),
    )
    return Changes(query=told, now=now, changed=changed)


def remember(connection: psycopg.Connection, declaration: Declaration, changes: Changes) -> None:
    """Keep what the recipient has been told, after `changes_of` in the same transaction."""
    recipient = {"recipient": declaration.recipient}
    connection.execute(
        sql.SQL(
            """
            delete from ops.extract_row as kept
            where recipient = %(recipient)s and not exists (select from {now} as now where now._key = kept.key)
            """
        ).format(now=changes.now),
        recipient,
    )
    connection.execute(
        sql.SQL(
            """
            insert into ops.extract_row (recipient, key, row_hash)
            select %(recipient)s, now._key, now._hash
            from {now} as now
            inner join {changed} as change on now._key = change._key
            on conflict (recipient, key) do update set row_hash = excluded.row_hash
            """
        ).format(now=changes.now, changed=changes.changed),
        recipient,
    )


def forget(connection: psycopg.Connection, recipient: str) -> None:
    """Nobody knows what the recipient has any more: the next extract tells all as new."""
    connection.execute("delete from ops.extract_row where recipient = %s", (recipient,))


def _tabulate_now(connection: psycopg.Connection, query: Query, mart: Mart, *, table: sql.Identifier) -> None:
    """All rows as they would be handed out, with key, hash, place in the order and whom they are about."""
    values = {field.name: field.value for field in query.fields}
    statement = sql.SQL(
        """
        create temp table {table} on commit drop as
        select
            *,
            md5(row({names})::text)::uuid as _hash
        from (
            select
                {fields},
                array[{key}]::text[] as _key,
                {people} as _people,
                row_number() over (order by {order_by}) as _order
            from {source}
            where {condition}
        ) as line
        """
    ).format(
        table=table,
        names=sql.SQL(", ").join(sql.Identifier(field.name) for field in query.fields),
        fields=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(field.value, sql.Identifier(field.name)) for field in query.fields
        ),
        key=sql.SQL(", ").join(sql.SQL("({})::text").format(values[name]) for name in mart.key),
        people=query.everybody,
        order_by=query.order_by,
        source=query.source,
        condition=query.condition,
    )
    connection.execute(statement)
    connection.execute(sql.SQL("analyze {}").format(table))


def _tabulate_changes(
    connection: psycopg.Connection,
    declaration: Declaration,
    query: Query,
    mart: Mart,
    *,
    now: sql.Identifier,
    table: sql.Identifier,
) -> None:
    """Of what is gone only the key is known, and only the key is told."""
    names = [sql.Identifier(field.name) for field in query.fields]
    of_the_key = [
        sql.SQL("kept.key[{}]::{}").format(sql.Literal(mart.key.index(field.name) + 1), sql.SQL(field.type))
        if field.name in mart.key
        else sql.SQL("null")
        for field in query.fields
    ]
    statement = sql.SQL(
        """
        create temp table {table} on commit drop as
        select
            case when kept.key is null then {new} else {changed} end as change, {names}, _key, _people, _order
        from {now} as now
        left join ops.extract_row as kept on kept.recipient = {recipient} and kept.key = now._key
        where kept.row_hash is distinct from now._hash
        union all
        select {gone}, {of_the_key}, kept.key, null, null
        from ops.extract_row as kept
        where kept.recipient = {recipient} and not exists (select from {now} as now where now._key = kept.key)
        """
    ).format(
        table=table,
        now=now,
        new=sql.Literal(NEW),
        changed=sql.Literal(CHANGED),
        gone=sql.Literal(GONE),
        names=sql.SQL(", ").join(names),
        of_the_key=sql.SQL(", ").join(of_the_key),
        recipient=sql.Literal(declaration.recipient),
    )
    connection.execute(statement)
