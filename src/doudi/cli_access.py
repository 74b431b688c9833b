"""The command ``doudi access``: the accounts of those who read the warehouse."""

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from doudi.access import logins
from doudi.access.declaration import AccessError
from doudi.settings import Settings, load_settings
from doudi.summary import print_table
from doudi.warehouse import schema
from doudi.warehouse.connection import connect, warehouse_url

app = typer.Typer(
    no_args_is_help=True, help="Who reads the warehouse: roles as access.yml declares them, and accounts."
)

VARIABLE = "DOUDI_LOGIN_PASSWORD"
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The name of an account of the server.")]


def _ready() -> tuple[Settings, str]:
    settings = load_settings()
    url = warehouse_url(settings)
    schema.initialise(url, settings)
    return settings, url


def _role(name: str) -> str:
    return name if name.startswith("doudi_") else f"doudi_{name}"


@app.command("list")
def access_list() -> None:
    """List the roles that read, and the accounts that have them."""
    _, url = _ready()
    with connect(url, step="access list", role="owner") as connection:
        roles = logins.reader_roles(connection)
    print_table(
        "Who reads",
        *("role", "kind", "scope", "accounts"),
        rows=[(each.role.removeprefix("doudi_"), each.kind, each.scope, ", ".join(each.logins)) for each in roles],
    )


@app.command("grant")
def access_grant(
    login: Login,
    role: Annotated[str, typer.Option(help="As the list names it: bi, area_5134, department_housing …")],
) -> None:
    """Let LOGIN read what a role may; an account that is not there is made.

    Its password is that in DOUDI_LOGIN_PASSWORD, or a new one, written into a file that only you can read.
    """
    settings, url = _ready()
    with connect(url, step="access grant") as connection:
        made = not logins.exists(connection, login)
        given = os.environ.get(VARIABLE)
        password = (given or secrets.token_urlsafe(24)) if made else None
        logins.grant(connection, login, role=_role(role), password=password)
        if password and not given:
            print(f"its password is in {_keep(settings.keys, login, password)}")
    print(f"{login} reads as {role.removeprefix('doudi_')}")


@app.command("revoke")
def access_revoke(
    login: Login,
    role: Annotated[str | None, typer.Option(help="Only this one; else all, and LOGIN is not let in any more.")] = None,
) -> None:
    """Take from LOGIN what it may read. The account itself stays: it belongs to the server."""
    _, url = _ready()
    with connect(url, step="access revoke") as connection:
        lost = logins.revoke(connection, login, role=_role(role) if role else None)
    print(f"{login} lost {', '.join(name.removeprefix('doudi_') for name in lost) or 'the way into this warehouse'}")


def _keep(folder: Path, login: str, password: str) -> Path:
    if Path(login).name != login:
        raise AccessError(f"{login} cannot be the name of a file: give the password in {VARIABLE}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"login_{login}"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return path
