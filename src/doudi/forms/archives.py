"""gzip and zip: unpacked into the work folder, within bounds that are counted and not believed."""

import gzip
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from shutil import rmtree
from typing import TYPE_CHECKING, BinaryIO

from doudi.deliveries import MANIFEST_SUFFIX, DeliveryRefused
from doudi.forms.damage import refusing_damage
from doudi.settings import Limits

if TYPE_CHECKING:
    import pyzipper

_PIECE_BYTES = 1 << 20
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_NO_DATA = (MANIFEST_SUFFIX, ".md", ".txt")


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """An empty folder closed to others, which is gone afterwards; what a killed load left in it goes first."""
    rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Member:
    """A file that came out of an archive; ``name`` as its sender sees it."""

    name: str
    path: Path


def unpack_gzip(source: Path, target: Path, *, label: str, limits: Limits) -> Path:
    """Expand ``source`` into ``target``. Raises DeliveryRefused: ``archive.broken``, ``archive.expanded``."""
    room = _Room(limits.expanded_bytes, label)
    with refusing_damage("archive.broken", f"{label}: the archive is cut off or damaged"), gzip.open(source) as packed:
        room.copy(packed, target)
    return target


def unpack_zip(
    source: Path, work: Path, *, label: str, limits: Limits, password: Callable[[], str | None]
) -> list[Member]:
    """Expand the data files of a zip archive into ``work``, in the archive's order.

    Hidden files, manifests and notes (.md, .txt) are left out. Raises DeliveryRefused: ``archive.broken``,
    ``archive.path``, ``archive.repeated``, ``archive.members``, ``archive.expanded``, ``archive.password``,
    ``archive.empty``.
    """
    import pyzipper  # brings a library of ciphers, which most commands do without

    room = _Room(limits.expanded_bytes, label)
    with (
        refusing_damage("archive.broken", f"{label}: the archive is cut off or damaged", pyzipper.BadZipFile),
        pyzipper.AESZipFile(source) as archive,
    ):
        entries = archive.infolist()
        if len(entries) > limits.members:
            raise DeliveryRefused("archive.members", f"{label}: {len(entries)} members, allowed {limits.members}")
        wanted = [(entry, name) for entry in entries if _is_data(name := _name(entry)) and not entry.is_dir()]
        for entry, name in wanted:
            _refuse_way_out(entry, name, label=label)
        if len({name for _, name in wanted}) < len(wanted):
            raise DeliveryRefused("archive.repeated", f"{label}: two members have the same name")
        if any(entry.flag_bits & _ENCRYPTED_FLAG for entry, _ in wanted):
            archive.setpassword(_known(password(), label=label).encode("utf-8"))
        members = [
            Member(name, _unpack(archive, entry, work / f"{number:06d}", label=f"{label} › {name}", room=room))
            for number, (entry, name) in enumerate(wanted)
        ]
    if not members:
        raise DeliveryRefused("archive.empty", f"{label}: the archive holds no data file")
    return members


def _known(password: str | None, *, label: str) -> str:
    if not password:
        raise DeliveryRefused(
            "archive.password", f"{label}: the archive is encrypted, and no connection knows its password"
        )
    return password


def _name(entry: zipfile.ZipInfo) -> str:
    """The member's name; where the archive does not say that it is UTF-8, it is that or a Chinese system's GBK."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.filename
    sent = entry.filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return sent.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _is_data(name: str) -> bool:
    places = name.split("/")
    hidden = any(place.startswith((".", "~$", "__MACOSX")) and place != ".." for place in places)
    return not hidden and not name.lower().endswith(_NO_DATA)


def _refuse_way_out(entry: zipfile.ZipInfo, name: str, *, label: str) -> None:
    """Members are written under numbers, never under their names; but one that tries to leave shows bad intent."""
    ways = (PurePosixPath(name), PureWindowsPath(name))
    leaves = any(way.is_absolute() or way.drive or ".." in way.parts for way in ways)
    if leaves or stat.S_ISLNK(entry.external_attr >> 16):
        raise DeliveryRefused("archive.path", f"{label} › {name}: the member would lie outside the archive")


def _unpack(archive: "pyzipper.AESZipFile", entry: zipfile.ZipInfo, target: Path, *, label: str, room: "_Room") -> Path:
    import pyzipper

    code, what = "archive.broken", "the member is cut off, damaged or packed by a method that is not read"
    if entry.flag_bits & _ENCRYPTED_FLAG:
        code, what = "archive.password", "the password is another, or the member damaged"
    with refusing_damage(code, f"{label}: {what}", pyzipper.BadZipFile), archive.open(entry) as packed:
        room.copy(packed, target)
    return target


class _Room:
    """How much may still come out of an archive."""

    def __init__(self, expanded_bytes: int, label: str) -> None:
        self._allowed = self._left = expanded_bytes
        self._label = label

    def copy(self, packed: BinaryIO, target: Path) -> None:
        with target.open("wb") as out:
            while piece := packed.read(_PIECE_BYTES):
                self._left -= len(piece)
                if self._left < 0:
                    raise DeliveryRefused(
                        "archive.expanded", f"{self._label}: unfolds to more than {self._allowed} bytes"
                    )
                out.write(piece)
