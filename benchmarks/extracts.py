"""What handing out a million warnings costs, against bare COPY TO of the same rows in the same run.

    python -m benchmarks.extracts ROWS

Works in a home and on a server of its own, which are gone at the end. Prints the figures and writes them between the
marks of docs/benchmarks.md that belong to this number of rows. Everybody is made up.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from statistics import median

import yaml

from benchmarks.landing import installation, write_page
from doudi import extracts
from doudi.extracts.forms import FORMS
from doudi.extracts.marts import load_marts
from doudi.settings import Settings, load_settings
from doudi.warehouse.connection import connect

RECIPIENT = "civil_affairs"
MEASURED = ("csv", "csv_gb18030", "jsonl", "parquet", "xlsx")
FEW_ROWS = 10_000  # what the memory for many rows is compared with
XLSX_ROWS = 100_000  # a workbook goes cell by cell; the rest is extrapolated
BARE_RUNS = 3
GOAL = 1.5  # times bare COPY TO, for the CSV; the whole, with hash, disclosure and delivery, comes on top


def main(rows: int) -> None:
    with installation() as (settings, url):
        columns = _fill(url, settings, rows)
        bare = _bare_copy(url, settings.home / "bare.csv", columns)
        many = {form: _send(settings, form) for form in MEASURED if form != "xlsx"}
        _leave(url, XLSX_ROWS)
        many["xlsx"] = _send(settings, "xlsx")
        _leave(url, FEW_ROWS)
        few = {form: _send(settings, form) for form in MEASURED}
    report = "\n".join(_report(rows, bare, many, few))
    print(report)
    write_page("extracts", rows, report)


def _fill(url: str, settings: Settings, rows: int) -> list[str]:
    """A visit list that the shipped declaration hands out whole; returns the columns it hands out."""
    declared = extracts.load_declaration(settings.extracts / f"{RECIPIENT}.yml")
    mart = load_marts(settings.dbt_project)["marts.visit_list"]
    typed = ", ".join(f"{column.name} {column.data_type}" for column in mart.columns.values())
    with connect(url, role="transformer") as connection:
        connection.execute(f"create table marts.visit_list ({typed})")
        connection.execute(
            """
            insert into marts.visit_list (
                warning_id, indicator_code, indicator_name, level_name, level_rank, opened_on, due_on, county_name,
                township_name, village_name, household_order, household_head_name, name, citizen_id, reason, person_id,
                household_head_person_id, lead_department, division_code
            )
            select
                'RP03-20200630-' || lpad(n::text, 10, '0'), 'RP03', '有返贫风险而未保障', '橙色', 2,
                date '2020-06-30', date '2020-07-07', '昭觉县', '新城镇', '塘木村村民委员会', n, '某' || n %% 997,
                '某' || n %% 991,
                '990001' || to_char(date '1938-01-01' + n %% 29000, 'YYYYMMDD') || lpad((n %% 9973)::text, 4, '0'),
                '家庭年人均收入' || n %% 4000 || '元，低于当地标准4200元，未纳入低保', md5(n::text)::uuid,
                md5((n / 3)::text)::uuid, %s, '513431001001'
            from generate_series(1, %s) as n
            """,
            (RECIPIENT, rows),
        )
        connection.execute("grant select on marts.visit_list to doudi_extractor")
        connection.execute("analyze marts.visit_list")
    with connect(url) as connection:
        connection.execute("insert into ops.build (as_of, status) values ('2020-06-30', 'succeeded')")
    return [column.name for column in declared.handed_out]


def _leave(url: str, rows: int) -> None:
    with connect(url) as connection:
        connection.execute("delete from marts.visit_list where household_order > %s", (rows,))


def _bare_copy(url: str, path: Path, columns: list[str]) -> float:
    """Seconds of COPY TO of the same rows and columns in the same order into a file; the median of some runs."""
    command = f"""
        copy (
            select {", ".join(columns)} from marts.visit_list where lead_department = '{RECIPIENT}'
            order by household_order, level_rank, warning_id
        ) to stdout (format csv)
    """
    seconds = []
    with connect(url) as connection:
        for _ in range(BARE_RUNS):
            begun = time.perf_counter()
            with (
                path.open("wb", buffering=1 << 20) as file,
                connection.cursor() as cursor,
                cursor.copy(command) as copy,
            ):
                for piece in copy:
                    file.write(piece)
            seconds.append(time.perf_counter() - begun)
    path.unlink()
    return median(seconds)


def _send(settings: Settings, form: str) -> dict[str, float]:
    """Hand the extract out in a process of its own; seconds of the form and of all, and the peak memory."""
    command = [sys.executable, "-m", "benchmarks.extracts", "--send", str(settings.home), form]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise SystemExit(f"{form}: exit code {process.returncode}")
    return json.loads(output.splitlines()[-1]) | {"peak_mb": usage.ru_maxrss / 1024}


def send(home: Path, form: str) -> None:
    """What `_send` runs: the shipped declaration with one form, timed, its figures on the last line."""
    shipped = load_settings()
    project = home / f"project_{form}_{time.time_ns()}"
    (project / "extracts").mkdir(parents=True)
    (project / "dbt_project").symlink_to(shipped.dbt_project)
    declaration = yaml.safe_load((shipped.extracts / f"{RECIPIENT}.yml").read_text(encoding="utf-8"))
    declaration |= {"formats": [form], "contact": project.name}  # another declaration each time: it is sent anew
    (project / "extracts" / f"{RECIPIENT}.yml").write_text(yaml.safe_dump(declaration), encoding="utf-8")
    settings = replace(shipped, project=project, home=home, out=home / "out", database_url=None)

    seconds = {}
    module = import_module(f"doudi.extracts.forms.{FORMS[form].module}")
    write = getattr(module, FORMS[form].function)

    def timed(*arguments: object) -> int:
        begun = time.perf_counter()
        rows = write(*arguments)
        seconds["form"] = time.perf_counter() - begun
        return rows

    setattr(module, FORMS[form].function, timed)
    begun = time.perf_counter()
    (file,) = extracts.send([RECIPIENT], settings=settings, out=settings.out)
    seconds["all"] = time.perf_counter() - begun
    print(json.dumps({**seconds, "rows": file.rows, "size_mb": Path(file.path).stat().st_size / 1e6}))


def _report(rows: int, bare: float, many: dict[str, dict], few: dict[str, dict]) -> list[str]:
    met = "met" if many["csv"]["form"] <= GOAL * bare else "missed"
    lines = [
        f"{rows:,} rows of the civil affairs' extract, 13 columns. Bare COPY TO of the same rows, in the same order,",
        f"into a file: {bare:.1f} s. Goal for the CSV: {GOAL} times that, {met}.",
        f"Load of the machine at the end: {os.getloadavg()[0]:.1f}.",
        "",
        "| form | file | written in | × bare | with hashes, disclosure and delivery | peak memory | of "
        f"{FEW_ROWS:,} rows |",
        "|---|---|---|---|---|---|---|",
    ]
    for form in MEASURED:
        of_many, of_few = many[form], few[form]
        share = rows / of_many["rows"]
        name = form if share == 1 else f"{form} (extrapolated from {of_many['rows']:,} rows)"
        lines.append(
            f"| {name} | {of_many['size_mb'] * share:.0f} MB | {of_many['form'] * share:.1f} s "
            f"| {of_many['form'] * share / bare:.1f} | {of_many['all'] * share:.1f} s | {of_many['peak_mb']:.0f} MB "
            f"| {of_few['peak_mb']:.0f} MB |"
        )
    return lines


if __name__ == "__main__":
    if sys.argv[1] == "--send":
        send(Path(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]))
