"""The processors that work may be shared among."""

import os


def cores() -> int:
    """How many of the machine's processors this process may use; where the system does not tell, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
