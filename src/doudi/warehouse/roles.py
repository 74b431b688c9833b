"""The roles that the warehouse's own steps take, and what belongs to each.

They are group roles without login, and common to all warehouses of a server; what they may do is granted per database.
The account of the warehouse's URL takes one with ``set role`` (see ``connect``), and needs no more than CREATEROLE and
to own the database.
"""

import psycopg
from psycopg import sql

STEPS = ("owner", "loader", "transformer", "extractor")
OWNERS = {
    "ops": "doudi_owner",
    "access": "doudi_owner",
    "landing": "doudi_loader",
    "register": "doudi_loader",
    "other_text": "doudi_loader",
    "reference": "doudi_transformer",
    "staging": "doudi_transformer",
    "intermediate": "doudi_transformer",
    "identity": "doudi_transformer",
    "marts": "doudi_transformer",
}
APART = "_(as_of_[0-9]{8}|unit_test|backtest|simulated|unchanged)$"  # ends of schemas' names, of what is built apart


class RoleError(Exception):
    """The account of the warehouse's URL lacks a right; the message names it, and the statement that gives it."""


def create_roles(connection: psycopg.Connection) -> None:
    """Create the steps' roles that are missing, and let the URL's account take them.

    The owner is a member of the others, for it looks after all schemas. The account of the URL inherits the owner, so
    that whoever connects with it reads everything as before; the steps give that up by taking their role.

    Raises RoleError where the account may not create roles, or may not take those that are there.
    """
    for step in STEPS:
        create_role(connection, f"doudi_{step}")
    for step in STEPS[1:]:
        _make_member(connection, member="doudi_owner", role=f"doudi_{step}")
    (account, superuser) = connection.execute(
        "select session_user, rolsuper from pg_roles where rolname = session_user"
    ).fetchone()
    if not superuser:
        _make_member(connection, member=account, role="doudi_owner")


def create_role(connection: psycopg.Connection, role: str) -> None:
    """Create a group role unless there is one. Raises RoleError where the account may not."""
    if connection.execute("select from pg_roles where rolname = %s", (role,)).fetchone() is not None:
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # another warehouse of this server made it at the same moment
    except psycopg.errors.InsufficientPrivilege:
        account = connection.execute("select session_user").fetchone()[0]
        raise RoleError(
            f"{account} may not create the role {role}: as an administrator, alter role {account} createrole"
        ) from None


def let_take(connection: psycopg.Connection, role: str) -> None:
    """Let the account of the URL take a reader's role, as reports do, and inherit nothing by it.

    Where another account made the role that is left to an administrator; the report then says which statement.
    """
    (wanting,) = connection.execute(
        """
        select
            not pg_has_role(session_user, %(role)s, 'set')
            and pg_has_role(session_user, %(role)s, 'member with admin option')
        """,
        {"role": role},
    ).fetchone()
    if wanting:
        (account,) = connection.execute("select session_user").fetchone()
        grant = sql.SQL("grant {} to {} with inherit false, set true")
        connection.execute(grant.format(sql.Identifier(role), sql.Identifier(account)))


def _make_member(connection: psycopg.Connection, *, member: str, role: str) -> None:
    (there,) = connection.execute(
        "select pg_has_role(%(member)s, %(role)s, 'usage') and pg_has_role(%(member)s, %(role)s, 'set')",
        {"member": member, "role": role},
    ).fetchone()
    if there:
        return
    grant = sql.SQL("grant {} to {} with inherit true, set true").format(sql.Identifier(role), sql.Identifier(member))
    try:
        with connection.transaction():
            connection.execute(grant)
    except psycopg.errors.InsufficientPrivilege:
        raise RoleError(
            f"the role {role} was made by another account: as an administrator, {grant.as_string(connection)}"
        ) from None


def close_database(connection: psycopg.Connection, database: str | None = None) -> None:
    """Take from PUBLIC what it may do in a database by default, and let the steps work there; idempotent.

    Who reads is let in by name (``doudi access grant``), so that a reader of one warehouse is none of another on the
    same server. ``database`` is the one of the connection where None. A copy of a database starts open, as PostgreSQL
    copies none of this. Raises RoleError where the account does not own the database.
    """
    name = database or connection.execute("select current_database()").fetchone()[0]
    (closed,) = connection.execute(
        """
        select
            has_database_privilege('doudi_transformer', %(name)s, 'create')
            and has_database_privilege('doudi_loader', %(name)s, 'temporary')
            and has_database_privilege('doudi_extractor', %(name)s, 'temporary')
            and not exists (
                select from aclexplode(coalesce(datacl, acldefault('d', datdba))) where grantee = 0
            )
        from pg_database
        where datname = %(name)s
        """,
        {"name": name},
    ).fetchone()
    if closed:
        return
    (owned,) = connection.execute(
        "select pg_has_role(session_user, datdba, 'usage') from pg_database where datname = %s", (name,)
    ).fetchone()
    if not owned:
        account = connection.execute("select session_user").fetchone()[0]
        raise RoleError(
            f"{account} does not own the database {name}: as an administrator, alter database {name} owner to {account}"
        )
    place = sql.Identifier(name)
    connection.execute(sql.SQL("revoke all on database {} from public").format(place))
    connection.execute(sql.SQL("grant create, temporary on database {} to doudi_transformer").format(place))
    connection.execute(
        sql.SQL("grant temporary on database {} to doudi_owner, doudi_loader, doudi_extractor").format(place)
    )


def hand_over(connection: psycopg.Connection) -> None:
    """Give every schema, table, view and function of ours to the role it belongs to.

    What is right already is not touched: changing an owner waits for all who read the table. Schemas of builds apart
    from the present (``marts_as_of_20200331``) belong to the role that made them, of warehouses made before 1.0 too.
    """
    rows = connection.execute(
        """
        with place as (
            select namespace.oid, namespace.nspname, namespace.nspowner, belongs.owner
            from pg_namespace as namespace
            inner join unnest(%(schemas)s::text[], %(owners)s::text[]) as belongs (schema, owner)
                on namespace.nspname = belongs.schema
                or (
                    belongs.owner = 'doudi_transformer'
                    and namespace.nspname ~ ('^' || belongs.schema || %(apart)s)
                )
        )
        select 'schema', quote_ident(place.nspname), place.owner, 0 as turn
        from place
        where place.nspowner::regrole::text <> place.owner
        union all
        select
            case relation.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
            else 'table' end,
            relation.oid::regclass::text, place.owner, 1
        from pg_class as relation
        inner join place on relation.relnamespace = place.oid
        where
            relation.relkind in ('r', 'p', 'v', 'm', 'S')
            and relation.relowner::regrole::text <> place.owner
            and not (relation.relkind = 'S' and exists (
                select from pg_depend where objid = relation.oid and deptype in ('a', 'i') and refobjsubid > 0
            ))
        union all
        select 'routine', routine.oid::regprocedure::text, place.owner, 1
        from pg_proc as routine
        inner join place on routine.pronamespace = place.oid
        where routine.proowner::regrole::text <> place.owner
        order by 4
        """,
        {"schemas": list(OWNERS), "owners": list(OWNERS.values()), "apart": APART},
    ).fetchall()
    for kind, name, owner, _ in rows:
        connection.execute(f"alter {kind} {name} owner to {owner}")
