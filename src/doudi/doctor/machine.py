"""The machine: Python, packages, disk, clock."""

import re
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from doudi.doctor.finding import Finding
from doudi.settings import Settings

_LEAST_FREE_BYTES = 2 << 30  # a night of a county, with its build
_EARLIEST_YEAR = 2024


def python(_: Settings) -> Iterator[Finding]:
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        yield Finding(
            fault="python.version",
            severity="error",
            what=f"this is Python {sys.version_info[0]}.{sys.version_info[1]}",
            meaning="doudi is locked and tested for 3.11 and 3.12",
            command="make clean setup PYTHON=python3.12 (make clean removes .doudi too: set DOUDI_HOME elsewhere)",
        )


def packages(settings: Settings) -> Iterator[Finding]:
    """What is installed against requirements.txt; lines for other platforms are left out."""
    lock = settings.project / "requirements.txt"
    if not lock.exists():
        return
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+) \\$", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    differing = [
        f"{name} {there or 'missing'}, not {locked}" for name, locked in pins if (there := _there(name)) != locked
    ]
    if differing:
        yield Finding(
            fault="packages.lock",
            severity="warning",
            what=f"not as requirements.txt locks: {'; '.join(differing)}",
            meaning="what runs here is not what was tested",
            command="touch requirements.txt && make setup",
        )


def _there(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def disk(settings: Settings) -> Iterator[Finding]:
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        yield Finding(
            fault="disk.full",
            severity="error",
            what=f"{free >> 20} MiB are free where {settings.home} lies",
            meaning="loads and builds fail in the middle; they leave nothing half done, and are taken up again",
            command=f"du -xh --max-depth=2 {settings.home} | sort -h",
        )


def clock(_: Settings) -> Iterator[Finding]:
    if time.gmtime().tm_year < _EARLIEST_YEAR:
        yield Finding(
            fault="clock.past",
            severity="error",
            what=f"the clock says {time.strftime('%Y-%m-%d', time.gmtime())}",
            meaning="deliveries of today are refused as lying ahead",
            command="as an administrator: timedatectl set-ntp true",
        )
