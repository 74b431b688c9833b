"""Made-up citizen IDs (GB 11643-1999): correct in form, unique, and of nobody.

The first six digits are 990001–990999, which no area has, so that no number can belong to a living person.
"""

from datetime import date, timedelta
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_WEIGHTED_ZEROS = sum(_WEIGHTS) * ord("0")
_CHECK_CHARACTERS = "10X98765432"

_AREAS = 999
_SEQUENCES = 497  # pairs of an odd (male) and an even (female) number, so that 995-999 stay unused
_SLOTS = _AREAS * _SEQUENCES
_SCATTER = 7919  # has no divisor in common with _SLOTS, so that neighbours do not share an area
_DAYS = 31
CAPACITY = _SLOTS * _DAYS


def check_character(seventeen: str) -> str:
    """The last of the eighteen, for the first seventeen digits."""
    weighted = sum(map(mul, _WEIGHTS, seventeen.encode("ascii")))
    return _CHECK_CHARACTERS[(weighted - _WEIGHTED_ZEROS) % 11]


def compose(ordinal: int, *, birth: date, male: bool) -> tuple[str, date]:
    """The citizen ID of the ``ordinal``-th person, and the birth date that it carries.

    Unique without remembering any: the ordinal chooses area and sequence; where those come round again, the
    persons who share them are born on different days, for which a birth date is moved back by up to 30 days.
    Raises ValueError from ``CAPACITY`` persons on.
    """
    round_no, slot = divmod(ordinal, _SLOTS)
    if round_no >= _DAYS:
        raise ValueError(f"there are citizen IDs for {CAPACITY} persons only")
    slot = slot * _SCATTER % _SLOTS
    half, area = divmod(slot, _AREAS)
    birth -= timedelta(days=(birth.toordinal() + slot - round_no) % _DAYS)
    year, month, day = birth.year, birth.month, birth.day
    seventeen = f"{990001 + area}{year:04d}{month:02d}{day:02d}{2 * half + (1 if male else 2):03d}"
    return seventeen + check_character(seventeen), birth


def can_be_short(citizen_id: str) -> bool:
    """Whether the 15-digit form of before 1999 says the same."""
    return citizen_id[6:8] == "19"


def short(citizen_id: str) -> str:
    """The 15-digit form: without the century and the check character."""
    return citizen_id[:6] + citizen_id[8:17]
