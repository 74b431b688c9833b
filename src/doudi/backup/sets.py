"""A set: what one backup wrote, listed with checksums in its manifest, and the store of archived files beside it.

``DEST/<name>/`` holds the dump and the small files of one moment, ``DEST/archive/`` the archived deliveries that all
sets share: such a file never changes, so a set adds only what came since the one before.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST = "manifest.json"
STORE = "archive"
ENCRYPTED = ".age"


class BackupError(Exception):
    """A backup could not be taken or restored; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file of a set: ``path`` below the set's or the store's folder, and the SHA-256 and size of what lies there."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class BackupSet:
    """What one backup holds. ``head`` is the hash of the last disclosure, empty where there was none.

    ``key_fingerprint`` tells which key of identifiers belongs to it; the key itself is in no set. ``home`` is where
    the installation lived, ``loads`` the number of rows of its ledger, ``archived`` the archive's files, each as in
    the store. ``lost`` are the files that the ledger names and the archive had not any more, but for
    those that were removed past their time in retention.yml.
    """

    taken_at: str
    server_version: int
    home: str
    key_fingerprint: str
    encrypted: bool
    loads: int
    head: str
    files: tuple[Kept, ...]
    archived: tuple[Kept, ...]
    lost: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """The manifest comes last: a set without one was cut off and is none."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "BackupSet":
        """Raises BackupError where the folder holds no whole set."""
        try:
            told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            lists = {name: tuple(Kept(**each) for each in told[name]) for name in ("files", "archived")}
            return cls(**told | lists | {"lost": tuple(told["lost"])})
        except (FileNotFoundError, NotADirectoryError):
            raise BackupError(f"{folder} is no backup: it has no {MANIFEST}") from None
        except (KeyError, TypeError, ValueError):
            raise BackupError(f"{folder / MANIFEST} is not as a backup writes it") from None

    def verify(self, folder: Path) -> None:
        """Raises BackupError that names the first file that is missing or not as it was written."""
        for root, kept in [(folder, self.files), (folder.parent / STORE, self.archived)]:
            for each in kept:
                path = root / each.path
                if not path.is_file():
                    raise BackupError(f"{path} is missing")
                if checksum(path) != each.sha256:
                    raise BackupError(f"{path} is not as it was written")


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimals."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept(path: Path, *, below: Path) -> Kept:
    return Kept(path=str(path.relative_to(below)), sha256=checksum(path), size=path.stat().st_size)
