"""The amounts that the truth and the planted cases are measured against.

They are the national defaults of indicators.md, written down here a second time, on purpose: what should come out
must not be computed from the seeds that the warehouse itself reads. Amounts are in fen (1 yuan = 100 fen), so that
every comparison is between whole numbers.
"""

from dataclasses import dataclass
from datetime import date

RURAL, URBAN = "rural", "urban"

_ALLOWANCE_YUAN = {
    # valid from: (rural, urban), per person and month
    date(2019, 1, 1): (445, 624),
    date(2020, 1, 1): (497, 678),
    date(2021, 1, 1): (530, 711),
    date(2022, 1, 1): (582, 752),
    date(2023, 1, 1): (621, 786),
}
LOW_MARGIN_PERCENT = 150  # of the minimum allowance standard
LARGE_SELF_PAY_FEN = 10_000_00  # of twelve months, BL01
NEW_CERTIFICATE_DAYS = 90  # BL04

# indicator: (level, lead department)
INDICATORS = {
    "RP03": ("orange", "civil_affairs"),
    "BL01": ("red", "healthcare_security"),
    "BL04": ("red", "disabled_persons_federation"),
    "BL08": ("red", "housing"),
    "PT01": ("red", "civil_affairs"),
    "CG02": ("yellow", "civil_affairs"),
    "CG03": ("yellow", "civil_affairs"),
}


@dataclass(frozen=True)
class Standards:
    """The minimum allowance standard on one day, in fen per person and month."""

    rural: int
    urban: int

    @classmethod
    def on(cls, day: date) -> "Standards":
        """Raises ValueError for a day before the first published amount."""
        known = [since for since in _ALLOWANCE_YUAN if since <= day]
        if not known:
            raise ValueError(
                f"no minimum allowance standard is known for {day}; the first is of {min(_ALLOWANCE_YUAN)}"
            )
        rural, urban = _ALLOWANCE_YUAN[max(known)]
        return cls(rural=rural * 100, urban=urban * 100)

    def of(self, area_type: str) -> int:
        return self.urban if area_type == URBAN else self.rural

    def margin(self, area_type: str) -> int:
        """The income, in fen per person and month, at which a household is no longer on the margin."""
        return self.of(area_type) * LOW_MARGIN_PERCENT // 100
