"""How long each chart of the dashboards takes to ask the warehouse of DOUDI_HOME, the worst first.

    DOUDI_HOME=… python -m benchmarks.dashboards [--role ROLE] [--runs N]

Each chart's SQL runs as Superset does it: by the reader's own account, under its row policies, on a connection of its
own, and every row is fetched. Told are the first time, which may read from the disk, and the median of the others.
`doudi_bi` reads the most; `--role doudi_bi_513431` is what a county waits for.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from doudi.access import load_access
from doudi.dashboards.accounts import Account, accounts, let_in
from doudi.dashboards.declaration import load_declared
from doudi.dashboards.queries import chart_sql
from doudi.settings import load_settings
from doudi.warehouse.connection import warehouse_url
from doudi.warehouse.schema import initialise

RUNS = 4
GOAL_SECONDS = 3.0  # for an official who looks at a page


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A chart: how many rows it was answered, and in how many seconds, the first time and then."""

    dashboard: str
    chart: str
    rows: int
    first: float
    again: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", default="doudi_bi", help="the reader, as in doudi access list")
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    settings = load_settings()
    url = warehouse_url(settings)
    initialise(url, settings)
    made = accounts(load_access(settings.access), keys=settings.keys)
    let_in(url, made)
    reader = next(account for account in made if account.role == arguments.role)
    declared = load_declared(settings.project / "dashboards")
    timed = [
        _time(
            url, reader, sql=chart_sql(chart, declared.datasets[chart.dataset]), place=(page, name), runs=arguments.runs
        )
        for page, dashboard in declared.dashboards.items()
        for name, chart in dashboard.charts.items()
    ]
    print("\n".join(report(timed, warnings=_warnings(url, reader))))
    return 0


def _time(url: str, reader: Account, *, sql: str, place: tuple[str, str], runs: int) -> Timed:
    seconds = []
    for _ in range(runs):
        with _connected(url, reader) as connection:
            began = time.perf_counter()
            rows = connection.execute(sql).fetchall()
            seconds.append(time.perf_counter() - began)
    return Timed(
        dashboard=place[0], chart=place[1], rows=len(rows), first=seconds[0], again=median(seconds[1:] or seconds)
    )


def _connected(url: str, reader: Account) -> psycopg.Connection:
    return psycopg.connect(url, user=reader.login, password=_password(reader.login_password_file), autocommit=True)


def _password(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def _warnings(url: str, reader: Account) -> int:
    with _connected(url, reader) as connection:
        return connection.execute("select count(*) from marts.warning").fetchone()[0]


def report(timed: list[Timed], *, warnings: int) -> list[str]:
    """The table in Markdown, the slowest first, and a line that names it."""
    ranked = sorted(timed, key=lambda each: -each.again)
    worst = ranked[0]
    slow = [each.chart for each in ranked if each.again > GOAL_SECONDS]
    return [
        f"{len(timed)} charts, {warnings:,} warnings; the slowest is {worst.dashboard}.{worst.chart} with "
        f"{worst.again:.2f} s; over {GOAL_SECONDS:.0f} s: {', '.join(slow) or 'none'}",
        "",
        "| dashboard | chart | rows | first (s) | then (s) |",
        "|---|---|---:|---:|---:|",
        *(f"| {e.dashboard} | {e.chart} | {e.rows:,} | {e.first:.2f} | {e.again:.2f} |" for e in ranked),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
