"""The planted cases: for each indicator both sides of each edge, and what refused rows must leave standing."""

from doudi.synth.cases import (
    afterwards,
    checks,
    consistency,
    disability,
    dwellings,
    illness,
    inclusion,
    left_behind,
    living,
    poverty,
    refused,
    registered,
    targets,
)
from doudi.synth.scene import Case

ALL: tuple[Case, ...] = (
    *poverty.CASES,
    *registered.CASES,
    *illness.CASES,
    *disability.CASES,
    *living.CASES,
    *dwellings.CASES,
    *checks.CASES,
    *targets.CASES,
    *afterwards.CASES,
    *inclusion.CASES,
    *left_behind.CASES,
    *consistency.CASES,
    *refused.CASES,
)
