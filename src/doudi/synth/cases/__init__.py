"""The planted cases: for each indicator both sides of each edge, and what refused rows must leave standing."""

from doudi.synth.cases import checks, disability, dwellings, illness, poverty, refused
from doudi.synth.scene import Case

ALL: tuple[Case, ...] = (
    *poverty.CASES,
    *illness.CASES,
    *disability.CASES,
    *dwellings.CASES,
    *checks.CASES,
    *refused.CASES,
)
