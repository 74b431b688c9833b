"""Who is who where the registers alone cannot say: proposals with scores and reasons, and what was decided.

Nothing here is ever joined or corrected by guess; see docs/identity.md.
"""

from doudi.identity.columns import people
from doudi.identity.numbers import ReviewError
from doudi.identity.proposals import propose

__all__ = ["ReviewError", "people", "propose"]
