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
class Limits:
    """How much one delivery may unfold to before it is refused; each can be set in the environment.

    ``expanded_bytes``: all that comes out of an archive (DOUDI_MAX_EXPANDED_BYTES); ``members``: files in it
    (DOUDI_MAX_ARCHIVE_MEMBERS); ``workbook_cells``: cells of a workbook (DOUDI_MAX_WORKBOOK_CELLS), which takes about
    100 bytes of memory for each; ``workbook_bytes``: memory in which it is read (DOUDI_MAX_WORKBOOK_BYTES).
    """

    expanded_bytes: int = 20 << 30
    members: int = 1000
    workbook_cells: int = 20_000_000
    workbook_bytes: int = 4 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The places of one installation.

    ``home`` holds the embedded Postgres, the archive, Airflow's home and the reports (DOUDI_HOME);
    ``sources_file`` says where deliveries are pulled from (DOUDI_SOURCES), ``sources.yml`` in the home where None;
    ``database_url`` is set where an outside Postgres is used (DOUDI_DATABASE_URL, or in a file, see `read_secret`);
    ``as_of`` is the date everything is computed for (DOUDI_AS_OF), today in Shanghai where None;
    ``citus`` has `doudi init` spread the warehouse over a cluster of Citus (DOUDI_CITUS=on).
    """

    project: Path
    home: Path
    database_url: str | None
    inbox: Path
    out: Path
    as_of: date | None
    sources_file: Path | None = None
    citus: bool = False
    limits: Limits = Limits()

    @property
    def contracts(self) -> Path:
        return self.project / "contracts"

    @property
    def expectations(self) -> Path:
        return self.project / "expectations"

    @property
    def access(self) -> Path:
        return self.project / "access.yml"

    @property
    def retention(self) -> Path:
        return self.project / "retention.yml"

    @property
    def outgoing(self) -> Path:
        """Where extracts lie from when they are written until they are delivered; closed to others."""
        return self.home / "outgoing"

    @property
    def keys(self) -> Path:
        """What nobody but the account of this installation may read."""
        return self.home / "keys"

    @property
    def extracts(self) -> Path:
        return self.project / "extracts"

    @property
    def dbt_project(self) -> Path:
        return self.project / "dbt_project"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def data_docs(self) -> Path:
        return self.home / "data_docs"

    @property
    def health(self) -> Path:
        """The page on loads, lateness, builds and sizes; for those who run the warehouse."""
        return self.home / "health"

    @property
    def work(self) -> Path:
        """Where archives are unpacked while they are taken in; closed to others, empty between loads."""
        return self.home / "work"

    @property
    def sources(self) -> Path:
        return self.sources_file or self.home / "sources.yml"

    @property
    def reports(self) -> Path:
        """What `periodic_report` writes, a folder for each day."""
        return self.home / "reports"

    @property
    def erasures(self) -> Path:
        """Whose data were erased, by hash: what a restored database must be erased of again."""
        return self.home / "erasures.jsonl"

    @property
    def spool(self) -> Path:
        return self.home / "spool"

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


def read_secret(name: str) -> str | None:
    """The value of the variable ``name``, else what is in the file that ``name``_FILE names; None without either.

    Raises SettingsError where both are set, and where the file cannot be read or holds nothing.
    """
    given, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not file:
        return given or None
    if given:
        raise SettingsError(f"{name} and {name}_FILE are both set: unset one")
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE={file} cannot be read: {error.strerror}") from None
    if not text:
        raise SettingsError(f"{name}_FILE={file} is empty")
    return text


def _count(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise SettingsError(f"{name}={text} is no number above 0")
    return int(text)


def _switch(name: str) -> bool:
    text = os.environ.get(name) or "off"
    if text not in ("on", "off"):
        raise SettingsError(f"{name}={text} is neither on nor off")
    return text == "on"


def load_settings() -> Settings:
    """The settings as the environment has them now."""
    project = _project_folder()
    home = Path(os.environ.get("DOUDI_HOME") or project / ".doudi").expanduser().resolve()
    as_of = os.environ.get("DOUDI_AS_OF")
    sources = os.environ.get("DOUDI_SOURCES")
    return Settings(
        project=project,
        home=home,
        database_url=read_secret("DOUDI_DATABASE_URL"),
        inbox=Path(os.environ.get("DOUDI_INBOX") or home / "inbox").expanduser().resolve(),
        out=Path(os.environ.get("DOUDI_OUT") or home / "out").expanduser().resolve(),
        as_of=parse_date(as_of, name="DOUDI_AS_OF") if as_of else None,
        sources_file=Path(sources).expanduser().resolve() if sources else None,
        citus=_switch("DOUDI_CITUS"),
        limits=Limits(
            expanded_bytes=_count("DOUDI_MAX_EXPANDED_BYTES", Limits.expanded_bytes),
            members=_count("DOUDI_MAX_ARCHIVE_MEMBERS", Limits.members),
            workbook_cells=_count("DOUDI_MAX_WORKBOOK_CELLS", Limits.workbook_cells),
            workbook_bytes=_count("DOUDI_MAX_WORKBOOK_BYTES", Limits.workbook_bytes),
        ),
    )
