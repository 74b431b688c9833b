"""Return numbers: how a refused row is called from the day it is sent back to the day it comes again."""

import re
from typing import NamedTuple

_NUMBER = re.compile(r"T(?P<load>[1-9]\d{0,17})-(?P<row>[1-9]\d{0,17})")


class QuarantineError(Exception):
    """Something asked of the quarantine cannot be done; the message says why in one line, without values of rows."""


class RowNumber(NamedTuple):
    """A row of a load, written ``T12-345``."""

    load_id: int
    row_no: int

    def __str__(self) -> str:
        return f"T{self.load_id}-{self.row_no}"

    @classmethod
    def parse(cls, text: str) -> "RowNumber | None":
        """The number that ``text`` is, however it was typed; None where it is none."""
        match = _NUMBER.fullmatch(text.strip().upper())
        return cls(int(match["load"]), int(match["row"])) if match else None
