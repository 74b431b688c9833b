"""What a review can end in besides its result."""


class ReviewError(Exception):
    """Something asked of the review list cannot be done; the message says why in one line, without values of rows."""
