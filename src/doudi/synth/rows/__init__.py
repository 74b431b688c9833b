"""One row of each feed, as its contract names the columns; what does not matter to a case has a believable default.

Money is in fen. A test checks that every row has exactly its contract's columns.
"""

from doudi.synth.rows.civil_affairs import (
    area_type,
    child_protection,
    economic_check,
    left_behind,
    minimum_allowance,
    special_hardship,
    temporary_assistance,
)
from doudi.synth.rows.departments import (
    bill,
    disability,
    education_assistance,
    household_visit,
    housing_assistance,
    medical_assistance,
    poverty_register,
)

__all__ = [
    "area_type",
    "bill",
    "child_protection",
    "disability",
    "economic_check",
    "education_assistance",
    "household_visit",
    "housing_assistance",
    "left_behind",
    "medical_assistance",
    "minimum_allowance",
    "poverty_register",
    "special_hardship",
    "temporary_assistance",
]
