"""Quarantine: every refused row as it came, with every reason, until it is replayed or discarded."""

from doudi.quarantine.keeping import keep_refused

__all__ = ["keep_refused"]
