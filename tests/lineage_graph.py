"""What OpenLineage's events say leads where."""

import json
from pathlib import Path


class Graph:
    """The datasets of a file of events, by their names, and the edges from what is read to what is written."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.events = [json.loads(line) for line in self.text.splitlines()]
        self._edges: dict[str, set[str]] = {}
        for event in self.events:
            for read in event.get("inputs", []):
                self._edges.setdefault(read["name"], set()).update(written["name"] for written in event["outputs"])

    def below(self, name: str) -> set[str]:
        """Everything that is made from a dataset, directly or not."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            fresh = self._edges.get(waiting.pop(), set()) - found
            found |= fresh
            waiting += fresh
        return found
