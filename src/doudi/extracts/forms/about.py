"""What a file may say of itself."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class About:
    """``part`` is the area whose file it is, where there is one for each; None else.

    ``contracts`` is the folder of the feeds' contracts, for a file that is to come back as a delivery.
    """

    title: str
    as_of: date
    contracts: Path
    part: str | None = None
