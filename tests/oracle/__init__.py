"""A plain reading of the page of indicators over the register rows, held against what the models find.

Written from the page (and from docs/decisions/2026-11-24-indicators-read-closely.md where the page leaves room), not
from the SQL: one thing after the other, no care for speed. ``register`` reads the rows that hold on a date,
``households`` says who lives with whom, ``world`` how they stand, one module per family judges the indicators,
``findings`` gathers them, ``lives`` plays the warnings from month to month. ``counties`` makes the counties on which
both are tried.
"""

from oracle import (  # noqa: F401  each notes its indicators in the catalogue
    basic_living,
    composite,
    consistency,
    coverage_gaps,
    potential_targets,
    return_to_poverty,
    special_groups,
)
