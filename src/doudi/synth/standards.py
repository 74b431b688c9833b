"""The amounts that the truth and the planted cases are measured against.

They are the national defaults of indicators.md, written down here a second time, on purpose: what should come out
must not be computed from the seeds that the warehouse itself reads. Amounts are in fen (1 yuan = 100 fen), so that
every comparison is between whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

RURAL, URBAN = "rural", "urban"

_ALLOWANCE_YUAN = {
    # valid from: (rural, urban), per person and month
    date(2019, 1, 1): (445, 624),
    date(2020, 1, 1): (497, 678),
    date(2021, 1, 1): (530, 711),
    date(2022, 1, 1): (582, 752),
    date(2023, 1, 1): (621, 786),
}
_DISPOSABLE_YUAN = {
    # year: (rural, urban), per person in that year
    2018: (14617, 39251),
    2019: (16021, 42359),
    2020: (17131, 43834),
    2021: (18931, 47412),
    2022: (20133, 49283),
    2023: (21691, 51821),
}
_POVERTY_LINE_YUAN = {
    # valid from: per person and year
    date(2019, 1, 1): 5000,
    date(2021, 1, 1): 6000,
    date(2022, 1, 1): 6500,
    date(2023, 1, 1): 7000,
}
FIRST_DAY = min(_ALLOWANCE_YUAN)

LOW_MARGIN_PERCENT = 150  # of the minimum allowance standard
FALLEN_TO_PERCENT = 70  # RP02, of the income of a year before
ILLNESS_PERCENT = 50  # RP05, of the disposable income
WORKING_AGES = range(16, 60)  # RP04
LARGE_SELF_PAY_FEN = 10_000_00  # of twelve months, BL01
LARGE_SELF_PAY_OF_OTHERS_FEN = 26_000_00  # of twelve months, BL02
UNINSURED_COST_FEN = 10_000_00  # of twelve months, BL03
NEW_CERTIFICATE_DAYS = 90  # BL04
SEVERAL_DISABLED = 2  # BL05
SCHOOL_AGES = range(6, 18)  # BL06
EDUCATION_FEN = 10_000_00  # BL07
REPEATED_GRANTS = 2  # BL09
RIGID_PERCENT = 60  # PT03, of the yearly income
GRADUAL_EXIT_DAYS = 30  # PT06
GRADUAL_EXIT_PERCENT = 150  # PT06, of the minimum allowance standard
HARDSHIP_ELDER_AGE, HARDSHIP_CHILD_BELOW = 60, 16  # CG04
PROTECTED_CHILD_BELOW = 18  # CG06
LEFT_BEHIND_CHILD_BELOW = 16  # SG01
LEFT_BEHIND_ELDER_AGE = 80  # SG02
SEVERAL_RISKS = 3  # MR01

_CA, _PA, _HS = "civil_affairs", "poverty_alleviation", "healthcare_security"
_DF, _ED, _HO = "disabled_persons_federation", "education", "housing"
# indicator: (level, lead department)
INDICATORS = {
    "RP01": ("orange", _PA),
    "RP02": ("orange", _PA),
    "RP03": ("orange", _CA),
    "RP04": ("red", _PA),
    "RP05": ("red", _HS),
    "RP06": ("red", _CA),
    "BL01": ("red", _HS),
    "BL02": ("orange", _HS),
    "BL03": ("red", _HS),
    "BL04": ("red", _DF),
    "BL05": ("orange", _CA),
    "BL06": ("red", _ED),
    "BL07": ("orange", _ED),
    "BL08": ("red", _HO),
    "BL09": ("orange", _CA),
    "PT01": ("red", _CA),
    "PT02": ("yellow", _CA),
    "PT03": ("orange", _CA),
    "PT04": ("yellow", _CA),
    "PT05": ("yellow", _CA),
    "PT06": ("yellow", _CA),
    "CG01": ("red", _CA),
    "CG02": ("yellow", _CA),
    "CG03": ("yellow", _CA),
    "CG04": ("red", _CA),
    "CG05": ("red", _CA),
    "CG06": ("red", _CA),
    "SG01": ("orange", _CA),
    "SG02": ("orange", _CA),
    "SG03": ("yellow", _CA),
    "CR01": ("review", _CA),
    "CR02": ("review", _CA),
    "CR03": ("review", _CA),
    "CR04": ("review", _CA),
    "CR05": ("review", _DF),
    "MR01": ("red", _CA),
}


@dataclass(frozen=True)
class Standards:
    """The amounts of one day, in fen: ``rural`` and ``urban`` are the minimum allowance per person and month.

    ``rural_income`` and ``urban_income`` are the disposable income per person of the year before (of the last year
    that is published where that one is not yet), ``poverty_line`` the income per person and year below which a
    household falls back into poverty.
    """

    rural: int
    urban: int
    rural_income: int
    urban_income: int
    poverty_line: int

    @classmethod
    def on(cls, day: date) -> "Standards":
        """Raises ValueError for a day before the first published amount."""
        if day < FIRST_DAY:
            raise ValueError(f"no minimum allowance standard is known for {day}; the first is of {FIRST_DAY}")
        rural, urban = _latest(_ALLOWANCE_YUAN, day)
        rural_income, urban_income = _latest(_DISPOSABLE_YUAN, day.year - 1)
        return cls(
            rural=rural * 100,
            urban=urban * 100,
            rural_income=rural_income * 100,
            urban_income=urban_income * 100,
            poverty_line=_latest(_POVERTY_LINE_YUAN, day) * 100,
        )

    def of(self, area_type: str) -> int:
        return self.urban if area_type == URBAN else self.rural

    def margin(self, area_type: str) -> int:
        """The income, in fen per person and month, at which a household is no longer on the margin."""
        return self.of(area_type) * LOW_MARGIN_PERCENT // 100

    def income(self, area_type: str) -> int:
        """The disposable income of the year before, in fen per person and year."""
        return self.urban_income if area_type == URBAN else self.rural_income


def _latest(amounts: Mapping[Any, Any], day: date | int) -> Any:
    """The amount that holds on a day or in a year: the one with the last beginning up to it."""
    return amounts[max(since for since in amounts if since <= day)]
