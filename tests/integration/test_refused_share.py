"""Past the share of refused rows that its suite allows, a delivery is refused as a whole and the last one stays."""

from collections.abc import Callable
from pathlib import Path

from made_up import as_csv, poverty_row, write

FEBRUARY, MARCH, APRIL = (f"poverty_register_513431_2020{day}.csv" for day in ("0229", "0331", "0430"))


def _list(count: int, *, refused: int) -> bytes:
    """A list of ``count`` rows of which ``refused`` are wrong: lines that are none, a repeated key, unknown codes."""
    rows = [poverty_row(n, 户状态="?" if n < refused - 2 else "未脱贫") for n in range(count - 1)]
    lines = as_csv([*rows, rows[-1]], newline="\n").encode().splitlines()
    lines[count - 5] += b",too,many"
    return b"\n".join(lines)


def test_the_whole_is_refused_and_what_is_wrong_with_each_row_is_kept(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    take(write(tmp_path, FEBRUARY, as_csv([poverty_row(n) for n in range(60)])))
    before = query("select to_jsonb(version)::text from register.poverty_register as version order by 1")
    (refused,) = take(write(tmp_path, MARCH, _list(60, refused=13)))
    assert (refused.status, refused.error_code) == ("refused", "suite.refused_share")
    assert refused.error.startswith(f"{MARCH}: 13 of 60 rows are refused, more than the 20% that the suite allows")
    assert (refused.rows_read, refused.rows_quarantined, refused.rows_published) == (60, 13, None)
    kept = query("select rule, count(*) from ops.quarantine where load_id = %s group by 1 order by 1", refused.load_id)
    assert kept == [("code", 11), ("duplicate_key", 1), ("line.columns", 1)]
    assert query("select to_jsonb(version)::text from register.poverty_register as version order by 1") == before
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []

    (again,) = take(tmp_path / MARCH)  # refused again, and each row is kept once
    assert (again.load_id, again.rows_quarantined) == (refused.load_id, 13)
    assert query("select count(*) from ops.quarantine") == [(13,)]


def test_up_to_the_share_and_in_a_small_delivery_rows_are_refused_one_by_one(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    (published,) = take(write(tmp_path, MARCH, _list(60, refused=12)))
    assert (published.status, published.rows_quarantined) == ("published", 12)
    (small,) = take(write(tmp_path, APRIL, as_csv([poverty_row(n, 户状态="?") for n in range(49)])))
    assert (small.status, small.rows_quarantined) == ("published", 49)
