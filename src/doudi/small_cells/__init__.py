"""What of the exact counts outsiders may know, so that no small one of them can be had by subtraction."""

from doudi.small_cells.publishing import publish

__all__ = ["publish"]
