"""A prefecture of several counties: its deliveries, some of them late or sent again, and a warehouse of them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg

from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.synth.generate import generate
from doudi.synth.places import COUNTY, NEIGHBOUR

# The generator knows one county and a neighbour of it; others are that county under another code.
COUNTIES = {"513431": "513430", "513433": "513432", "513436": "513435"}
LATE = "20200430"


@dataclass(frozen=True)
class Warehouse:
    """An installation after its nights, and what became of each delivery."""

    settings: Settings
    loads: list[LoadResult]

    @property
    def url(self) -> str:
        return self.settings.database_url or ""

    def rows(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.url) as session:
            return session.execute(statement).fetchall()


def deliver(folder: Path, *, division_file: Path, as_of: date, persons: int = 250) -> list[Path]:
    """Write the deliveries into ``folder/first`` and ``folder/second``, and return them in the order they come in.

    Second come those of the last month; before them, late, one county's of April, and one sent again.
    """
    first: list[Path] = []
    late: list[Path] = []
    last: list[Path] = []
    for seed, (county, neighbour) in enumerate(COUNTIES.items(), start=1):
        written = folder / county
        generate(written, persons=persons, seed=seed, as_of=as_of, division_file=division_file)
        for path in sorted(written.glob("*.csv"), key=lambda path: path.stem.rsplit("_", 1)[-1]):
            is_late = county != COUNTY and LATE in path.name
            is_last = f"{as_of:%Y%m%d}" in path.name
            place = folder / ("second" if is_late or is_last else "first")
            target = _move(path, place, {COUNTY: county, NEIGHBOUR: neighbour})
            (late if is_late else last if is_last else first).append(target)
    return [*first, *late, *last, _sent_again(last)]


def _move(path: Path, place: Path, codes: dict[str, str]) -> Path:
    """The delivery under the other county's codes, without its manifest, whose sums would be those of the old one."""
    content, name = path.read_bytes(), path.name
    for old, new in codes.items():
        name = name.replace(old, new)
        content = content.replace(old.encode(), new.encode())
    place.mkdir(exist_ok=True)
    target = place / name
    target.write_bytes(content)
    return target


def _sent_again(deliveries: list[Path]) -> Path:
    """The first snapshot of the last month once more, without its last line, as the same day's second list."""
    source = next(path for path in deliveries if path.name.startswith(f"minimum_allowance_{COUNTY}"))
    target = source.with_name(f"{source.stem}_2.csv")
    content = source.read_bytes().rstrip(b"\r\n")
    target.write_bytes(content[: content.rindex(b"\n") + 1])
    return target
