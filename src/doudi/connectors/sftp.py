"""Files on an SFTP server. The server's host key is checked, unless the connection says otherwise."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from doudi.connectors import connections
from doudi.deliveries import Origin
from doudi.sources import Sftp

if TYPE_CHECKING:
    from paramiko import SFTPAttributes, SFTPClient

_PIECE_BYTES = 1 << 18
_REQUESTS_AHEAD = 64  # of 32 KB each: enough to fill a slow line, and memory stays flat
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class _SftpStore:
    client: "SFTPClient"
    address: str
    folder: str

    def listing(self) -> dict[str, Origin]:
        return {
            entry.filename: self._origin(entry.filename, entry)
            for entry in self.client.listdir_iter(self.folder)
            if stat.S_ISREG(entry.st_mode or 0)
        }

    def look(self, name: str) -> Origin:
        return self._origin(name, self.client.stat(f"{self.folder}/{name}"))

    def read(self, name: str, *, offset: int) -> Iterator[bytes]:
        with self.client.open(f"{self.folder}/{name}", "rb") as file:
            file.seek(offset)
            file.prefetch(max_concurrent_requests=_REQUESTS_AHEAD)
            while piece := file.read(_PIECE_BYTES):
                yield piece

    def _origin(self, name: str, entry: "SFTPAttributes") -> Origin:
        changed = datetime.fromtimestamp(entry.st_mtime or 0, tz=UTC)
        return Origin(uri=f"{self.address}{self.folder}/{name}", size=entry.st_size or 0, modified_at=changed)


@contextmanager
def open_store(source: Sftp) -> Iterator[_SftpStore]:
    from airflow.providers.sftp.hooks.sftp import SFTPHook

    connections.get(source.connection)  # says which one is missing, where the hook only says that one is
    hook = SFTPHook(ssh_conn_id=source.connection)
    with hook.get_managed_conn() as client:
        client.get_channel().settimeout(_PATIENCE_SECONDS)
        folder = client.normalize(source.path).rstrip("/")
        yield _SftpStore(client, f"sftp://{hook.remote_host}:{hook.port}", folder)
