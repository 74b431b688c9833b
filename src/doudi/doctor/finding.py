"""One thing that is wrong."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``fault`` names what is wrong, ``meaning`` what follows from it, ``command`` what to run or to do.

    An ``error`` keeps the nights from being right; a ``warning`` may.
    """

    fault: str
    severity: Literal["error", "warning"]
    what: str
    meaning: str
    command: str
