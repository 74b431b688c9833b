"""What can go wrong with a report; no message holds a value of a row."""


class ReportError(Exception):
    """A report was asked for that cannot be made; the message says what is missing."""
