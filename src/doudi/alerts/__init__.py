"""Alerts: what is wrong, told once to those who can mend it, by mail or webhook, and never a value of a row."""

from doudi.alerts.telling import NIGHT, note_failure, tell
from doudi.alerts.troubles import FAILURE, KINDS, LATE, OVERDUE, REFUSED

__all__ = ["FAILURE", "KINDS", "LATE", "NIGHT", "OVERDUE", "REFUSED", "note_failure", "tell"]
