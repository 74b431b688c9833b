"""Where what is being pulled lies until it is archived: one folder per remote file, readable by its owner only.

A berth holds the growing ``part`` with what is needed to go on after a cut, and in the end the whole file under its own
name, with its manifest and ``origin.json`` beside it. A file that has its name is whole.
"""

import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from doudi.deliveries import Delivery, Origin, make_durable, parse_name


@dataclass(frozen=True, kw_only=True)
class Berth:
    """The folder that one remote file, in one state, has to itself; ``name`` is the delivery's file name."""

    folder: Path
    name: str

    @property
    def part(self) -> Path:
        return self.folder / "part"

    @property
    def whole(self) -> Path:
        return self.folder / self.name

    def open(self) -> None:
        self.folder.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read_state(self) -> dict[str, Any]:
        """What was written beside the part with `write_state`; empty where nothing was."""
        path = self.folder / "state.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def write_state(self, state: dict[str, Any]) -> None:
        _write_json(self.folder / "state.json", state)

    def complete(self, origin: Origin) -> None:
        """The part is whole: from here on it is a delivery."""
        _write_json(
            self.folder / "origin.json",
            {
                "name": self.name,
                "uri": origin.uri,
                "size": origin.size,
                "modified_at": origin.modified_at.isoformat(),
            },
        )
        self.part.replace(self.whole)


def berth(spool: Path, *, source: str, name: str, identity: object) -> Berth:
    """The berth of what ``identity`` tells apart: a file that changed at its source gets another one."""
    key = hashlib.sha256(repr(identity).encode()).hexdigest()[:16]
    return Berth(folder=spool / source / key, name=name)


def deliveries_in(spool: Path, *, feeds: Collection[str]) -> list[Delivery]:
    """The whole deliveries of ``feeds`` that were pulled and not yet archived, the oldest first."""
    found = []
    for path in spool.glob("*/*/origin.json"):
        facts = json.loads(path.read_text(encoding="utf-8"))
        whole = path.with_name(facts["name"])
        if not whole.exists():
            continue
        origin = Origin(uri=facts["uri"], size=facts["size"], modified_at=datetime.fromisoformat(facts["modified_at"]))
        delivery = parse_name(whole, feeds=None)
        if delivery.feed in feeds:
            found.append(replace(delivery, pulled_from=origin))
    return sorted(found, key=lambda delivery: delivery.order)


def remove(delivery: Delivery) -> None:
    """Take away a pulled copy; the source keeps its own."""
    shutil.rmtree(delivery.path.parent, ignore_errors=True)


def sweep(spool: Path, *, source: str, keep: Collection[Berth]) -> None:
    """Take away what was begun of files that are no longer, or no longer so, at the source."""
    kept = {berth.folder for berth in keep}
    for folder in (spool / source).glob("*"):
        if folder not in kept and not (folder / "origin.json").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(json.dumps(content).encode())
        make_durable(file)
    partial.replace(path)
