"""The machine: Python, packages, disks, clock, ports."""

import os
import re
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from doudi.backup import noted
from doudi.doctor.finding import Finding
from doudi.orchestration import environment, server
from doudi.ports import free_port
from doudi.settings import Settings
from doudi.warehouse import cluster

_LEAST_FREE_BYTES = 2 << 30  # a night of a county, with its build
_LEAST_FREE_FILES = 10_000
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
    """Of each disk that something is written to; of two folders on one, the first is named."""
    told = set()
    for folder in _written(settings):
        place = next(each for each in (folder, *folder.parents) if each.exists())
        if place.stat().st_dev in told:
            continue
        told.add(place.stat().st_dev)
        there = os.statvfs(place)
        free = there.f_bavail * there.f_frsize
        lacking = []
        if free < _LEAST_FREE_BYTES:
            lacking.append(f"{free >> 20} MiB")
        if there.f_files and there.f_favail < _LEAST_FREE_FILES:  # some file systems have no limit, and say 0
            lacking.append(f"room for {there.f_favail} files")
        if lacking:
            yield Finding(
                fault="disk.full",
                severity="error",
                what=f"only {' and '.join(lacking)} free where {folder} lies",
                meaning="loads and builds fail in the middle; they leave nothing half done, and are taken up again",
                command=f"du -xh --max-depth=2 {folder} | sort -h; what may go: docs/operations.md#the-disk-is-full",
            )


def _written(settings: Settings) -> Iterator[Path]:
    yield from (settings.home, settings.out)
    if not settings.database_url and (wal := cluster.wal_folder(settings.home)):
        yield wal
    yield from (backup.folder.parent for backup in noted.last(settings.home).values())


def clock(_: Settings) -> Iterator[Finding]:
    if time.gmtime().tm_year < _EARLIEST_YEAR:
        yield Finding(
            fault="clock.past",
            severity="error",
            what=f"the clock says {time.strftime('%Y-%m-%d', time.gmtime())}",
            meaning="deliveries of today are refused as lying ahead",
            command="as an administrator: timedatectl set-ntp true",
        )


def ports(settings: Settings) -> Iterator[Finding]:
    """Those that PostgreSQL and Airflow had the last time, where neither listens there now."""
    postgres = None if settings.database_url or cluster.url(settings.home) else cluster.last_port(settings.home)
    airflow = None if server.is_running(settings) else environment.last_port(settings)
    for name, port in (("PostgreSQL", postgres), ("Airflow", airflow)):
        if port and free_port(port) != port:
            yield Finding(
                fault="port.taken",
                severity="warning",
                what=f"{name} does not run, and somebody else listens on its port {port}",
                meaning="it takes another one when it starts; connections and bookmarks that name the old one miss it",
                command=f"as an administrator: lsof -nP -iTCP:{port} -sTCP:LISTEN tells who; end it, then start {name}",
            )
