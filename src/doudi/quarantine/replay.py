"""The file in which refused rows come again: a line of JSON for each, with the text under each heading and its number.

It is taken in like any other delivery. The number makes the file of one delivery's rows differ from that of another's
with the same text, and leads from a row that is refused again back to where it came first.
"""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from doudi.quarantine.numbers import RowNumber
from doudi.rules import RETURN_NUMBER


@dataclass(frozen=True)
class Row:
    """A row as it is to be judged again; ``cells`` is the text under each heading, in the order of the headings."""

    number: RowNumber
    cells: dict[str, str]


@dataclass
class ReplayFile:
    """A file that was written, and which rows of the quarantine are in it."""

    path: Path
    row_nos: list[int] = field(default_factory=list)


def write(rows: Iterable[Row], *, folder: Path, name: str) -> list[ReplayFile]:
    """Write ``rows`` as ``folder``/<n>/``name``, a file for each set of headings that they came under.

    Two parts of a delivery may call one column by two names; in one file each would miss in half of the rows. Memory
    does not grow with the rows' text.
    """
    files: dict[frozenset[str], tuple[ReplayFile, IO[str]]] = {}
    with ExitStack() as opened:
        for row in rows:
            headings = frozenset(row.cells)
            if headings not in files:
                path = folder / str(len(files) + 1) / name
                path.parent.mkdir(parents=True)
                content = opened.enter_context(path.open("w", encoding="utf-8", newline=""))
                files[headings] = ReplayFile(path), content
            file, content = files[headings]
            json.dump({RETURN_NUMBER: str(row.number)} | row.cells, content, ensure_ascii=False)
            content.write("\n")
            file.row_nos.append(row.number.row_no)
    return [file for file, _ in files.values()]
