"""What access.yml declares brought into the warehouse: its readers, its open marts, and the rights that follow."""

import psycopg

from doudi.access.declaration import Access, AccessError


def declare(connection: psycopg.Connection, access: Access) -> None:
    """Make the readers' grants and row policies those of ``access``; their roles are there. Runs as the URL's account.

    Where all is right already no table is touched. A role that is not declared any more loses its rights in this
    warehouse and stays, as it may be one of another warehouse on the server.
    """
    connection.execute("set local role doudi_owner")
    with connection.cursor() as cursor:
        kept = [reader.role for reader in access.readers]
        cursor.execute("delete from access.reader where role <> all(%s)", (kept,))
        cursor.executemany(
            """
            insert into access.reader as kept (role, kind, scope) values (%s, %s, %s)
            on conflict (role) do update set kind = excluded.kind, scope = excluded.scope
            where (kept.kind, kept.scope) is distinct from (excluded.kind, excluded.scope)
            """,
            [(reader.role, reader.kind, reader.scope) for reader in access.readers],
        )
        cursor.execute("delete from access.relation where relation <> all(%s)", (list(access.relations),))
        cursor.executemany(
            """
            insert into access.relation as kept (relation, kinds, area_column, department_column)
            values (%s, %s, %s, %s)
            on conflict (relation) do update
            set
                kinds = excluded.kinds,
                area_column = excluded.area_column,
                department_column = excluded.department_column
            where
                (kept.kinds, kept.area_column, kept.department_column)
                is distinct from (excluded.kinds, excluded.area_column, excluded.department_column)
            """,
            [(name, list(opened.readers), opened.area, opened.department) for name, opened in access.relations.items()],
        )
    _entitle_all(connection)
    connection.execute("set local role none")


def _entitle_all(connection: psycopg.Connection) -> None:
    """Every mart and identity table that dbt has made, those of past dates too, and the views on the ledger."""
    relations = connection.execute(
        """
        select class.oid::regclass::text
        from pg_class as class
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where
            namespace.nspname ~ '^(marts|identity)(_as_of_[0-9]{8})?$'
            and class.relkind in ('r', 'p')
            and (namespace.nspname, class.relname) not in (('identity', 'review'), ('identity', 'joined_id'))
            or namespace.nspname = 'ops' and class.relkind = 'v'
        order by 1
        """
    ).fetchall()
    for (relation,) in relations:
        try:
            connection.execute("select access.entitle(%s)", (relation,))
        except psycopg.errors.UndefinedColumn:
            raise AccessError(f"access.yml: {relation} lacks the column that tells whose its rows are") from None
