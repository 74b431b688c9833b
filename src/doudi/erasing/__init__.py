"""Removing a person's data where the law demands it (docs/operations.md)."""

from doudi.erasing.act import Outcome, again, erase, not_done

__all__ = ["Outcome", "again", "erase", "not_done"]
