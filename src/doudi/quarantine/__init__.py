"""Quarantine: every refused row as it came, with every reason, until it is replayed or discarded."""

from doudi.quarantine.fate import settle
from doudi.quarantine.keeping import keep_refused
from doudi.quarantine.numbers import QuarantineError

__all__ = ["QuarantineError", "keep_refused", "settle"]
