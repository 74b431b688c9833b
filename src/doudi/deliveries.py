"""A delivery: one data file with an optional manifest, and what its name says of it."""

import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST_SUFFIX = ".manifest.json"
_NAME = re.compile(
    r"^(?P<feed>[a-z][a-z0-9_]*?)_(?P<area>\d{2}|\d{4}|\d{6}|\d{9}|\d{12})_(?P<day>\d{8})(?:_(?P<n>\d{1,9}))?"
    r"\.(?P<form>[a-z0-9]+(?:\.[a-z0-9]+)?)$",
    re.IGNORECASE,
)


class DeliveryRefused(Exception):
    """A delivery cannot be taken in as a whole; ``code`` is the rule it breaks, the message says where and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Manifest(BaseModel):
    """The sidecar of a delivery; every key is optional, an unknown one is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int | None = None
    sha256: str | None = None
    data_date: date | None = None
    mode: str | None = None
    control_totals: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What the file's name says: whose feed, which area it covers, for which day, the how-manieth of that day."""

    path: Path
    feed: str
    area_code: str
    data_date: date
    sequence: int
    form: str

    @property
    def manifest_path(self) -> Path:
        return self.path.with_name(self.path.name + MANIFEST_SUFFIX)

    @property
    def order(self) -> tuple[date, int, str]:
        """Deliveries are taken in by day, so that in the normal case nothing has to be filed as late."""
        return (self.data_date, self.sequence, self.path.name)


def parse_name(path: Path, *, feeds: Collection[str]) -> Delivery:
    """Read a delivery's file name.

    Raises DeliveryRefused(``file.name``) where it does not follow feeds.md or names none of ``feeds``.
    """
    match = _NAME.match(path.name)
    day = _day(match["day"]) if match else None
    if match is None or day is None:
        raise DeliveryRefused(
            "file.name", f"{path.name}: a delivery is named <feed>_<division code>_<YYYYMMDD>[_<n>].<form>"
        )
    feed = match["feed"].lower()
    if feed not in feeds:
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


def is_delivery(path: Path) -> bool:
    """Whether ``path`` may be a delivery at all: no manifest, no hidden or half-uploaded file."""
    name = path.name
    hidden = name.startswith((".", "~", "_")) or name.endswith((MANIFEST_SUFFIX, ".part", ".tmp", ".md", ".txt"))
    return path.is_file() and not hidden


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
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors())
        raise DeliveryRefused("manifest", f"{path.name}: {faults}") from None
    except ValueError:
        raise DeliveryRefused("manifest", f"{path.name}: not JSON in UTF-8") from None


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file, read in pieces."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def archive(delivery: Delivery, *, sha256: str, folder: Path) -> Path:
    """Keep the file, and its manifest, under the file's own SHA-256, so that it can be read again as it came.

    A copy appears under its final name only when it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # deliveries are the most private thing in the house
    target = folder / sha256[:2] / sha256 / delivery.path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if delivery.manifest_path.exists():
        _copy(delivery.manifest_path, target.with_name(delivery.manifest_path.name))
    if not target.exists():
        _copy(delivery.path, target)
    return target


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, partial)
    partial.replace(target)
