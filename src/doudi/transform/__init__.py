"""What the registers become: builds of staging, intermediate, identity and marts by dbt, in this process.

A build for the latest date changes identity and marts in place. A build for an earlier date leaves them alone: it goes
to schemas of its own (``marts_as_of_20200331``), made anew each time.
"""

from doudi.transform.apart import Apart, apart
from doudi.transform.builds import BuildResult, IndicatorCount, Preparation, build, is_needed, unit_tests
from doudi.transform.runner import BuildError

__all__ = [
    "Apart",
    "BuildError",
    "BuildResult",
    "IndicatorCount",
    "Preparation",
    "apart",
    "build",
    "is_needed",
    "unit_tests",
]
