"""What an indicator found."""

from datetime import date
from typing import NamedTuple


class Found(NamedTuple):
    """``subject`` is a citizen ID; ``fact_on``, the latest date among the facts, is told where others ask for it."""

    code: str
    subject: str
    fact_on: date | None


Dated = tuple[str, date | None]  # code and fact_on, of whomever was asked about
