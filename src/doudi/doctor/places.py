"""The folders of an installation and who may read them."""

import os
from collections.abc import Iterator

from doudi.doctor.finding import Finding
from doudi.settings import Settings


def home(settings: Settings) -> Iterator[Finding]:
    if not settings.home.exists():
        yield Finding(
            fault="home.missing",
            severity="error",
            what=f"there is no {settings.home}",
            meaning="nothing has been set up there, or DOUDI_HOME names another place than it did",
            command="doudi init, or set DOUDI_HOME to where it was",
        )
    elif not os.access(settings.home, os.W_OK | os.X_OK):
        yield Finding(
            fault="home.closed",
            severity="error",
            what=f"{settings.home} cannot be written",
            meaning="nothing can be archived, unpacked or built",
            command=f"as its owner: chmod u+rwx {settings.home}, or run as that account",
        )


def open_keys(settings: Settings) -> Iterator[Finding]:
    private = [settings.keys, settings.home / "airflow" / "state.json"]
    private += sorted(settings.keys.iterdir()) if settings.keys.is_dir() and os.access(settings.keys, os.R_OK) else []
    for path in private:
        if path.exists() and path.stat().st_mode & 0o077:
            yield Finding(
                fault="keys.open",
                severity="error",
                what=f"others may read {path}",
                meaning="whoever reads the keys can tell who is behind an identifier",
                command=f"chmod go= {path}",
            )


def seeds(settings: Settings) -> Iterator[Finding]:
    folder = settings.dbt_project / "seeds"
    for name in ("division", "indicator", "local_standard", "level", "department"):
        if not (folder / f"{name}.csv").is_file():
            yield Finding(
                fault="seeds.missing",
                severity="error",
                what=f"there is no {folder / name}.csv",
                meaning="no build can be made",
                command=f"git checkout -- {folder / name}.csv, or bring it back from the backup",
            )


def dbt_target(settings: Settings) -> Iterator[Finding]:
    if not (settings.dbt_project / "profiles.yml").is_file():
        yield Finding(
            fault="dbt.target",
            severity="error",
            what=f"there is no {settings.dbt_project / 'profiles.yml'}",
            meaning="dbt does not know where to build",
            command=f"git checkout -- {settings.dbt_project / 'profiles.yml'}",
        )
