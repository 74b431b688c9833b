"""What somebody outside can make of published counts: linear programs over nothing but the rows as they were told."""

from collections.abc import Iterable

import numpy as np
from scipy.optimize import linprog

Told = tuple[str, str, str, int | None]  # measure, category, division code, count or None where it is hidden
LENGTHS = (2, 4, 6)


def bounds(rows: Iterable[Told]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Between which values each hidden count must lie.

    An outsider knows that zeros are told, that an area is the sum of those in it, and `all` that of the categories.
    """
    told = {(measure, category, code): value for measure, category, code, value in rows}
    hidden = sorted(cell for cell, value in told.items() if value is None)
    number = {cell: place for place, cell in enumerate(hidden)}
    left, right = [], []
    for whole, parts in _sums(told):
        line, total = np.zeros(len(hidden)), 0
        for cell, sign in [(whole, -1), *((part, 1) for part in parts)]:
            if cell in number:
                line[number[cell]] += sign
            else:
                total -= sign * (told[cell] or 0)
        if line.any():
            left.append(line)
            right.append(total)
    return {cell: _bounds(number[cell], left, right, len(hidden)) for cell in hidden}


def _sums(told):
    for measure, category, code in told:
        within = [
            other
            for other in told
            if other[:2] == (measure, category) and other[2].startswith(code) and _below(code, other[2])
        ]
        if within:
            yield (measure, category, code), within
        if category == "all":
            yield (
                (measure, category, code),
                [other for other in told if other[0] == measure and other[2] == code and other[1] != "all"],
            )


def _below(code: str, other: str) -> bool:
    return code != other and LENGTHS.index(len(other)) == LENGTHS.index(len(code)) + 1


def _bounds(cell: int, left: list[np.ndarray], right: list[int], width: int) -> tuple[float, float]:
    found = []
    for sign in (1, -1):
        goal = np.zeros(width)
        goal[cell] = sign
        equations = {"A_eq": np.array(left), "b_eq": right} if left else {}
        result = linprog(goal, bounds=[(1, None)] * width, method="highs", **equations)
        assert result.status in (0, 3), result.message  # 3: nothing bounds it
        found.append(sign * result.fun if result.status == 0 else sign * -np.inf)
    return found[0], found[1]
