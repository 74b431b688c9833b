"""Where the synthetic people live: the villages of one real county of Liangshan."""

import csv
from dataclasses import dataclass
from pathlib import Path

COUNTY = "513431"  # Zhaojue (昭觉县)
NEIGHBOUR = "513430"  # Jinyang (金阳县), which sends its list of minimum allowance, too
PREFECTURE = "5134"


@dataclass(frozen=True, slots=True)
class Village:
    """A village or neighbourhood committee: its 12-digit code, its township's name, and which standard applies."""

    code: str
    township: str
    urban: bool


@dataclass(frozen=True)
class Places:
    """The county's villages, its neighbour's, and a few others, where hospitals and schools register people too."""

    rural: tuple[Village, ...]
    urban: tuple[Village, ...]
    neighbour: tuple[Village, ...]
    outside: tuple[Village, ...]


def load_places(division_file: Path) -> Places:
    """Read the divisions (columns code, name, level, parent_code; code order does not matter).

    Raises ValueError where the file lacks villages of the county or of its neighbours.
    """
    with division_file.open(encoding="utf-8-sig", newline="") as file:
        divisions = [row for row in csv.DictReader(file) if row["code"].startswith(PREFECTURE)]
    townships = {row["code"]: row["name"] for row in divisions if len(row["code"]) == 9}
    villages = [
        Village(code=row["code"], township=townships[row["code"][:9]], urban=_is_urban(row["name"]))
        for row in sorted(divisions, key=lambda row: row["code"])
        if len(row["code"]) == 12 and not row.get("valid_to")
    ]
    home = [village for village in villages if village.code.startswith(COUNTY)]
    places = Places(
        rural=tuple(village for village in home if not village.urban),
        urban=tuple(village for village in home if village.urban),
        neighbour=tuple(village for village in villages if village.code.startswith(NEIGHBOUR) and not village.urban),
        outside=tuple(village for village in villages if not village.code.startswith(COUNTY))[::97],
    )
    if not (places.rural and places.urban and places.neighbour and places.outside):
        raise ValueError(f"{division_file} lacks villages of {COUNTY} or of its neighbours")
    return places


def _is_urban(name: str) -> bool:
    return "社区" in name or "居民委员会" in name
