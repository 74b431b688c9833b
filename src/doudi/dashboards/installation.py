"""Superset on this machine: its home under DOUDI_HOME/superset, its secrets, and what it starts with.

Superset gets no account of the warehouse but the readers', so its own tables are in a database of their own: a file in
its home, or where DOUDI_SUPERSET_DATABASE_URL says.
"""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from doudi.access import load_access
from doudi.dashboards.accounts import Account, accounts, address, installed
from doudi.dashboards.bundle import DATABASE, NO_ADDRESS, identifier
from doudi.dashboards.declaration import DashboardError
from doudi.dashboards.private import kept_secret
from doudi.ports import free_port
from doudi.private import write_private
from doudi.settings import Settings, read_secret

HOST = "127.0.0.1"
ADMINISTRATOR = "admin"
DATABASE_VARIABLE = "DOUDI_SUPERSET_DATABASE_URL"
LISTEN_VARIABLE = "DOUDI_SUPERSET_LISTEN"  # another address to listen on, such as a container's
PORT = 8088
_INSIDE = Path(__file__).parent / "inside"
_STEPS = (("db", "upgrade"), ("init",))  # of Superset's own command: its tables, and its own roles


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One Superset: where it lives, who logs in, and the variables of its processes."""

    settings: Settings
    home: Path
    programs: Path
    port: int
    accounts: tuple[Account, ...]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def administrator_password_file(self) -> Path:
        return self.settings.keys / "superset_user_admin"

    @property
    def bundle(self) -> Path:
        return self.settings.project / "dashboards" / "bundle"

    @property
    def notes(self) -> Path:
        """What the code inside reads: address, accounts and places of passwords, and no password."""
        return self.home / "doudi.json"

    def environment(self) -> dict[str, str]:
        """Our own environment, without another Superset's and without what tells of the warehouse's accounts."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SUPERSET_", "DOUDI_", "FLASK_"))
        }
        return kept | {
            "SUPERSET_CONFIG_PATH": str(_INSIDE / "superset_config.py"),
            "SUPERSET_HOME": str(self.home),
            "FLASK_APP": "superset.app:create_app()",
            "DOUDI_SUPERSET_NOTES": str(self.notes),
            "SCARF_ANALYTICS": "false",  # nothing is told to anybody outside
        }


def locate(settings: Settings) -> Installation:
    """Where Superset is or will be; nothing is made. Raises DashboardError where its programs are not installed."""
    home = settings.home / "superset"
    kept = home / "port"
    return Installation(
        settings=settings,
        home=home,
        programs=installed(settings),
        port=int(kept.read_text()) if kept.exists() else PORT,
        accounts=tuple(accounts(load_access(settings.access), keys=settings.keys)),
    )


def with_free_port(installation: Installation) -> Installation:
    """The same at a port that is free: that of the last time where it can be, so that bookmarks go on working."""
    port = free_port(installation.port)
    (installation.home / "port").write_text(str(port))
    return replace(installation, port=port)


def prepare(settings: Settings, *, url: str) -> Installation:
    """Make the home, the secrets and the notes. The accounts of the database are made by ``accounts.let_in``."""
    installation = locate(settings)
    home = installation.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    secret_key = settings.keys / "superset_secret_key"
    for path in (secret_key, installation.administrator_password_file):
        kept_secret(path)
    for account in installation.accounts:
        kept_secret(account.user_password_file)
    notes = {
        "secret_key_file": str(secret_key),
        "metadata_url": read_secret(DATABASE_VARIABLE) or f"sqlite:///{home / 'superset.db'}",
        "no_address": NO_ADDRESS,
        "warehouse": address(url),
        "readers": {
            account.role: {"login": account.login, "password_file": str(account.login_password_file)}
            for account in installation.accounts
        },
        "administrator": {
            "name": ADMINISTRATOR,
            "title": "管理员 administrator",
            "password_file": str(installation.administrator_password_file),
            "role": installation.accounts[0].role,
        },
        "users": [
            {
                "name": account.user,
                "title": account.title,
                "password_file": str(account.user_password_file),
                "role": account.role,
            }
            for account in installation.accounts
        ],
        "bundle": str(installation.bundle),
        "database_uuid": identifier("database", DATABASE),
    }
    write_private(installation.notes, json.dumps(notes, ensure_ascii=False, indent=2))
    return installation


def bring_up_to_date(installation: Installation) -> bool:
    """Make Superset's tables, users and dashboards what they should be; False where nothing has changed since.

    Raises DashboardError where a step fails.
    """
    if is_up_to_date(installation):
        return False
    with (installation.home / "prepare.log").open("w") as log:
        for arguments in _STEPS:
            _run([str(installation.programs / "superset"), *arguments], installation, log)
        _run([str(installation.programs / "python"), str(_INSIDE / "prepare.py")], installation, log)
    _stamp(installation).write_text(_fingerprint(installation), encoding="ascii")
    return True


def is_up_to_date(installation: Installation) -> bool:
    """Whether nothing has changed since Superset was last prepared."""
    stamp = _stamp(installation)
    return stamp.exists() and stamp.read_text(encoding="ascii") == _fingerprint(installation)


def _stamp(installation: Installation) -> Path:
    return installation.home / "prepared"


def _run(command: list[str], installation: Installation, log: object) -> None:
    result = subprocess.run(
        command,
        env=installation.environment(),
        cwd=installation.home,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    if result.returncode:
        raise DashboardError(f"{' '.join(command[1:])} failed; see {installation.home / 'prepare.log'}")


def _fingerprint(installation: Installation) -> str:
    """Of all that the preparation depends on: locked packages, notes, passwords, the code inside and the bundle."""
    passwords = [account.user_password_file for account in installation.accounts]
    files = [
        installation.settings.project / "requirements-superset.txt",
        installation.notes,
        installation.administrator_password_file,
        *passwords,
        *sorted(_INSIDE.glob("*.py")),
        *sorted(installation.bundle.rglob("*.yaml")),
    ]
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return whole.hexdigest()
