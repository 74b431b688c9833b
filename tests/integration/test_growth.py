"""Five years of a list that comes every month nearly unchanged cost rows for what changed, and nothing else."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from made_up import as_csv, poverty_row, write

from doudi import loads
from doudi.settings import Settings

MONTHS, PEOPLE, CHANGED = 60, 300, 3


def test_history_grows_by_what_changed(
    installation: Settings, without_suite: None, query: Callable[..., list[tuple]], tmp_path: Path
) -> None:
    files = []
    incomes = [3000] * PEOPLE
    for month in range(MONTHS):
        if month:
            for number in range(CHANGED):
                incomes[(month * CHANGED + number) % PEOPLE] += 1
        rows = [poverty_row(number, 家庭年人均纯收入=str(income)) for number, income in enumerate(incomes)]
        day = date(2016 + month // 12, month % 12 + 1, 28)
        files.append(write(tmp_path, f"poverty_register_513431_{day:%Y%m%d}.csv", as_csv(rows)))
    results = loads.land_files(files, settings=installation)
    assert {result.status for result in results} == {"published"}
    assert [result.rows_published for result in results] == [PEOPLE] + [CHANGED] * (MONTHS - 1)
    versions = query("select count(*), count(*) filter (where _valid_to = 'infinity') from register.poverty_register")
    assert versions == [(PEOPLE + CHANGED * (MONTHS - 1), PEOPLE)]
    assert query("select count(*) from ops.load") == [(MONTHS,)]
    assert query("select count(*) from pg_tables where schemaname = 'landing'") == [(0,)]
