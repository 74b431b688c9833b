"""How far Postgres is from the floor: two heavy models of dbt, there and in DuckDB, over the same files.

    DOUDI_HOME=… python -m benchmarks.floor

The files are what the model reads, written as CSV from the warehouse of a night that was run, and typed: what it costs
to read them is told apart. Postgres makes the model as a build does, as an unlogged table. Both get the same SQL, as
dbt compiled it, and the same cores; that both give the same is checked by counts and sums. Prints a table in Markdown.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.landing import OTHERS_PYTHON
from doudi.access import identifier_key
from doudi.settings import Settings, load_settings
from doudi.warehouse.connection import connect, warehouse_url

RUNS = 3
# Of each model what tells that two results are equal.
MODELS = {
    "int_household_member": """
        select count(*), sum(members) || ' ' || count(*) filter (where is_head) || ' ' || count(distinct household_id)
            || ' ' || count(poverty_status) || ' ' || sum(_row_no)
        from {result}
    """,
    "int_benefit_amount": """
        select count(*), sum(amount)::numeric(38, 2) || ' ' || sum(payments) || ' ' || count(distinct division_code)
            || ' ' || max(paid_on)
        from {result}
    """,
}


def main() -> None:
    settings = load_settings()
    print("\n".join(report(measure(settings))))


def measure(settings: Settings) -> dict[str, dict[str, float]]:
    """Per model the seconds of Postgres, of DuckDB and of DuckDB's reading of the files, and the files' megabytes.

    Medians of RUNS. Exits where the two results differ.
    """
    with connect(warehouse_url(settings)) as session:
        key = identifier_key(session, settings=settings)
        session.execute("select set_config('doudi.identifier_key', %s, false)", (key,))
        session.commit()
        return {name: _model(session, settings, name, checksum) for name, checksum in MODELS.items()}


def report(measured: dict[str, dict[str, float]]) -> Iterator[str]:
    """Lines of a table for docs/benchmarks.md."""
    yield "| model | rows | files, MB | DuckDB reads, s | DuckDB, s | Postgres, s | Postgres / DuckDB | with reading |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, of in measured.items():
        yield (
            f"| {name} | {of['rows']:,} | {of['files_mb']:.0f} | {of['read_s']:.2f} | {of['model_s']:.2f} "
            f"| {of['postgres_s']:.2f} | {of['postgres_s'] / of['model_s']:.1f} "
            f"| {of['postgres_s'] / (of['read_s'] + of['model_s']):.1f} |"
        )


def _model(session: psycopg.Connection, settings: Settings, name: str, checksum: str) -> dict[str, float]:
    compiled = settings.home / "dbt" / "present" / "compiled" / "doudi" / "models" / "intermediate" / f"{name}.sql"
    query = compiled.read_text(encoding="utf-8")
    postgres_s, told = _in_postgres(session, query, checksum)
    with TemporaryDirectory() as folder:
        files_mb = _write_files(session, query, Path(folder))
        Path(folder, "model.sql").write_text(query, encoding="utf-8")
        Path(folder, "checksum.sql").write_text(checksum.format(result="result"), encoding="utf-8")
        runs = [_in_duckdb(Path(folder)) for _ in range(RUNS)]
    if any((run["rows"], run["checksum"]) != told for run in runs):
        raise SystemExit(f"{name}: DuckDB gives {runs[0]['rows']} rows, Postgres {told[0]}, or their sums differ")
    return {
        "rows": told[0],
        "files_mb": files_mb,
        "postgres_s": postgres_s,
        "read_s": median(run["read_s"] for run in runs),
        "model_s": median(run["model_s"] for run in runs),
    }


def _in_postgres(session: psycopg.Connection, query: str, checksum: str) -> tuple[float, tuple[int, str]]:
    seconds = []
    for _ in range(RUNS):
        session.execute("drop table if exists public.floor")
        begun = time.perf_counter()
        session.execute(f"create unlogged table public.floor as {query}")
        seconds.append(time.perf_counter() - begun)
    told = session.execute(checksum.format(result="public.floor")).fetchone()
    session.rollback()
    return median(seconds), told


def _write_files(session: psycopg.Connection, query: str, folder: Path) -> float:
    """Write what the query reads, one file for each table, with the names and types of its columns. Megabytes."""
    tables = sorted(set(re.findall(r'"doudi"\."(\w+)"\."(\w+)"', query)))
    columns = {}
    for schema, name in tables:
        relation = f"{schema}.{name}"
        columns[relation] = dict(
            session.execute(
                """
                select attname, format_type(atttypid, atttypmod) from pg_attribute
                where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
                """,
                (relation,),
            ).fetchall()
        )
        command = f"copy (select * from {relation}) to stdout (format csv, header true)"
        with (folder / f"{relation}.csv").open("wb") as file, session.cursor() as cursor, cursor.copy(command) as copy:
            for piece in copy:
                file.write(piece)
    (folder / "tables.json").write_text(json.dumps(columns))
    return sum(path.stat().st_size for path in folder.glob("*.csv")) / 1e6


def _in_duckdb(folder: Path) -> dict:
    (folder / "doudi.duckdb").unlink(missing_ok=True)
    command = [OTHERS_PYTHON, "benchmarks/in_duckdb.py", folder, str(os.cpu_count())]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


if __name__ == "__main__":
    main()
