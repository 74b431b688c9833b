"""Users and dashboards brought to what is declared. Runs in .venv-superset, after ``superset db upgrade`` and ``init``.

Each reader of the warehouse is a role here, of the same name, and has one user. The role says with which account of the
database a user reads, and opens the connection; what its holder may do besides is said by Superset's own roles.
"""

import json
import os
from pathlib import Path

from superset.app import create_app

_BY_SUPERSET = ("Gamma", "sql_lab")  # look, make own charts, ask in SQL; neither users nor connections


def main() -> None:
    notes = json.loads(Path(os.environ["DOUDI_SUPERSET_NOTES"]).read_text(encoding="utf-8"))
    with create_app().app_context():
        from superset import security_manager
        from superset.utils.core import override_user

        _roles(notes["readers"])
        _user(notes["administrator"], roles=("Admin", notes["administrator"]["role"]))
        for user in notes["users"]:
            _user(user, roles=(*_BY_SUPERSET, user["role"]))
        with override_user(security_manager.find_user(username=notes["administrator"]["name"])):
            _import(Path(notes["bundle"]))
        _open_connection(notes["database_uuid"], readers=notes["readers"])


def _roles(readers: dict) -> None:
    """A role for each reader; one that is declared no more goes, and whoever had it reads nothing."""
    from superset import db, security_manager

    for role in security_manager.get_all_roles():
        if role.name.startswith("doudi_bi") and role.name not in readers:
            role.user.clear()
            db.session.delete(role)
    db.session.commit()
    for name in readers:
        security_manager.add_role(name)


def _user(wanted: dict, *, roles: tuple[str, ...]) -> None:
    from superset import security_manager

    password = Path(wanted["password_file"]).read_text(encoding="ascii").strip()
    given = [security_manager.find_role(name) for name in roles]
    user = security_manager.find_user(username=wanted["name"])
    if user is None:
        made = security_manager.add_user(
            wanted["name"], wanted["title"], "", f"{wanted['name']}@doudi.invalid", role=given, password=password
        )
        if not made:
            raise SystemExit(f"the user {wanted['name']} could not be made")
        return
    user.roles = given
    user.active = True
    security_manager.update_user(user)
    security_manager.reset_password(user.id, password)


def _import(folder: Path) -> None:
    """The bundle, over what stands; what an earlier one had and this one does not is taken away."""
    from superset import db
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    contents = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}
    ImportAssetsCommand(contents).run()
    kept = " ".join(contents.values())
    for model in (Dashboard, Slice, SqlaTable):
        for each in db.session.query(model).filter_by(is_managed_externally=True):
            if str(each.uuid) not in kept:
                db.session.delete(each)
    db.session.commit()


def _open_connection(uuid: str, *, readers: dict) -> None:
    from superset import db, security_manager
    from superset.models.core import Database

    database = db.session.query(Database).filter_by(uuid=uuid).one()
    permission = security_manager.add_permission_view_menu("database_access", database.perm)
    for name in readers:
        security_manager.add_permission_role(security_manager.find_role(name), permission)


if __name__ == "__main__":
    main()
