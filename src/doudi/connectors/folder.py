"""Files in a folder of this machine, such as a share that is mounted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doudi.connectors import connections
from doudi.deliveries import Origin
from doudi.sources import Folder

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class _FolderStore:
    folder: Path

    def listing(self) -> dict[str, Origin]:
        return {path.name: Origin.of(path) for path in self.folder.iterdir() if path.is_file()}

    def look(self, name: str) -> Origin:
        return Origin.of(self.folder / name)

    def read(self, name: str, *, offset: int) -> Iterator[bytes]:
        with (self.folder / name).open("rb") as file:
            file.seek(offset)
            while piece := file.read(_PIECE_BYTES):
                yield piece


@contextmanager
def open_store(source: Folder) -> Iterator[_FolderStore]:
    """The folder, below the ``path`` that the connection's extra names."""
    root = connections.get(source.connection).extra_dejson.get("path", "/")
    yield _FolderStore(Path(root) / source.path)
