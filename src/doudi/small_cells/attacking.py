"""What an outsider can find out about the hidden counts from the published ones: linear programs over the sums."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from doudi.small_cells.table import Table

_ROUNDS = 40  # programs that try all doubtful cells at once, before each is tried alone
_SLACK = 1e-6  # of the solver


def too_narrow(table: Table, hidden: np.ndarray, *, width: int) -> np.ndarray:
    """The hidden cells that can be bounded to a range narrower than ``width``, as their numbers.

    ``hidden``: true for each cell that is not published (n). The range of a cell holds every value that it has in some
    table which agrees with all that is published. Every table found on the way tells of all its cells, so that most
    are known to be safe after a few programs; what is left is minimised and maximised one by one.
    """
    return np.concatenate([[], *(_narrow_in(*block, width=width) for block in _blocks(table, hidden))]).astype(int)


def _blocks(table: Table, hidden: np.ndarray) -> Iterator[tuple[np.ndarray, csr_array, np.ndarray, float]]:
    """Hidden cells that hang together: their numbers, their sums, how far each may fall, and rise at most."""
    numbers = np.flatnonzero(hidden)
    sums = table.sums[:, numbers]
    sums = sums[np.diff(sums.indptr) > 0]
    touching = abs(sums)
    count, block = connected_components(touching.T @ touching, directed=False)
    of_sum = block[sums.indices[sums.indptr[:-1]]] if sums.shape[0] else np.zeros(0, dtype=int)
    room = (table.values - table.lowest)[numbers].astype(float)
    highest = float(table.values.max(initial=0))
    for inside in _groups(block, count):
        yield numbers[inside], sums[of_sum == block[inside[0]]][:, inside], room[inside], highest


def _groups(block: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(block, kind="stable")
    return np.split(order, np.cumsum(np.bincount(block, minlength=count))[:-1]) if count else []


def _narrow_in(numbers: np.ndarray, sums: csr_array, room: np.ndarray, highest: float, *, width: int) -> np.ndarray:
    """Works with what may be added to each true value: the sums of that are zero, and adding nothing is one way."""
    bounds = np.column_stack([-room, np.full(len(room), highest + width)])
    fall, rise = np.zeros(len(room)), np.zeros(len(room))

    def try_(weights: np.ndarray) -> None:
        found = linprog(-weights, A_eq=sums, b_eq=np.zeros(sums.shape[0]), bounds=bounds, method="highs")
        if not found.success:
            raise RuntimeError(f"the linear program of {len(room)} cells was not solved: {found.message}")
        np.minimum(fall, found.x, out=fall)
        np.maximum(rise, found.x, out=rise)

    def doubtful() -> np.ndarray:
        return np.flatnonzero(rise - fall < width - _SLACK)

    chance = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        before = doubtful()
        if not len(before):
            return numbers[:0]
        weights = np.zeros(len(room))
        weights[before] = chance.choice([-1.0, 1.0], len(before)) * chance.uniform(0.5, 1.5, len(before))
        try_(weights)
        try_(-weights)
        if len(before) - len(doubtful()) <= len(before) // 10:
            break
    alone = np.zeros(len(room))
    for cell in doubtful():
        for sign in (1.0, -1.0):
            if rise[cell] - fall[cell] < width - _SLACK:
                alone[cell] = sign
                try_(alone)
        alone[cell] = 0
    return numbers[doubtful()]
