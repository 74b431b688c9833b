"""The synthetic inbox of `make run`: made once for a home, in a process of its own while Airflow starts."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from doudi.settings import Settings, SettingsError


@dataclass(frozen=True, kw_only=True)
class SyntheticCounty:
    """How many people live in it, and the seed that decides everything else."""

    persons: int = 5000
    seed: int = 1


@contextmanager
def inbox_being_made(settings: Settings, county: SyntheticCounty | None) -> Iterator[Callable[[], str]]:
    """Begin to fill the inbox with ``county``; yields a function that waits until that is done and says what there is.

    A county that was made before stays as it is, and so does an inbox of one's own (``county`` None, or files that are
    there). Raises SettingsError where there is no inbox, or where the home holds another county: two of them in one
    warehouse would make one nonsense.
    """
    record = settings.home / "synthetic.json"
    if county is None:
        if not settings.inbox.is_dir():
            raise SettingsError(f"there is no inbox {settings.inbox}")
        yield lambda: f"the files that are in {settings.inbox}"
    elif record.exists():
        made = SyntheticCounty(**json.loads(record.read_text()))
        if made != county:
            raise SettingsError(
                f"{settings.home} holds a synthetic county of {made.persons} people, seed {made.seed}: "
                "run make clean first, or set DOUDI_HOME to another folder"
            )
        yield lambda: f"the synthetic county in {settings.inbox}, made before"
    elif settings.inbox.is_dir() and any(settings.inbox.iterdir()):
        yield lambda: f"the files that are in {settings.inbox}"
    else:
        with _maker(settings, county) as finish:
            yield finish


@contextmanager
def _maker(settings: Settings, county: SyntheticCounty) -> Iterator[Callable[[], str]]:
    """Make it under another name: an inbox that is half written must not be taken in."""
    partial = settings.inbox.with_name(f".{settings.inbox.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    log = settings.home / "synth.log"
    settings.home.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        maker = subprocess.Popen(_command(partial, settings, county), stdout=output, stderr=subprocess.STDOUT)

    def finish() -> str:
        if maker.wait():
            raise SettingsError(f"the synthetic county could not be made; see {log}")
        if settings.inbox.is_dir():
            settings.inbox.rmdir()
        partial.rename(settings.inbox)
        (settings.home / "synthetic.json").write_text(json.dumps(asdict(county)))
        return f"a synthetic county of {county.persons} people in {settings.inbox}"

    try:
        yield finish
    finally:
        maker.kill()
        maker.wait()


def _command(out: Path, settings: Settings, county: SyntheticCounty) -> list[str]:
    options = {"--persons": county.persons, "--seed": county.seed, "--as-of": settings.date_of_run()}
    call = [sys.executable, "-c", "from doudi.cli import main; main()", "synth", str(out)]
    return [*call, *(str(word) for option in options.items() for word in option)]
