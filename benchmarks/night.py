"""What whole nights cost, against bare COPY of the first night's files in the same run.

    python -m benchmarks.night [PERSONS …]

For each size a synthetic county in a home and on a server of its own: the first night, one a month later with nothing
new, one with the next lists of which 1 % of the rows changed, one with nothing new, the next day with nothing new, and
a late correction. Beyond a million people these would take hours, so only the first night and one with nothing new.
Each is `doudi run` in a process of its own; what took how long is read from the ledger. Prints the figures, writes them
between the marks of docs/benchmarks.md that belong to the size, and draws them.
"""

import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import psycopg

from benchmarks import bi_queries, floor
from benchmarks.landing import PHASES, installation, write_page
from benchmarks.next_month import encoding_of, write_correction, write_next_month
from doudi.contracts import load_contracts
from doudi.reports import charts
from doudi.reports.document import Chart, Text
from doudi.settings import Settings
from doudi.synth import generate
from doudi.warehouse.connection import connect

SIZES = (10_000, 100_000, 1_000_000)
BRIEFLY_FROM = 2_000_000  # people
FIRST, EVE, NEXT, DAY_AFTER = date(2020, 6, 30), date(2020, 7, 30), date(2020, 7, 31), date(2020, 8, 1)
CORRECTED = "poverty_register"
STEPS = ("start", "take in", "prepare", "dbt", "extracts", "pages")  # one after the other
INTAKE = ("pull", *PHASES)  # of feeds taken in side by side
FOLDERS = ("staging", "intermediate", "indicators", "identity", "marts", "seeds", "tests")
GOALS = {  # the night, against what, the goal and what it must not exceed; told of a million people
    "first": ("COPY", 15, 30),
    "changed": ("first", 0.05, 0.12),  # after the landing
    "nothing new": ("first", 0.01, 0.03),
}
PLOT = Path("docs/pictures/nights_{}.svg")
GROWTH_LIMIT = 11  # times the seconds for ten times the people


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night took.

    ``steps`` are the seconds of STEPS. ``intake`` holds those of INTAKE, ``folders`` those of dbt's nodes by the folder
    of their models: they overlap, as several run at a time. ``python_s`` and ``postgres_s`` are seconds of processor
    time, which other work on the machine hardly changes; ``peak_mb`` is that of the largest Python process. ``rows``
    and ``published`` count the deliveries' rows, those read and those new or changed.
    """

    seconds: float
    python_s: float
    postgres_s: float
    peak_mb: float
    rows: int
    published: int
    steps: dict[str, float]
    intake: Counter[str]
    folders: Counter[str]
    slowest: list[tuple[str, float]]
    database_mb: float
    wal_mb: float

    @property
    def after_intake(self) -> float:
        """What follows the taking in of deliveries: without the imports before it, which is where it ends."""
        return self.seconds - self.steps["start"] - self.steps["take in"]


def main(sizes: list[int]) -> None:
    first_nights: dict[int, float] = {}
    for persons in sizes:
        with installation() as (settings, url), TemporaryDirectory() as folder:
            files = Path(folder)
            copied, nights, floors = _nights(settings, url, files, persons)
            asked = bi_queries.measure(url)
        first_nights[persons] = nights["first"].seconds
        report = "\n".join(
            [
                *_report(persons, copied, nights, first_nights),
                *bi_queries.report(asked),
                "",
                *(floor.report(floors) if floors else ()),
            ]
        )
        print(report, flush=True)
        write_page("night", persons, report)
        PLOT.with_name(PLOT.name.format(persons)).write_text(_plot(nights), encoding="utf-8")


def _nights(
    settings: Settings, url: str, folder: Path, persons: int
) -> tuple[tuple[float, float], dict[str, Night], dict[str, dict[str, float]]]:
    """Bare COPY's seconds and megabytes of the first night's files, the nights by name, in their order, and the floor.

    The floor is taken after the first night, which computed everybody; of a province there is none.
    """
    inboxes = {name: folder / name for name in ("first", "changed", "nothing new", "late correction")}
    for inbox in inboxes.values():
        inbox.mkdir()
    generate(inboxes["first"], persons=persons, seed=1, as_of=FIRST, clean=True)
    copied = _bare_copy(url, sorted(inboxes["first"].glob("*.csv")))
    nights = {"first": _night(settings, url, inbox=inboxes["first"], as_of=FIRST)}
    if persons >= BRIEFLY_FROM:
        return copied, nights | {"nothing new": _night(settings, url, inbox=inboxes["nothing new"], as_of=FIRST)}, {}
    floors = floor.measure(settings)
    contracts, contracts_folder = load_contracts(settings.contracts), settings.contracts
    write_next_month(
        inboxes["first"], inboxes["changed"], data_date=NEXT, contracts=contracts, contracts_folder=contracts_folder
    )
    write_correction(
        inboxes["first"], inboxes["late correction"], feed=CORRECTED, contract=contracts[CORRECTED],
        contracts_folder=contracts_folder,
    )  # fmt: skip
    for name, inbox, as_of in (
        ("a month on", "nothing new", EVE),
        ("changed", "changed", NEXT),
        ("nothing new", "nothing new", NEXT),
        ("the day after", "nothing new", DAY_AFTER),
        ("late correction", "late correction", DAY_AFTER),
    ):
        _come_to_rest(url)
        nights[name] = _night(settings, url, inbox=inboxes[inbox], as_of=as_of)
    return copied, nights, floors


def _come_to_rest(url: str) -> None:
    """What the server does in the hours between two nights, without the hours."""
    with connect(url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")


def _bare_copy(url: str, paths: list[Path]) -> tuple[float, float]:
    """Seconds of COPY into a table of texts for each file, commits included, and the files' megabytes."""
    seconds = 0.0
    with connect(url) as connection:
        for path in paths:
            encoding = encoding_of(path)
            with path.open(encoding=encoding, newline="") as file:
                width = file.readline().count(",") + 1
            columns = ", ".join(f"column_{place} text" for place in range(width))
            connection.execute(f"create table public.bare ({columns})")
            connection.commit()
            begun = time.perf_counter()
            _copy(connection, path, encoding="GB18030" if encoding == "gb18030" else "UTF8")
            connection.commit()
            seconds += time.perf_counter() - begun
            connection.execute("drop table public.bare")
    return seconds, sum(path.stat().st_size for path in paths) / 1e6


def _copy(connection: psycopg.Connection, path: Path, *, encoding: str) -> None:
    command = f"copy public.bare from stdin (format csv, header true, encoding '{encoding}')"
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        while piece := file.read(1 << 20):
            copy.write(piece)


def _night(settings: Settings, url: str, *, inbox: Path, as_of: date) -> Night:
    """Run ``doudi run`` in a process of its own. Exits where the night did not succeed or refused a row."""
    with connect(url) as connection:
        last_load, last_build, last_extract, wal = connection.execute(
            """
            select
                coalesce((select max(load_id) from ops.load), 0),
                coalesce((select max(build_id) from ops.build), 0),
                coalesce((select max(extract_id) from ops.extract), 0),
                pg_current_wal_insert_lsn() - '0/0'
            """
        ).fetchone()
    program = Path(sys.executable).parent / "doudi"
    command = [program, "run", "--inbox", inbox, "--as-of", as_of.isoformat(), "--out", settings.home / "out"]
    environment = os.environ | {"DOUDI_HOME": str(settings.home), "DOUDI_DATABASE_URL": ""}
    spent, begun, begun_at = _processor_s_of_postgres(settings), time.perf_counter(), time.time()
    with TemporaryFile("w+") as told:
        process = subprocess.Popen(command, env=environment, stdout=told, stderr=told)
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        seconds = time.perf_counter() - begun
        if process.returncode:
            told.seek(0)
            raise SystemExit(f"{told.read()}\nthe night of {as_of} ended with exit code {process.returncode}")
    with connect(url) as connection:
        intake = Counter(
            dict(
                connection.execute(
                    """
                    with new as (select * from ops.load where load_id > %s)
                    select phase.key, sum(phase.value::float8)
                    from new cross join jsonb_each_text(timings) as phase
                    group by phase.key
                    union all
                    select 'pull', sum(seconds)
                    from (
                        select extract(epoch from min(started_at) - min(received_at))::float8 as seconds
                        from new
                        group by feed
                    ) as feeds
                    having count(*) > 0
                    """,
                    (last_load,),
                ).fetchall()
            )
        )
        started, took_in, handed_out = connection.execute(
            """
            select
                (
                    select extract(epoch from least(
                        (select min(received_at) from ops.load where load_id > %s),
                        (select min(started_at) from ops.build where build_id > %s)
                    ))::float8
                ),
                (
                    select coalesce(extract(epoch from max(finished_at) - min(received_at)), 0)::float8
                    from ops.load where load_id > %s
                ),
                (
                    select coalesce(
                        extract(
                            epoch from
                            max(coalesce(delivered_at, written_at)) - (select max(finished_at) from ops.build)
                        ),
                        0
                    )::float8
                    from ops.extract where extract_id > %s
                )
            """,
            (last_load, last_build, last_load, last_extract),
        ).fetchone()
        rows, published, refused = connection.execute(
            """
            select coalesce(sum(rows_read), 0), coalesce(sum(rows_published), 0), coalesce(sum(rows_quarantined), 0)
            from ops.load where load_id > %s
            """,
            (last_load,),
        ).fetchone()
        build = connection.execute("select timings from ops.build where build_id > %s", (last_build,)).fetchone()
        bytes_now, wal_bytes = connection.execute(
            "select pg_database_size(current_database()), pg_current_wal_insert_lsn() - '0/0' - %s", (wal,)
        ).fetchone()
    if refused:
        raise SystemExit(f"the night of {as_of} refused {refused} rows of a clean county")
    timings = build[0] if build else {"nodes": {}, "tests": 0, "prepare": 0, "dbt": 0}
    start = started - begun_at if started else seconds
    parts = (start, took_in, timings["prepare"], timings["dbt"], handed_out)
    return Night(
        seconds=seconds,
        python_s=usage.ru_utime + usage.ru_stime,
        postgres_s=_processor_s_of_postgres(settings) - spent,
        peak_mb=usage.ru_maxrss / 1024,
        rows=int(rows),
        published=int(published),
        steps=dict(zip(STEPS, (*parts, seconds - sum(parts)), strict=True)),
        intake=intake,
        folders=_by_folder(timings, settings.dbt_project),
        slowest=Counter(timings["nodes"]).most_common(10),
        database_mb=bytes_now / 1e6,
        wal_mb=float(wal_bytes) / 1e6,
    )


def _processor_s_of_postgres(settings: Settings) -> float:
    """Seconds of processor time of every server process that has ended: a connection's, a worker's, a vacuum's."""
    server = (settings.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    fields = Path("/proc", server, "stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[13:15]) / os.sysconf("SC_CLK_TCK")


def _by_folder(timings: dict, project: Path) -> Counter[str]:
    folder_of = {path.stem: path.parent.name for path in (project / "models").rglob("*.sql")}
    seconds = Counter({"tests": timings["tests"]})
    for node, spent in timings["nodes"].items():
        seconds[folder_of.get(node, "seeds")] += spent
    return seconds


def _report(
    persons: int, copied: tuple[float, float], nights: dict[str, Night], first_nights: dict[int, float]
) -> Iterator[str]:
    unit, files_mb = copied
    first = nights["first"]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield (
        f"{persons:,} people, {first.rows:,} rows in {files_mb:.0f} MB; {os.cpu_count()} cores, {memory_gb:.0f} GB, "
        f"Python {platform.python_version()}; {date.today()}. "
        f"Load of the machine at the end: {os.getloadavg()[1]:.1f}. "
        f"Bare COPY of the first night's files: {unit:.2f} s (= 1)."
    )
    yield ""
    yield _row("seconds", nights)
    yield _row("---", ["---"] * len(nights))
    for step in STEPS:
        yield _row(step, (f"{night.steps[step]:.1f}" for night in nights.values()))
    yield _row("**the night**", (f"**{night.seconds:.1f}**" for night in nights.values()))
    yield _row("× COPY", (f"{night.seconds / unit:.1f}" for night in nights.values()))
    yield _row("of the first night", (f"{night.seconds / first.seconds:.1%}" for night in nights.values()))
    yield _row("rows read", (f"{night.rows:,}" for night in nights.values()))
    yield _row("new or changed", (f"{night.published:,}" for night in nights.values()))
    yield _row("rows read per second", (f"{night.rows / night.seconds:,.0f}" for night in nights.values()))
    yield _row("processor time of Python, s", (f"{night.python_s:.1f}" for night in nights.values()))
    yield _row("processor time of Postgres, s", (f"{night.postgres_s:.1f}" for night in nights.values()))
    yield _row("Python's peak memory, MB", (f"{night.peak_mb:.0f}" for night in nights.values()))
    yield _row("database afterwards, MB", (f"{night.database_mb:.0f}" for night in nights.values()))
    yield _row("WAL written, MB", (f"{night.wal_mb:.0f}" for night in nights.values()))
    yield ""
    yield _row("seconds of taking in, which overlap", nights)
    yield _row("---", ["---"] * len(nights))
    for phase in INTAKE:
        yield _row(phase, (f"{night.intake[phase]:.1f}" for night in nights.values()))
    yield ""
    yield _row("seconds of dbt's nodes, which overlap", nights)
    yield _row("---", ["---"] * len(nights))
    for folder in FOLDERS:
        yield _row(folder, (f"{night.folders[folder]:.1f}" for night in nights.values()))
    yield ""
    yield "| | measured | goal | no worse than | |"
    yield "|---|---|---|---|---|"
    for name, (against, goal, limit) in GOALS.items():
        if name not in nights:
            continue
        night, told = nights[name], f"{name}, after the landing" if name == "changed" else name
        ratio = (night.after_intake if name == "changed" else night.seconds) / (
            unit if against == "COPY" else first.seconds
        )
        yield f"| {told}, × {against} | {ratio:.3g} | {goal} | {limit} | {_verdict(ratio, goal, limit)} |"
    for smaller, seconds in first_nights.items():
        if smaller < persons:
            growth = first.seconds / seconds
            limit = GROWTH_LIMIT * persons / smaller / 10
            yield (
                f"| first, × that of {smaller:,} people | {growth:.3g} | {limit:.3g} | {limit:.3g} "
                f"| {_verdict(growth, limit, limit)} |"
            )
    yield ""
    for name in [name for name in ("first", "changed") if name in nights]:
        slowest = ", ".join(f"{node} {seconds:.1f}" for node, seconds in nights[name].slowest)
        yield f"Slowest nodes of the night *{name}*, seconds: {slowest}."
        yield ""


def _plot(nights: dict[str, Night]) -> str:
    """The steps of the nights as shares of the first one, as SVG."""
    percent = Text("占首夜的百分比", "% of the first night")
    first = nights["first"].seconds
    shares = [
        (Text(name, name), Text(step, step), 100 * seconds / first)
        for name, night in nights.items()
        for step, seconds in night.steps.items()
    ]
    return charts.svg(Chart(caption=percent, kind="bars", unit=percent, series=shares), "en")


def _row(name: str, cells: Iterator[str] | list[str] | dict[str, Night]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _verdict(ratio: float, goal: float, limit: float) -> str:
    return "reached" if ratio <= goal else "within the limit" if ratio <= limit else "missed"


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
