"""What an analyst waits for: four queries of a BI tool on the marts, 8 clients at once, by pgbench as reader of BI.

Each asks for another area, indicator or household every time: looks it up, and then names it in the query's text, as BI
tools do, so that the query is planned for it.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import psycopg

from doudi.warehouse.cluster import binaries

CLIENTS, SECONDS = 8, 10
LIMIT_MS = 100

QUERIES = {  # by name: what is asked for each time, and the query
    "area tree: a county's townships": (
        "county",
        """
        select division_code, division_name, sum(open_warnings), sum(overdue_warnings)
        from marts.area_summary
        where division_level = 'township' and division_code ^@ ':county'
        group by division_code, division_name
        order by 3 desc
        """,
    ),
    "trend of an indicator": (
        "indicator",
        """
        select date_trunc('month', opened_on), count(*), count(*) filter (where closed_on is not null)
        from marts.warning
        where indicator_code = ':indicator'
        group by 1 order by 1
        """,
    ),
    "one household's card": ("household", "select * from marts.household where household_id = ':household'"),
    "a township's list": (
        "township",
        """
        select *
        from marts.household_visit_list
        where division_code ^@ ':township'
        order by division_code, visit_order
        limit 200
        """,
    ),
}
_ASKED = """
    create schema bench;
    create table bench.asked as
    select kind, value, row_number() over (partition by kind order by md5(value)) as place
    from (
        select distinct 'county' as kind, county_code as value from marts.household
        union all select distinct 'indicator', indicator_code from marts.warning
        union all select 'household', household_id::text from marts.household
        union all select distinct 'township', left(division_code, 9) from marts.household_visit_list
    ) as asked;
    create unique index on bench.asked (kind, place);
    analyze bench.asked;
    grant usage on schema bench to doudi_bi, doudi_extractor;
    grant select on bench.asked to doudi_bi, doudi_extractor;
"""


def measure(url: str) -> dict[str, tuple[float, float, float]]:
    """Per query its median, its 95th percentile and its worst time, milliseconds, with CLIENTS clients for SECONDS."""
    with psycopg.connect(url) as session:
        session.execute(_ASKED)
        counts = dict(session.execute("select kind, count(*) from bench.asked group by kind").fetchall())
    try:
        return {name: _run(url, kind, query, counts[kind]) for name, (kind, query) in QUERIES.items()}
    finally:
        with psycopg.connect(url) as session:
            session.execute("drop schema bench cascade")


def report(times: dict[str, tuple[float, float, float]]) -> Iterator[str]:
    """Lines of a table for docs/benchmarks.md."""
    yield f"| query, {CLIENTS} clients, {SECONDS} s each | median, ms | p95, ms | worst, ms | p95 below {LIMIT_MS} ms |"
    yield "|---|---|---|---|---|"
    for name, (middle, p95, worst) in times.items():
        yield f"| {name} | {middle:.1f} | {p95:.1f} | {worst:.1f} | {'yes' if p95 < LIMIT_MS else 'no'} |"


def _run(url: str, kind: str, query: str, places: int) -> tuple[float, float, float]:
    """The visit lists hold names, so BI does not read them: that query is the extractor's."""
    role = "doudi_extractor" if "visit_list" in query else "doudi_bi"
    with TemporaryDirectory() as folder:
        script = Path(folder) / "query.sql"
        script.write_text(
            f"\\set place random(1, {places})\n"
            f"select value as {kind} from bench.asked where kind = '{kind}' and place = :place \\gset\n"
            f"{' '.join(query.split())};\n",
            encoding="utf-8",
        )
        subprocess.run(
            [
                binaries() / "pgbench", "--no-vacuum", "--client", str(CLIENTS), "--jobs", "2",
                "--time", str(SECONDS), "--log", "--log-prefix", str(Path(folder) / "times"), "--file", script, url,
            ],
            env=os.environ | {"PGOPTIONS": f"-c role={role}"}, check=True, capture_output=True,
        )  # fmt: skip
        lines = [line for log in Path(folder).glob("times.*") for line in log.read_text().splitlines()]
    milliseconds = sorted(int(line.split()[2]) / 1000 for line in lines)
    return quantiles(milliseconds, n=2)[0], quantiles(milliseconds, n=20)[-1], milliseconds[-1]
