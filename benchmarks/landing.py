"""What taking in a clean list costs, against bare COPY of the same file in the same run.

    python -m benchmarks.landing ROWS

Works in a home and on a server of its own, which are gone at the end. Prints the figures and writes them between the
marks of docs/benchmarks.md that belong to this number of rows.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.clean_list import AREA, write_empty_list, write_list
from doudi.settings import Settings, load_settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import connect
from doudi.warehouse.schema import initialise

PAGE = Path("docs/benchmarks.md")
OTHERS_PYTHON = Path(".venv-bench/bin/python")
FEED = "poverty_register"
PHASES = ("land", "contract", "suite", "keys", "publish")
GOALS = {  # times bare COPY: goal, and what it must not exceed
    "land": (1.2, 1.4),
    "first": (4.0, 6.0),
    "second": (3.0, 5.0),
}
MEMORY_LIMIT_MB = 50
PANDAS_ROWS = 50_000  # it goes row by row; the rest is extrapolated
BARE_RUNS = 3


def main(rows: int) -> None:
    with installation() as (settings, url), TemporaryDirectory() as folder:
        files = _write_files(url, Path(folder), rows)
        bare = {kind: _bare_copy(url, files["first"], kind) for kind in ("logged", "unlogged")}
        empty = _take_in(settings, files["empty"])
        first = _take_in(settings, files["first"])
        _let_a_month_pass(url)
        second = _take_in(settings, files["second"])
        for name, taken, published in (("first", first, rows), ("second", second, rows // 100)):
            if taken["rows_published"] != published:
                raise SystemExit(f"the {name} delivery published {taken['rows_published']} rows, not {published}")
        others = {tool: _other(tool, url, files["first"], rows) for tool in ("pandas", "dlt", "polars")}
        size_mb = files["first"].stat().st_size / 1e6
    for taken in (first, second):
        taken["suite"] = max(taken["suite"] - empty["suite"], 0)
    report = "\n".join(_report(rows, size_mb, bare, {"empty": empty, "first": first, "second": second}, others))
    print(report)
    write_page("landing", rows, report)


@contextmanager
def installation() -> Iterator[tuple[Settings, str]]:
    """An empty warehouse in a home of its own; removed afterwards."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root the server runs as nobody, who must be able to walk here
        settings = replace(load_settings(), home=home, database_url=None)
        url = cluster.start(home)
        try:
            initialise(url, settings)
            yield settings, url
        finally:
            cluster.stop(home)


def _write_files(url: str, folder: Path, rows: int) -> dict[str, Path]:
    files = {
        "first": folder / f"{FEED}_{AREA}_20200331.csv",
        "second": folder / f"{FEED}_{AREA}_20200430.csv",
        "empty": folder / f"{FEED}_990002_20200331.csv",
    }
    with connect(url) as connection:
        write_list(connection, files["first"], rows=rows)
        write_list(connection, files["second"], rows=rows, changed_percent=1)
    write_empty_list(files["empty"])
    return files


def _let_a_month_pass(url: str) -> None:
    """What Postgres does by itself between two lists, and the second would else do for the first."""
    with connect(url, autocommit=True) as connection:
        connection.execute(f"vacuum register.{FEED}")
        connection.execute("checkpoint")


def _bare_copy(url: str, path: Path, kind: str) -> float:
    """Seconds of COPY into one table of texts, commit included; the median of some runs."""
    seconds = []
    with connect(url) as connection:
        width = path.open("rb").readline().count(b",") + 1
        columns = ", ".join(f"column_{position} text" for position in range(width))
        for _ in range(BARE_RUNS):
            connection.execute("drop table if exists public.bare")
            connection.execute(f"create {kind if kind == 'unlogged' else ''} table public.bare ({columns})")
            connection.commit()
            begun = time.perf_counter()
            _copy(connection, path)
            connection.commit()
            seconds.append(time.perf_counter() - begun)
        connection.execute("drop table public.bare")
    return median(seconds)


def _copy(connection: psycopg.Connection, path: Path) -> None:
    command = "copy public.bare from stdin (format csv, header true, encoding 'GB18030')"
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        while piece := file.read(1 << 20):
            copy.write(piece)


def _take_in(settings: Settings, path: Path) -> dict:
    """Run ``doudi land`` in a process of its own; its phases from the ledger, and its peak memory."""
    program = Path(sys.executable).parent / "doudi"
    environment = os.environ | {"DOUDI_HOME": str(settings.home), "DOUDI_DATABASE_URL": ""}
    begun = time.perf_counter()
    process = subprocess.Popen([program, "land", path], env=environment, stdout=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    seconds = time.perf_counter() - begun
    with connect(cluster.url(settings.home)) as connection:
        status, published, timings = connection.execute(
            "select status, rows_published, timings from ops.load where file_name = %s", (path.name,)
        ).fetchone()
    if process.returncode or status != "published":
        raise SystemExit(f"{path.name}: {status}, exit code {process.returncode}")
    return {"rows_published": published, "command": seconds, "peak_mb": usage.ru_maxrss / 1024, **timings}


def _other(tool: str, url: str, path: Path, rows: int) -> dict | str:
    """Seconds and peak memory of another tool on the same file; where it cannot be run, the reason."""
    slice_rows = min(rows, PANDAS_ROWS) if tool == "pandas" else rows
    command = [OTHERS_PYTHON, "benchmarks/others.py", tool, url, path, str(slice_rows)]
    environment = os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "PYTHONWARNINGS": "ignore"}
    if not OTHERS_PYTHON.exists():
        return "not installed"
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        return f"ended with exit code {process.returncode}"
    found = json.loads(output.splitlines()[-1])
    return {
        "seconds": found["seconds"] * rows / found["rows"],
        "of": found["rows"],
        "peak_mb": usage.ru_maxrss / 1024,
    }


def _report(rows: int, size_mb: float, bare: dict, taken: dict, others: dict) -> list[str]:
    unit = bare["logged"]
    machine = f"{os.cpu_count()} cores, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    lines = [
        f"{rows:,} rows, {size_mb:.0f} MB of GB18030; {machine}, Python {platform.python_version()}; {date.today()}. "
        f"Load of the machine at the end: {os.getloadavg()[1]:.1f}.",
        "",
        f"Bare COPY into an ordinary table: {unit:.2f} s (= 1); into an unlogged one: {bare['unlogged']:.2f} s.",
        "",
        "| phase | first, s | × COPY | share | second, s | × COPY | share |",
        "|---|---|---|---|---|---|---|",
    ]
    totals = {name: sum(taken[name][phase] for phase in PHASES) for name in ("first", "second")}
    for phase in (*PHASES, "total"):
        cells = []
        for name, total in totals.items():
            seconds = total if phase == "total" else taken[name][phase]
            cells.append(f"{seconds:.2f} | {seconds / unit:.2f} | {seconds / total:.0%}")
        lines.append(f"| {phase} | {' | '.join(cells)} |")
    measured = {"land": taken["first"]["land"], "first": totals["first"], "second": totals["second"]}
    lines += ["", "| | measured | goal | no worse than | |", "|---|---|---|---|---|"]
    for name, (goal, limit) in GOALS.items():
        ratio = measured[name] / unit
        verdict = "reached" if ratio <= goal else "within the limit" if ratio <= limit else "missed"
        lines.append(f"| {name} | {ratio:.2f} × | {goal} × | {limit} × | {verdict} |")
    peaks = {name: taken[name]["peak_mb"] for name in taken}
    more = max(peaks["first"], peaks["second"]) - peaks["empty"]
    verdict = "reached" if more <= MEMORY_LIMIT_MB else "missed"
    lines.append(
        f"| memory above an empty file | {more:.0f} MB | {MEMORY_LIMIT_MB} MB | {MEMORY_LIMIT_MB} MB | {verdict} |"
    )
    lines += [
        "",
        f"`doudi land` as a whole, start of Python and imports included: {taken['first']['command']:.1f} s and "
        f"{taken['second']['command']:.1f} s; an empty list {taken['empty']['command']:.1f} s, "
        f"of which the suite, nearly all of it Great Expectations' import, {taken['empty']['suite']:.1f} s: "
        f"so much is taken off the suite above, for it does not grow with the file. Peak memory: "
        f"{peaks['first']:.0f} MB and {peaks['second']:.0f} MB; an empty list {peaks['empty']:.0f} MB.",
        "",
        "| the file as texts in one table | s | × COPY | peak memory, MB |",
        "|---|---|---|---|",
        f"| bare COPY | {unit:.2f} | 1.00 | |",
        f"| doudi, land | {taken['first']['land']:.2f} | {taken['first']['land'] / unit:.2f} | {peaks['first']:.0f} |",
    ]
    for tool, found in others.items():
        if isinstance(found, str):
            lines.append(f"| {tool} | {found} | | |")
            continue
        of = "" if found["of"] == rows else f" (extrapolated from {found['of']:,} rows)"
        lines.append(
            f"| {tool}{of} | {found['seconds']:.1f} | {found['seconds'] / unit:.1f} | {found['peak_mb']:.0f} |"
        )
    return lines


def write_page(name: str, rows: int, report: str) -> None:
    """Put a report between its marks on the page of benchmarks; at the end where it has none yet."""
    begin, end = f"<!-- {name} {rows} -->", f"<!-- end of {name} {rows} -->"
    page = PAGE.read_text(encoding="utf-8")
    if begin not in page:
        page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
    before, after = page.split(begin)[0], page.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n{report}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]))
