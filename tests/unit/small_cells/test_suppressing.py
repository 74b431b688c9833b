"""Hidden counts: few, and none that can be had from what is told, as an outsider without our code finds."""

from itertools import product

import numpy as np
import pytest
from outsider import bounds

from doudi.small_cells.attacking import too_narrow
from doudi.small_cells.suppressing import suppress
from doudi.small_cells.table import Cell, additive


def _table(counties: dict[str, dict[str, int]], *, total: bool = True) -> dict[Cell, int]:
    """The counts of counties by category, with all sums above them."""
    counts: dict[Cell, int] = {}
    for code, categories in counties.items():
        for category, value in [*categories.items(), *([("all", sum(categories.values()))] if total else [])]:
            for digits in (2, 4, 6):
                cell = Cell("warnings", category, code[:digits])
                counts[cell] = counts.get(cell, 0) + value
    return counts


def _hidden(counts: dict[Cell, int], **options: object) -> set[Cell]:
    cells, table = additive(counts)
    return {cell for cell, is_hidden in zip(cells, suppress(table, threshold=10, **options), strict=True) if is_hidden}


def _width(counts: dict[Cell, int], hidden: set[Cell]) -> float:
    """Of the count that an outsider knows best."""
    known = bounds((*cell, None if cell in hidden else value) for cell, value in counts.items())
    return min((most - least for least, most in known.values()), default=np.inf)


def test_a_small_count_takes_the_smallest_of_its_neighbours_with_it_and_zeros_are_told() -> None:
    counts = _table({"510101": {"A": 3}, "510102": {"A": 40}, "510103": {"A": 500}, "510104": {"A": 0}}, total=False)
    assert _hidden(counts) == {Cell("warnings", "A", "510101"), Cell("warnings", "A", "510102")}


def test_who_is_alone_in_an_area_is_hidden_there_too() -> None:
    counts = _table({"510101": {"A": 3}, "510201": {"A": 40}, "510202": {"A": 50}}, total=False)
    assert {cell.division_code for cell in _hidden(counts)} >= {"510101", "5101", "5102"}
    assert _width(counts, _hidden(counts)) >= 8


def test_small_counts_that_add_up_to_little_do_not_tell_each_other() -> None:
    counts = _table({"510101": {"A": 1}, "510102": {"A": 1}, "510103": {"A": 200}}, total=False)
    assert len(_hidden(counts)) == 3, "2 = 1 + 1, if only the two were hidden"


def test_a_count_between_two_groups_is_found_although_every_sum_hides_several() -> None:
    codes, categories = [f"5101{n:02d}" for n in range(1, 5)], "ABCD"
    counts = _table({code: dict.fromkeys(categories, 50) for code in codes})
    pattern = {
        Cell("warnings", c, a) for a, c in [*product(codes[:2], "AB"), *product(codes[2:], "CD"), (codes[1], "C")]
    }
    cells, table = additive(counts)
    narrow = too_narrow(table, np.array([cell in pattern for cell in cells]), width=8)
    assert [cells[number] for number in narrow] == [Cell("warnings", "C", codes[1])]

    small = _table({code: {c: 5 if Cell("warnings", c, code) in pattern else 50 for c in categories} for code in codes})
    assert _width(small, {cell for cell in pattern if small[cell] < 10}) < 8
    assert _width(small, _hidden(small)) >= 8


@pytest.mark.parametrize("seed", range(8))
def test_no_hidden_count_of_a_chance_table_can_be_bounded_more_closely_than_a_small_one(seed: int) -> None:
    chance = np.random.default_rng(seed)
    codes = [
        f"51{prefecture:02d}{county:02d}" for prefecture in (1, 2, 3) for county in range(1, chance.integers(2, 5))
    ]
    means = chance.choice([0.3, 2, 8, 30, 200], 6)
    counts = _table(
        {code: dict(zip("ABCDEF", chance.poisson(means).tolist(), strict=True)) for code in codes},
        total=bool(seed % 3),
    )
    hidden = _hidden(counts)
    assert {cell for cell, value in counts.items() if 0 < value < 10} <= hidden
    assert not any(counts[cell] == 0 for cell in hidden)
    assert _width(counts, hidden) >= 8
    small = {cell for cell, value in counts.items() if 0 < value < 10}
    assert hidden == small or _width(counts, small) < 8, "more is hidden than the small ones, though they were safe"


def test_what_was_hidden_stays_hidden() -> None:
    counts = _table({"510101": {"A": 30}, "510102": {"A": 40}, "510103": {"A": 500}}, total=False)
    cells, _ = additive(counts)
    before = [cell.division_code == "510101" for cell in cells]
    assert _hidden(counts) == set()
    assert _hidden(counts, kept_hidden=before) == {Cell("warnings", "A", code) for code in ("510101", "510102")}


def test_what_fell_to_zero_is_not_told_by_a_sum_that_did_too() -> None:
    counts = _table({"510101": {"A": 0}, "510102": {"A": 0}, "510201": {"A": 50}, "510202": {"A": 60}}, total=False)
    before = [cell.division_code in ("510101", "510102") for cell in sorted(counts)]
    hidden = _hidden(counts, kept_hidden=before)
    assert {cell.division_code for cell in hidden} > {"510101", "510102", "5101"}
    assert _width(counts, hidden) >= 8
