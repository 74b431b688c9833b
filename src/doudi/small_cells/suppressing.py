"""Which counts are hidden: the small ones, and so many others that no small one can be had by subtraction."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csc_array

from doudi.small_cells.attacking import too_narrow
from doudi.small_cells.table import Table


def suppress(table: Table, *, threshold: int, kept_hidden: Sequence[bool] | None = None) -> np.ndarray:
    """True for each count that must not be published (n).

    Hidden are counts from 1 to below ``threshold``, those of ``kept_hidden``, and then others until every hidden count
    can be any of at least ``threshold - 1`` whole numbers by all that is published: as many as there are small ones.
    """
    width = threshold - 2
    hidden = (table.values > 0) & (table.values < threshold)
    if kept_hidden is not None:
        hidden |= np.asarray(kept_hidden, dtype=bool)
    choosing = _Choosing(table)
    while True:
        choosing.complete(hidden, width=width)
        narrow = too_narrow(table, hidden, width=width)
        if not len(narrow):
            return hidden
        choosing.widen(hidden, narrow)


class _Choosing:
    """Picks further counts to hide; ``hidden`` is changed in place."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.sums_of = csc_array(table.sums)  # by cell
        self.room = table.values - table.lowest

    def complete(self, hidden: np.ndarray, *, width: int) -> None:
        """Mend every sum that by itself tells too much: of one hidden count, or of several with too little room."""
        sums = self.table.sums
        members, parts = abs(sums), sums.maximum(0)
        while True:
            room = parts @ np.where(hidden, self.room, 0)
            without_whole = (members - parts) @ hidden.astype(int) == 0
            count = members @ hidden.astype(int)
            telling = np.flatnonzero((count == 1) | ((count > 0) & without_whole & (room < width)))
            choices = {choice for sum_ in telling if (choice := self._cheapest(hidden, [sum_])) is not None}
            if not choices:
                return
            hidden[list(choices)] = True

    def widen(self, hidden: np.ndarray, narrow: np.ndarray) -> None:
        """Hide something in each sum of a cell that is known too well though its sums look well, or else nearby."""
        chosen: set[int] = set()
        for cell in narrow:
            near = self._sums_of([cell])
            while not (choices := {self._cheapest(hidden, [sum_]) for sum_ in near} - {None}):
                further = self._sums_of([member for sum_ in near for member in self._members(sum_) if hidden[member]])
                if len(further) == len(near):
                    choices = self._empty_wholes(hidden, near)
                    break
                near = further
            chosen |= choices
        hidden[list(chosen)] = True

    def _empty_wholes(self, hidden: np.ndarray, sums: list[int]) -> set[int]:
        """The wholes that are told to be zero: they tell that parts which were hidden have fallen to zero since."""
        wholes = {int(cell) for sum_ in sums for cell in self._members(sum_) if self.table.sums[sum_, cell] < 0}
        empty = {cell for cell in wholes if not hidden[cell] and not self.table.values[cell]}
        if not empty:
            raise RuntimeError("a count is known too well although all around it are hidden")
        return empty

    def _cheapest(self, hidden: np.ndarray, sums: list[int]) -> int | None:
        """The published count, zeros apart, whose loss costs least: a part rather than a whole, then one whose other
        sums have hidden counts already, then the smallest."""
        best: tuple[tuple[bool, int, int], int] | None = None
        for sum_ in sums:
            for cell in self._members(sum_):
                if hidden[cell] or not self.table.values[cell]:
                    continue
                alone = sum(not hidden[self._members(other)].any() for other in self._sums_of([cell]))
                cost = (bool(self.table.sums[sum_, cell] < 0), alone, int(self.table.values[cell]))
                if best is None or (cost, cell) < best:
                    best = (cost, cell)
        return None if best is None else best[1]

    def _members(self, sum_: int) -> np.ndarray:
        sums = self.table.sums
        return sums.indices[sums.indptr[sum_] : sums.indptr[sum_ + 1]]

    def _sums_of(self, cells: list[int]) -> list[int]:
        pointers, sums = self.sums_of.indptr, self.sums_of.indices
        return sorted({int(sum_) for cell in cells for sum_ in sums[pointers[cell] : pointers[cell + 1]]})
