"""Accounts of readers: let into this warehouse by name, and members of the roles that read.

A role and an account belong to the server; only what may be done in a database belongs to it. So whoever is let into
one warehouse of a server reads nothing of another that has the same roles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from doudi.access.declaration import AccessError


@dataclass(frozen=True, kw_only=True)
class ReaderRole:
    """A role that reads in this warehouse, what it is for, and the accounts that have it and are let in here."""

    role: str
    kind: str
    scope: str | None
    logins: tuple[str, ...]


def reader_roles(connection: psycopg.Connection) -> list[ReaderRole]:
    rows = connection.execute(
        """
        select
            reader.role,
            reader.kind,
            reader.scope,
            array_remove(array_agg(login.rolname order by login.rolname), null)
        from access.reader as reader
        left join pg_roles as roles on reader.role = roles.rolname
        -- the account that made a role, or takes it for a report, is a member that inherits nothing
        left join pg_auth_members as membership on roles.oid = membership.roleid and membership.inherit_option
        left join pg_roles as login
            on membership.member = login.oid
            and login.rolcanlogin
            and has_database_privilege(login.oid, current_database(), 'connect')
        group by reader.role, reader.kind, reader.scope
        order by reader.kind, reader.scope
        """
    )
    return [ReaderRole(role=role, kind=kind, scope=scope, logins=tuple(logins)) for role, kind, scope, logins in rows]


def grant(connection: psycopg.Connection, login: str, *, role: str, password: str | None) -> None:
    """Let ``login`` into this warehouse with the rights of ``role``; ``password`` is that of an account to be made.

    Raises AccessError where access.yml declares no such role, or the account may do more than read.
    """
    _refuse_undeclared(connection, role)
    if password is not None:
        # Only the verifier goes over the wire and, where statements are logged, into a log.
        verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(login), sql.Literal(verifier))
        )
    _refuse_powerful(connection, login)
    connection.execute(
        sql.SQL("grant {} to {} with inherit true, set false").format(sql.Identifier(role), sql.Identifier(login))
    )
    connection.execute(_on_database(connection, "grant connect on database {} to {}", login))


def revoke(connection: psycopg.Connection, login: str, *, role: str | None) -> Sequence[str]:
    """Take ``role`` from ``login``, all of them where None; returns the roles that it lost.

    Once it has none, or where None, it is not let into this warehouse any more. It keeps the roles then with which
    another warehouse of the server lets it in by name. Raises AccessError where there is no such account.
    """
    if not exists(connection, login):
        raise AccessError(f"there is no account {login}")
    held = [each.role for each in reader_roles(connection) if _is_member(connection, login, each.role)]
    if role is not None and role not in held:
        raise AccessError(f"{login} does not have the role {role}")
    lost = [role] if role else ([] if _is_let_in_elsewhere(connection, login) else held)
    for name in lost:
        connection.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(name), sql.Identifier(login)))
    if role is None or held == lost:
        connection.execute(_on_database(connection, "revoke connect on database {} from {}", login))
    return lost


def exists(connection: psycopg.Connection, login: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone() is not None


def _refuse_undeclared(connection: psycopg.Connection, role: str) -> None:
    declared = [each.role for each in reader_roles(connection)]
    if role not in declared:
        names = ", ".join(name.removeprefix("doudi_") for name in declared)
        raise AccessError(f"access.yml declares no {role.removeprefix('doudi_')}; there are {names}")


def _refuse_powerful(connection: psycopg.Connection, login: str) -> None:
    """Row policies do not bind such an account, or it may take another role: it is not what it seems."""
    (powerful,) = connection.execute(
        """
        select rolsuper or rolbypassrls or rolcreaterole or pg_has_role(oid, 'doudi_owner', 'member')
        from pg_roles
        where rolname = %s
        """,
        (login,),
    ).fetchone()
    if powerful:
        raise AccessError(f"{login} may do more than read: take an account of its own for a reader")


def _is_member(connection: psycopg.Connection, login: str, role: str) -> bool:
    return connection.execute("select pg_has_role(%s, %s, 'member')", (login, role)).fetchone()[0]


def _is_let_in_elsewhere(connection: psycopg.Connection, login: str) -> bool:
    query = """
        select exists (
            select
            from pg_database
            cross join aclexplode(datacl) as acl
            where
                datname <> current_database()
                and acl.grantee = (select oid from pg_roles where rolname = %s)
                and acl.privilege_type = 'CONNECT'
        )
    """
    return connection.execute(query, (login,)).fetchone()[0]


def _on_database(connection: psycopg.Connection, statement: str, login: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(connection.info.dbname), sql.Identifier(login))
