"""What can go wrong with an extract; no message holds a value of a row."""

from doudi.connectors.connections import SourceError


class ExtractError(Exception):
    """A declaration is wrong or asks for what is not there; the message names the file."""


class NotDeliveredError(SourceError):
    """An extract lies ready and could not be brought to its recipient now; it is tried again, with the same bytes."""


class NotBuiltError(ExtractError):
    """There are no marts yet to hand anything out of, or none of that day."""
