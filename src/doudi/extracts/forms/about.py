"""What a file may say of itself."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class About:
    """``part`` is the area whose file it is, where there is one for each; None else."""

    title: str
    as_of: date
    part: str | None = None
