"""Which deliveries can hold which faults and still be read as they were meant."""

from collections.abc import Mapping

from doudi.synth.records import Fault


def clean_delivery(deliveries: int) -> int:
    """The position of the delivery of a feed that holds no fault, so that its control totals can be told.

    -1 where the feed has too few.
    """
    return deliveries - 3 if deliveries >= 3 else -1


class FaultPlaces:
    """Shared by all that plant faults, since what one file can bear depends on what it already holds."""

    def __init__(self, *, deliveries: Mapping[str, int], plain_utf8: Mapping[str, frozenset[int]]) -> None:
        self._positions = {
            feed: tuple(index for index in range(count) if index != clean_delivery(count))
            for feed, count in deliveries.items()
        }
        self._plain_utf8 = plain_utf8
        self._open_quotes: set[tuple[str, int]] = set()

    def of(self, feed: str) -> tuple[int, ...]:
        """The positions of the deliveries of ``feed`` that may hold faults."""
        return self._positions[feed]

    def take(self, feed: str, index: int, fault: Fault) -> bool:
        """Whether the delivery at ``index`` can hold ``fault``; if so, it counts as planted.

        Bytes that are no text would make a plain UTF-8 file look like GB18030. Of two open quotes in one file, the
        second closes the first: all between them would be one long and lawful field.
        """
        if fault.line in ("encoding", "nul"):
            return index not in self._plain_utf8[feed]
        if fault.line == "quote":
            if (feed, index) in self._open_quotes:
                return False
            self._open_quotes.add((feed, index))
        return True
