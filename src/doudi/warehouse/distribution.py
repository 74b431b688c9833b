"""A warehouse on a cluster of Citus: registers and marts spread over the workers by county.

It becomes one by ``doudi init`` with DOUDI_CITUS=on, and tells from then on that it is one; without that, nothing here
does anything. See docs/scale.md.
"""

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from doudi.warehouse.connection import WarehouseError
from doudi.warehouse.roles import STEPS, create_roles

_LOCK = 7_202_007  # any number, as long as every process takes the same
# Settings of the sessions that build. A transaction fills a table, then indexes it, opens it and writes its comments:
# Citus lets it where all of that goes through one connection to each worker.
OF_BUILDS = {"citus.multi_shard_modify_mode": "sequential"}
_OF_ALL_SESSIONS = {"enable_presorted_aggregate": "off"}
_COPIED = ("identity.joined_id",)


class DistributionError(WarehouseError):
    """The cluster is not ready to be a warehouse; the message says what to run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sqlstate="")  # waiting does not help


def is_distributed(connection: psycopg.Connection) -> bool:
    """Whether this warehouse is one on a cluster."""
    (distributed,) = connection.execute("select to_regnamespace('cluster') is not null").fetchone()
    return distributed


def prepare(connection: psycopg.Connection) -> None:
    """See that there is a cluster, and make the steps' roles on all of its nodes; commits.

    Where a step has taken its role, the coordinator connects to the workers as that role, which therefore has to exist
    there and to be let in. It has no password: who is let in without one is up to pg_hba.conf of each node.

    Raises DistributionError where the database has no Citus or no workers.
    """
    (installed,) = connection.execute("select to_regproc('citus_version') is not null").fetchone()
    if not installed:
        raise DistributionError("DOUDI_CITUS=on, but this database has no Citus: create extension citus on every node")
    (workers,) = connection.execute("select count(*) from citus_get_active_worker_nodes()").fetchone()
    if not workers:
        raise DistributionError("the cluster has no workers yet: select citus_add_node(host, port) for each")
    connection.execute("select pg_advisory_lock(%s)", (_LOCK,))  # until the session ends: what follows commits
    create_roles(connection)
    connection.commit()  # here and below: a role sees on the workers only what others have committed
    _make_member_on_workers(connection)
    connection.execute("create schema if not exists cluster authorization doudi_owner")
    _set_for_all_sessions(connection)
    connection.commit()
    let_in(connection, [f"doudi_{step}" for step in STEPS])


def let_in(connection: psycopg.Connection, roles: Sequence[str]) -> None:
    """Let roles that a session takes work on the workers too, where the coordinator logs in as them; commits."""
    shut_out = connection.execute(
        """
        select rolname, datname
        from pg_roles as role
        inner join pg_database on datname = current_database()
        where
            rolname = any(%s)
            and not (rolcanlogin and exists (
                select from aclexplode(datacl) as acl where acl.grantee = role.oid and privilege_type = 'CONNECT'
            ))
        """,
        (list(roles),),
    ).fetchall()
    for role, database in shut_out:
        names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
        connection.execute(sql.SQL("alter role {role} login").format(**names))
        connection.execute(sql.SQL("grant connect on database {database} to {role}").format(**names))
        connection.commit()
    for role in roles:
        asked = sql.SQL("select rolcanlogin from pg_roles where rolname = {}").format(sql.Literal(role))
        _see_to_on_workers(connection, asked, sql.SQL("alter role {} login").format(sql.Identifier(role)))


def _make_member_on_workers(connection: psycopg.Connection) -> None:
    """Let the URL's account, which may be older than the cluster, take the owner's role there too."""
    (account,) = connection.execute("select session_user").fetchone()
    asked = sql.SQL("select pg_has_role({}, 'doudi_owner', 'set')").format(sql.Literal(account))
    grant = sql.SQL("grant doudi_owner to {} with inherit true, set true").format(sql.Identifier(account))
    _see_to_on_workers(connection, asked, grant)


def _see_to_on_workers(connection: psycopg.Connection, asked: sql.Composed, statement: sql.Composed) -> None:
    """Run the statement on the workers where ``asked`` is not true on each; commits where it did.

    Citus hands on only what is done to roles that were made through it from this database.
    """
    answers = connection.execute("select result from run_command_on_workers(%s)", (asked.as_string(),)).fetchall()
    if any(answer != ("t",) for answer in answers):
        done = connection.execute("select bool_and(success) from run_command_on_workers(%s)", (statement.as_string(),))
        if done.fetchone() != (True,):
            raise DistributionError(f"on each worker, as an administrator: {statement.as_string()}")
        connection.commit()


def _set_for_all_sessions(connection: psycopg.Connection) -> None:
    """Citus 14.0 takes an aggregate's own `order by` for kept by another's where PostgreSQL sorts once for several."""
    (database,) = connection.execute("select current_database()").fetchone()
    for name, value in _OF_ALL_SESSIONS.items():
        connection.execute(
            sql.SQL("alter database {} set {} = {}").format(sql.Identifier(database), sql.SQL(name), sql.Literal(value))
        )


def spread(connection: psycopg.Connection, *, registers: Iterable[str]) -> None:
    """Spread the registers over the workers and copy to all nodes what they are joined with; commits."""
    connection.execute("set role doudi_owner")
    for register in registers:
        connection.execute("select cluster.distribute(%s::regclass)", (f"register.{register}",))
        connection.commit()
    for table in _COPIED:
        connection.execute("select cluster.copy_to_nodes(%s::regclass)", (table,))
    connection.execute("reset role")
    connection.commit()


def at_hand(connection: psycopg.Connection, query: str, *, table: str, needed: str = "") -> str:
    """A query of the rows of ``query`` that can be joined with tables of the coordinator's own: itself.

    On a cluster its rows, or those that the condition ``needed`` leaves, are fetched into ``table``, which is unlogged,
    or temporary where its name has no schema: Citus joins the coordinator's rows with the workers' in few ways.
    """
    if not is_distributed(connection):
        return query
    connection.execute(f"drop table if exists {table}")
    kind = "unlogged" if "." in table else "temporary"
    connection.execute(f"create {kind} table {table} as {query} {needed}")
    connection.execute(f"analyze {table}")
    return f"select * from {table}"
