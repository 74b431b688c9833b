"""What Airflow adds to a night: the same nights by ``doudi run`` and on its scheduler, in one run.

    python -m benchmarks.orchestration [PERSONS]

Two installations, each in a home and on a server of its own, take in the same files in turn. A night on Airflow is what
``make run`` does once Airflow is up: the runs of all DAGs that it takes, from the first trigger to the end of the last.
Prints the figures and writes them between their marks in docs/benchmarks.md.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.landing import installation, write_page
from benchmarks.next_month import write_next_month
from benchmarks.night import FIRST, NEXT
from doudi.contracts import load_contracts
from doudi.settings import Settings
from doudi.synth import generate

PERSONS = 10_000
# What the command of a night on Airflow tells with its seconds: the night, and what goes on before and after it.
_NIGHT = "the night as of"
_AROUND = ("Airflow's tables", "Airflow's scheduler", "stopping Airflow")


def main(persons: int) -> None:
    with installation() as (alone, _), installation() as (on_airflow, _), TemporaryDirectory() as folder:
        inboxes = {name: Path(folder) / name for name in ("first", "changed", "nothing new")}
        for inbox in inboxes.values():
            inbox.mkdir()
        generate(inboxes["first"], persons=persons, seed=1, as_of=FIRST, clean=True)
        contracts = load_contracts(alone.contracts)
        write_next_month(
            inboxes["first"], inboxes["changed"], data_date=NEXT, contracts=contracts, contracts_folder=alone.contracts
        )
        nights = {}
        for name, inbox in inboxes.items():
            as_of = FIRST if name == "first" else NEXT
            command = [Path(sys.executable).parent / "doudi", "run", "--out", alone.home / "out"]
            seconds, _ = _run(command, alone, inbox=inbox, as_of=as_of)
            _, told = _run([sys.executable, "-m", "doudi.orchestration", "run"], on_airflow, inbox=inbox, as_of=as_of)
            nights[name] = (seconds, _seconds(told, _NIGHT), sum(_seconds(told, what) for what in _AROUND))
    report = "\n".join(_report(persons, nights))
    print(report)
    write_page("orchestration", persons, report)


def _run(command: list[str | Path], settings: Settings, *, inbox: Path, as_of: date) -> tuple[float, str]:
    """Seconds of a command and what it told. Exits where it did not succeed."""
    ours = {"HOME": settings.home, "DATABASE_URL": "", "INBOX": inbox, "AS_OF": as_of.isoformat()}
    environment = os.environ | {f"DOUDI_{name}": str(value) for name, value in ours.items()}
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{command[0]} of {as_of} ended with exit code {done.returncode}")
    return time.perf_counter() - begun, done.stdout


def _seconds(told: str, what: str) -> float:
    return float(re.search(rf"{re.escape(what)}[^:\n]*: ([\d.]+) s", told)[1])


def _report(persons: int, nights: dict[str, tuple[float, float, float]]) -> Iterator[str]:
    yield (
        f"{persons:,} people; {os.cpu_count()} cores; {date.today()}. "
        f"Load of the machine at the end: {os.getloadavg()[1]:.1f}."
    )
    yield ""
    yield "| seconds | `doudi run` | on Airflow | added | Airflow's own start and stop |"
    yield "|---|---|---|---|---|"
    for name, (alone, on_airflow, around) in nights.items():
        yield f"| {name} | {alone:.1f} | {on_airflow:.1f} | {on_airflow - alone:.1f} | {around:.1f} |"


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else PERSONS)
