"""Where this installation keeps things, read from the environment once and handed on."""

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("Asia/Shanghai")


class SettingsError(Exception):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The places of one installation.

    ``home`` holds the embedded Postgres, the archive, Airflow's home and the reports (DOUDI_HOME);
    ``database_url`` is set where an outside Postgres is used (DOUDI_DATABASE_URL);
    ``as_of`` is the date everything is computed for (DOUDI_AS_OF), today in Shanghai where None.
    """

    project: Path
    home: Path
    database_url: str | None
    inbox: Path
    out: Path
    as_of: date | None

    @property
    def contracts(self) -> Path:
        return self.project / "contracts"

    @property
    def expectations(self) -> Path:
        return self.project / "expectations"

    @property
    def extracts(self) -> Path:
        return self.project / "extracts"

    @property
    def dbt_project(self) -> Path:
        return self.project / "dbt_project"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    def date_of_run(self) -> date:
        return self.as_of or datetime.now(TIME_ZONE).date()


def _project_folder() -> Path:
    """The checkout: DOUDI_PROJECT, else the folder above ``src`` in an editable installation."""
    folder = Path(os.environ.get("DOUDI_PROJECT") or Path(__file__).resolve().parents[2])
    if not (folder / "contracts").is_dir():
        raise SettingsError(f"no contracts/ in {folder}: set DOUDI_PROJECT to the project's folder")
    return folder


def parse_date(text: str, *, name: str) -> date:
    """An ISO date. Raises SettingsError that names the setting ``name``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{name}={text} is no date: write YYYY-MM-DD") from None


def load_settings() -> Settings:
    """The settings as the environment has them now."""
    project = _project_folder()
    home = Path(os.environ.get("DOUDI_HOME") or project / ".doudi").expanduser().resolve()
    as_of = os.environ.get("DOUDI_AS_OF")
    return Settings(
        project=project,
        home=home,
        database_url=os.environ.get("DOUDI_DATABASE_URL") or None,
        inbox=Path(os.environ.get("DOUDI_INBOX") or home / "inbox").expanduser().resolve(),
        out=Path(os.environ.get("DOUDI_OUT") or home / "out").expanduser().resolve(),
        as_of=parse_date(as_of, name="DOUDI_AS_OF") if as_of else None,
    )
