"""The accounts of the database with which Superset reads: one for each BI reader that access.yml declares.

Superset knows no other account of the warehouse. What each reads is decided by the database's row policies.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import psycopg

from doudi.access import Access, logins
from doudi.dashboards.declaration import DashboardError
from doudi.dashboards.private import kept_secret
from doudi.settings import Settings
from doudi.warehouse.connection import connect


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account that reads as ``role``; the user of the same reader logs in to Superset as ``user``."""

    role: str
    area: str | None
    title: str
    login: str
    login_password_file: Path
    user: str
    user_password_file: Path


def accounts(access: Access, *, keys: Path) -> list[Account]:
    """The accounts of ``doudi_bi`` and of BI for each area, the whole first."""
    return [
        Account(
            role=reader.role,
            area=reader.scope,
            title=access.areas[reader.scope] if reader.scope else "全部地区 all areas",
            login=f"superset_{reader.role.removeprefix('doudi_')}",
            login_password_file=keys / f"login_superset_{reader.role.removeprefix('doudi_')}",
            user=reader.role.removeprefix("doudi_"),
            user_password_file=keys / f"superset_user_{reader.role.removeprefix('doudi_')}",
        )
        for reader in access.readers
        if reader.kind == "bi"
    ]


def let_in(url: str, wanted: list[Account]) -> None:
    """Make the accounts that the server lacks, and give each its one role.

    Raises DashboardError where an account is there and its password is not known here.
    """
    with connect(url, step="dashboards") as connection:
        for account in wanted:
            there = logins.exists(connection, account.login)
            if there and not account.login_password_file.exists():
                raise DashboardError(
                    f"the server has an account {account.login}, and its password is not in "
                    f"{account.login_password_file}: bring the file back, or have an administrator drop the account"
                )
            password = kept_secret(account.login_password_file)
            logins.grant(connection, account.login, role=account.role, password=None if there else password)
            _refuse_more(connection, account)


def _refuse_more(connection: psycopg.Connection, account: Account) -> None:
    """Rights add up: an account with a second role would read that one's rows too."""
    held = [each.role for each in logins.reader_roles(connection) if account.login in each.logins]
    if held != [account.role]:
        raise DashboardError(f"{account.login} reads as {', '.join(held)}: doudi access revoke takes what is too much")


def address(url: str) -> dict[str, object]:
    """Where the warehouse is, as Superset needs it: host, port, database and further parameters, and no account."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "database": parts.path.removeprefix("/"),
        "query": dict(parse_qsl(parts.query)),
    }


def installed(settings: Settings) -> Path:
    """The folder of Superset's programs. Raises DashboardError where it is not installed."""
    folder = settings.project / ".venv-superset" / "bin"
    if not (folder / "superset").exists():
        raise DashboardError("Superset is not installed: make dashboards installs it")
    return folder
