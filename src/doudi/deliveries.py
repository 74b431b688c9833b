"""A delivery: one data file with an optional manifest, and what its name says of it."""

import codecs
import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST_SUFFIX = ".manifest.json"
_PIECE_BYTES = 1 << 20
_NAME = re.compile(
    r"^(?P<feed>[a-z][a-z0-9_]*?)_(?P<area>\d{2}|\d{4}|\d{6}|\d{9}|\d{12})_(?P<day>\d{8})(?:_(?P<n>\d{1,9}))?"
    r"\.(?P<form>[a-z0-9]+(?:\.[a-z0-9]+)?)$",
    re.ASCII | re.IGNORECASE,  # other scripts have digits too
)


class DeliveryRefused(Exception):
    """A delivery cannot be taken in as a whole; ``code`` is the rule it breaks, the message says where and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Manifest(BaseModel):
    """The sidecar of a delivery; every key is optional, an unknown one is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rows: int | None = None
    sha256: str | None = None
    data_date: date | None = None
    mode: str | None = None
    control_totals: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a delivery came from: its address without credentials, its size in bytes, when it was last changed.

    The three together tell whether a file has been taken in before, without reading it.
    """

    uri: str
    size: int
    modified_at: datetime

    @classmethod
    def of(cls, path: Path) -> "Origin":
        state = path.stat()
        changed = datetime.fromtimestamp(state.st_mtime, tz=UTC)
        return cls(uri=path.resolve().as_uri(), size=state.st_size, modified_at=changed)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What the file's name says: whose feed, which area it covers, for which day, the how-manieth of that day.

    ``pulled_from`` is set where ``path`` is only a copy of what lies at a source.
    """

    path: Path
    feed: str
    area_code: str
    data_date: date
    sequence: int
    form: str
    pulled_from: Origin | None = None

    @property
    def origin(self) -> Origin:
        return self.pulled_from or Origin.of(self.path)

    @property
    def manifest_path(self) -> Path:
        return self.path.with_name(self.path.name + MANIFEST_SUFFIX)

    @property
    def order(self) -> tuple[date, int, str]:
        """Deliveries are taken in by day, so that in the normal case nothing has to be filed as late."""
        return (self.data_date, self.sequence, self.path.name)


def parse_name(path: Path, *, feeds: Collection[str] | None) -> Delivery:
    """Read a delivery's file name.

    Raises DeliveryRefused(``file.name``) where it does not follow feeds.md or names none of ``feeds``; None: any.
    """
    match = _NAME.match(path.name)
    day = _day(match["day"]) if match else None
    if match is None or day is None:
        raise DeliveryRefused(
            "file.name", f"{path.name}: a delivery is named <feed>_<division code>_<YYYYMMDD>[_<n>].<form>"
        )
    feed = match["feed"].lower()
    if feeds is not None and feed not in feeds:
        raise DeliveryRefused("file.name", f"{path.name}: there is no contract for a feed {feed}")
    return Delivery(
        path=path,
        feed=feed,
        area_code=match["area"],
        data_date=day,
        sequence=int(match["n"] or 0),
        form=match["form"].lower(),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_delivery_name(name: str) -> bool:
    """Whether a file of that name may be a delivery at all: no manifest, no hidden or half-uploaded file."""
    return not name.startswith((".", "~", "_")) and not name.endswith((MANIFEST_SUFFIX, ".part", ".tmp", ".md", ".txt"))


def is_delivery(path: Path) -> bool:
    return path.is_file() and is_delivery_name(path.name)


def refuse_days_ahead(delivery: Delivery, *, received_on: date) -> None:
    """Raise DeliveryRefused(``file.data_date``) where a delivery speaks of a day that had not come on its receipt.

    One day is let through: a sender's clock may run ahead past midnight. More would stand in the register's history
    before its time, and every later delivery would be filed as late.
    """
    if delivery.data_date > received_on + timedelta(days=1):
        raise DeliveryRefused(
            "file.data_date", f"{delivery.path.name}: its data date is after the day it was received, {received_on}"
        )


def in_folder(folder: Path, *, feeds: Collection[str]) -> tuple[list[Delivery], list[DeliveryRefused]]:
    """The deliveries of ``feeds`` in an inbox, in the order they are to be taken in, and the files that are none."""
    found: list[Delivery] = []
    strange: list[DeliveryRefused] = []
    for path in sorted(filter(is_delivery, _files(folder))):
        try:
            found.append(parse_name(path, feeds=feeds))
        except DeliveryRefused as refusal:
            strange.append(refusal)
    return sorted(found, key=lambda delivery: delivery.order), strange


def _files(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def read_manifest(delivery: Delivery) -> Manifest | None:
    """The delivery's manifest, None where there is none. Raises DeliveryRefused(``manifest``) where it is wrong."""
    path = delivery.manifest_path
    if not path.exists():
        return None
    try:
        return Manifest.model_validate_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        faults = "; ".join(_fault(fault) for fault in error.errors(include_input=False, include_context=False))
        raise DeliveryRefused("manifest", f"{path.name}: {faults}") from None


def _fault(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "json_invalid":
        return "not JSON in UTF-8"
    key = ".".join(map(str, fault["loc"])).replace("\0", "\\x00")  # Postgres keeps no text with a NUL
    return f"{key}: {fault['type']}" if key else fault["type"]


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A delivery's copy in the archive, with the SHA-256 (hex) and the size in bytes of what was read."""

    path: Path
    sha256: str
    size: int


def archive(delivery: Delivery, *, folder: Path) -> Archived:
    """Keep the file, and its manifest, under the file's own SHA-256, so that it can be read again as it came.

    The file is read once, copied and counted at the same time, and appears under its final name only when it is whole
    and on the disk: what was pulled from a source is not pulled again once the ledger has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # deliveries are the most private thing in the house
    arriving = folder / f".{delivery.path.name}.part"
    digest = hashlib.sha256()
    with delivery.path.open("rb") as source, arriving.open("wb") as copy:
        while piece := source.read(_PIECE_BYTES):
            digest.update(piece)
            copy.write(piece)
        size = copy.tell()
        make_durable(copy)
    sha256 = digest.hexdigest()
    target = folder / sha256[:2] / sha256 / delivery.path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if delivery.manifest_path.exists():
        _copy(delivery.manifest_path, target.with_name(delivery.manifest_path.name))
    arriving.replace(target)
    return Archived(path=target, sha256=sha256, size=size)


def make_durable(file: IO[bytes]) -> None:
    """Wait until what was written to ``file`` is on the disk and not only on its way there."""
    file.flush()
    os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, partial)
    partial.replace(target)
