"""Files in a bucket of an object store: S3 and what speaks like it, and whatever else Airflow has a provider for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doudi.connectors import connections
from doudi.deliveries import Origin
from doudi.sources import ObjectStore

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

_RANGE_BYTES = 1 << 23


@dataclass(frozen=True)
class _Bucket:
    folder: "ObjectStoragePath"

    def listing(self) -> dict[str, Origin]:
        self.folder.fs.invalidate_cache()  # a listing is remembered for as long as the process lives
        return {path.name: _origin(path) for path in self.folder.iterdir() if path.is_file()}

    def look(self, name: str) -> Origin:
        self.folder.fs.invalidate_cache()
        return _origin(self.folder / name)

    def read(self, name: str, *, offset: int) -> Iterator[bytes]:
        with (self.folder / name).open("rb", block_size=_RANGE_BYTES, cache_type="readahead") as file:
            file.seek(offset)
            while piece := file.read(_RANGE_BYTES):
                yield piece


def _origin(path: "ObjectStoragePath") -> Origin:
    changed = path.fs.modified(path.path).replace(microsecond=0)  # a listing is finer than the head of one object
    return Origin(uri=str(path), size=path.stat().st_size, modified_at=changed)


@contextmanager
def open_store(source: ObjectStore) -> Iterator[_Bucket]:
    from airflow.sdk import ObjectStoragePath

    connections.get(source.connection)
    yield _Bucket(ObjectStoragePath(f"{source.protocol}://{source.bucket}/{source.prefix}", conn_id=source.connection))
