"""Pulling whole files: what is new at a source comes into the spool, and goes on where it was cut."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from doudi.connectors import folder, object_store, sftp, spool
from doudi.connectors.connections import SourceError
from doudi.connectors.spool import Berth
from doudi.deliveries import MANIFEST_SUFFIX, DeliveryRefused, Origin, is_delivery_name, make_durable, parse_name
from doudi.sources import FileSource

Seen = Callable[[Collection[Origin]], set[Origin]]


class Store(Protocol):
    """An open source of files. Names are those within the source's folder."""

    def listing(self) -> dict[str, Origin]:
        """The files that are there, none of subfolders."""

    def look(self, name: str) -> Origin:
        """The file as it is now."""

    def read(self, name: str, *, offset: int) -> Iterator[bytes]:
        """The file's bytes from ``offset`` on, in pieces."""


_OPEN: dict[str, Callable[[FileSource], AbstractContextManager[Store]]] = {
    "folder": folder.open_store,
    "object_store": object_store.open_store,
    "sftp": sftp.open_store,
}


@dataclass(frozen=True, kw_only=True)
class _Pull:
    source: FileSource
    store: Store
    listed: dict[str, Origin]


def pull(source: FileSource, *, folder: Path, seen: Seen, tell: Callable[[str], None]) -> list[str]:
    """Bring what ``seen`` does not know of the source's feed into the spool at ``folder``. Returns the files' names.

    Raises SourceError or OSError where the source could not be read to the end. A file that may not be read, or is
    gone again, does not keep the others from coming; the first such error is raised after them.
    """
    with _OPEN[source.kind](source) as store:
        work = _Pull(source=source, store=store, listed=store.listing())
        names = list(_wanted(work, tell))
        known = seen([work.listed[name] for name in names])
        berths = [
            spool.berth(folder, source=source.name, name=name, identity=work.listed[name])
            for name in names
            if work.listed[name] not in known
        ]
        spool.sweep(folder, source=source.name, keep=berths)
        pulled, faults = [], []
        for berth in berths:
            if berth.whole.exists():
                continue
            try:
                _fetch(work, berth)
                pulled.append(berth.name)
            except (PermissionError, FileNotFoundError) as error:
                faults.append(SourceError(f"{berth.name}: {type(error).__name__}"))
    if faults:
        raise faults[0]
    return pulled


def _wanted(work: _Pull, tell: Callable[[str], None]) -> Iterator[str]:
    for name in sorted(work.listed):
        if not (is_delivery_name(name) and fnmatchcase(name, work.source.pattern)):
            continue
        try:
            delivery = parse_name(Path(name), feeds=None)
        except DeliveryRefused as refusal:
            tell(f"{work.source.name}: left there: {refusal}")
            continue
        if delivery.feed == work.source.feed:
            yield name


def _fetch(work: _Pull, berth: Berth) -> None:
    """Bring one file, its manifest first, so that the file is never taken in without it."""
    berth.open()
    manifest = berth.name + MANIFEST_SUFFIX
    if manifest in work.listed:
        whole = berth.folder / manifest
        whole.write_bytes(b"".join(work.store.read(manifest, offset=0)))
    expected = work.listed[berth.name]
    with berth.part.open("ab") as part:
        try:
            for piece in work.store.read(berth.name, offset=part.tell()):
                part.write(piece)
        finally:
            make_durable(part)
        size = part.tell()
    if work.store.look(berth.name) != expected or size > expected.size:
        berth.part.unlink()
        raise SourceError(f"{berth.name} changed while it was read")
    if size < expected.size:
        raise SourceError(f"{berth.name} was cut off after {size} of {expected.size} bytes")
    berth.complete(expected)
