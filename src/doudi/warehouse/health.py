"""What the views on the ledger are made from, and the feeds they judge."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files

import psycopg
from psycopg import sql

from doudi.contracts import Contract


def create_health_views(connection: psycopg.Connection) -> None:
    """Make the views of health.sql, anew where its text has changed since; else nobody who reads them is waited for.

    What readers may do with them goes with the old ones, and comes back with ``declare``.
    """
    script = files("doudi.warehouse").joinpath("sql", "health.sql").read_text(encoding="utf-8")
    digest = hashlib.sha256(script.encode()).hexdigest()
    made_from = f"Which areas the account asking sees in the views of ops; made from {digest}"
    query = "select obj_description(to_regclass('access.own_scope'), 'pg_class')"
    if connection.execute(query).fetchone() == (made_from,):
        return
    connection.execute(script)
    connection.execute(sql.SQL("comment on view access.own_scope is {}").format(sql.Literal(made_from)))


def enter_feeds(connection: psycopg.Connection, contracts: Iterable[Contract]) -> None:
    """Bring ops.feed to what the contracts say; a feed that has no contract any more is expected no more."""
    rows = {
        contract.name: (contract.name, contract.title, contract.department, contract.mode, contract.cadence)
        for contract in contracts
    }
    with connection.cursor() as cursor:
        cursor.execute("delete from ops.feed where feed <> all(%s)", (list(rows),))
        cursor.executemany(
            """
            insert into ops.feed as kept (feed, title, department, mode, cadence) values (%s, %s, %s, %s, %s)
            on conflict (feed) do update
            set
                title = excluded.title,
                department = excluded.department,
                mode = excluded.mode,
                cadence = excluded.cadence
            where kept is distinct from excluded
            """,
            list(rows.values()),
        )
