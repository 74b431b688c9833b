"""Bringing files to a recipient: by the Airflow connection ``doudi_extract_<recipient>``, or into a folder of ours.

A file is seen under its name only when it is whole: it is written under another name and renamed, and an object store
shows an object when all of it has come. A file that is there already, from a try that was cut off, is not sent again.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from doudi.connectors import connections
from doudi.deliveries import make_durable
from doudi.extracts.errors import ExtractError, NotDeliveredError

if TYPE_CHECKING:
    from airflow.sdk import Connection, ObjectStoragePath
    from paramiko import SFTPClient

BY_CONNECTION = "connection"
_PATIENCE_SECONDS = 60
_PIECE_BYTES = 1 << 20
_REQUESTS_AHEAD = 64  # of 32 KB each: enough to fill a slow line, and memory stays flat


class Place(Protocol):
    """A recipient's folder, open for writing."""

    def read(self, name: str) -> Iterator[bytes]:
        """What is there under that name, in pieces. Raises FileNotFoundError where nothing is."""

    def put(self, file: Path, name: str) -> None:
        """Bring a file there, whole or not at all."""


@dataclass(frozen=True)
class FolderPlace:
    """``mode``: of the files; the folder's own is made when it is missing."""

    folder: Path
    mode: int = 0o640

    def read(self, name: str) -> Iterator[bytes]:
        with (self.folder / name).open("rb") as file:
            yield from _pieces(file)

    def put(self, file: Path, name: str) -> None:
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        partial = self.folder / f".{name}.part"
        with suppress(FileNotFoundError):
            partial.unlink()
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        with os.fdopen(descriptor, "wb") as target, file.open("rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)
            make_durable(target)
        partial.replace(self.folder / name)


@dataclass(frozen=True)
class _SftpPlace:
    client: "SFTPClient"
    folder: str

    def read(self, name: str) -> Iterator[bytes]:
        with self.client.open(f"{self.folder}/{name}", "rb") as file:
            file.prefetch(max_concurrent_requests=_REQUESTS_AHEAD)
            yield from _pieces(file)

    def put(self, file: Path, name: str) -> None:
        self._make_folder()
        partial = f"{self.folder}/.{name}.part"
        self.client.put(str(file), partial)  # it asks the server for the size afterwards
        self.client.posix_rename(partial, f"{self.folder}/{name}")

    def _make_folder(self) -> None:
        steps = self.folder.split("/")
        for end in range(1, len(steps) + 1):
            path = "/".join(steps[:end])
            if path:
                with suppress(OSError):  # it is there, or not ours to make: what is put into it tells
                    self.client.mkdir(path)


@dataclass(frozen=True)
class _Bucket:
    folder: "ObjectStoragePath"

    def read(self, name: str) -> Iterator[bytes]:
        path = self.folder / name
        path.fs.invalidate_cache()  # a listing is remembered for as long as the process lives
        with path.open("rb") as file:
            yield from _pieces(file)

    def put(self, file: Path, name: str) -> None:
        path = self.folder / name
        path.fs.put_file(str(file), path.path)


def bring(place: Place, file: Path) -> None:
    """Put a file there under its own name, unless it is there with the same content already."""
    with file.open("rb") as ours:
        expected = hashlib.file_digest(ours, "sha256").digest()
    found = hashlib.sha256()
    try:
        for piece in place.read(file.name):
            found.update(piece)
    except FileNotFoundError:
        place.put(file, file.name)
        return
    if found.digest() != expected:
        place.put(file, file.name)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def connection_of(recipient: str) -> "Connection | None":
    """The recipient's connection; None where there is none and its extracts go into a folder of ours."""
    return connections.find(connection_id(recipient))


def connection_id(recipient: str) -> str:
    return f"doudi_extract_{recipient}"


@contextmanager
def open_place(recipient: str, *, destination: str, folder: str) -> Iterator[Place]:
    """The folder ``folder`` at the recipient. ``destination`` is BY_CONNECTION or the path of a folder of ours.

    Whatever goes wrong in it on the way is raised as NotDeliveredError, without the recipient's host or credentials.
    """
    if destination != BY_CONNECTION:
        yield FolderPlace(Path(destination) / recipient / folder)
        return
    connection = connection_of(recipient)
    if connection is None:
        raise NotDeliveredError(f"{recipient}: no Airflow connection {connection_id(recipient)} is known any more")
    try:
        with _open(connection, recipient, folder) as place:
            yield place
    except ExtractError:
        raise
    except Exception as error:
        raise NotDeliveredError(f"{recipient}: {type(error).__name__} at {connection_id(recipient)}") from None


@contextmanager
def _open(connection: "Connection", recipient: str, folder: str) -> Iterator[Place]:
    extra = connection.extra_dejson
    if address := extra.get("object_store"):
        from airflow.sdk import ObjectStoragePath

        yield _Bucket(ObjectStoragePath(address.rstrip("/"), conn_id=connection.conn_id) / folder)
    elif connection.conn_type in ("sftp", "ssh"):
        from airflow.providers.sftp.hooks.sftp import SFTPHook

        with SFTPHook(ssh_conn_id=connection.conn_id).get_managed_conn() as client:
            client.get_channel().settimeout(_PATIENCE_SECONDS)
            root = client.normalize(extra.get("path", ".")).rstrip("/")
            yield _SftpPlace(client, f"{root}/{folder}")
    elif path := extra.get("path"):
        if not Path(path).is_dir():  # a share that is not mounted: nothing is made in its place
            raise NotADirectoryError
        yield FolderPlace(Path(path) / folder)
    else:
        raise ExtractError(
            f"{connection.conn_id} says no place: its type is sftp, or its extra has path or object_store"
        )
