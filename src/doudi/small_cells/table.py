"""Counts that are published together, and every sum that ties one of them to others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

TOTAL = "all"  # the category that is the sum of the others of its measure
AREA_DIGITS = (2, 4, 6, 9)  # of a division code: province, prefecture, county, township


class Cell(NamedTuple):
    """What a count is of: a measure such as open_warnings, a category of it, and an area."""

    measure: str
    category: str
    division_code: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """``values``: one count per cell. ``sums``: a row per relation, 1 for each part and -1 for the whole (m × n)."""

    values: np.ndarray
    sums: csr_array

    @property
    def lowest(self) -> np.ndarray:
        """What an outsider knows a hidden count to be at least: zeros are not hidden, so 1."""
        return np.minimum(self.values, 1)


def additive(counts: dict[Cell, int]) -> tuple[list[Cell], Table]:
    """The cells in order, and their table: an area is the sum of those in it, a total that of its categories.

    Every area has its whole tree above it in ``counts``; a count that is not there is zero.
    """
    cells = sorted(counts)
    place = {cell: number for number, cell in enumerate(cells)}
    parts: dict[Cell, list[int]] = defaultdict(list)
    totals: dict[Cell, list[int]] = defaultdict(list)
    with_total = {cell.measure for cell in cells if cell.category == TOTAL}
    for cell, number in place.items():
        if (digits := len(cell.division_code)) != AREA_DIGITS[0]:
            above = AREA_DIGITS[AREA_DIGITS.index(digits) - 1]
            parts[cell._replace(division_code=cell.division_code[:above])].append(number)
        if cell.measure in with_total and cell.category != TOTAL:
            totals[cell._replace(category=TOTAL)].append(number)
    relations = [([place[whole]], numbers) for of in (parts, totals) for whole, numbers in of.items()]
    values = np.array([counts[cell] for cell in cells], dtype=np.int64)
    return cells, Table(values=values, sums=_matrix(relations, len(cells)))


def _matrix(relations: Sequence[tuple[list[int], list[int]]], width: int) -> csr_array:
    rows = [number for number, (whole, parts) in enumerate(relations) for _ in (*whole, *parts)]
    columns = [cell for whole, parts in relations for cell in (*whole, *parts)]
    signs = [sign for whole, parts in relations for sign in (-1, *([1] * len(parts)))]
    return csr_array((signs, (rows, columns)), shape=(len(relations), width), dtype=np.int64)
