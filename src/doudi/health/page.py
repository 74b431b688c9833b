"""The page: one HTML file without anything from elsewhere, put in the place of the last one at once."""

import os
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from doudi.health.reading import DAYS, Health, read
from doudi.private import write_private
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse.connection import connect

_UNITS = ("B", "kB", "MB", "GB", "TB")


def build_health(*, url: str, settings: Settings, out: Path | None = None) -> Path:
    """Write the page into ``out``, the home's own folder where None, and return its path.

    Messages of refusals name files, so nobody but the owner of the installation can open the page. Raises
    WarehouseError where Postgres refused.
    """
    folder = out or settings.health
    with connect(url, step="health", role="owner") as connection:
        health = read(connection, settings)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    write_private(page, _render(health, settings=settings, page=page))
    return page


def _render(health: Health, *, settings: Settings, page: Path) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "size": _size, "moment": _moment}
    template = environment.from_string(files("doudi.health").joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        health=health,
        days=DAYS,
        made_at=datetime.now(TIME_ZONE),
        links=[(name, _link(target, page)) for name, target in _neighbours(settings) if target.exists()],
    )


def _neighbours(settings: Settings) -> tuple[tuple[str, Path], ...]:
    return (
        ("检查结果 Data Docs", settings.data_docs / "index.html"),
        ("表与字段 dbt docs", settings.home / "reports" / "models.html"),
    )


def _link(target: Path, page: Path) -> str:
    return os.path.relpath(target, page.resolve().parent)


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if value != int(value) else f"{int(value):,}"


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"
