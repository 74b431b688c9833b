"""Two small counties that all tests of the synthesis share: one with planted faults, one without."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from doudi.synth import Summary, generate

PERSONS, AS_OF = 1700, date(2020, 6, 30)


@dataclass(frozen=True)
class County:
    folder: Path
    summary: Summary

    def truth(self, table: str) -> list[dict[str, str]]:
        with (self.folder / "truth" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def deliveries(self) -> list[Path]:
        return sorted(self.folder.glob("*.csv"))


def _made(folder: Path, *, clean: bool) -> County:
    return County(folder, generate(folder, persons=PERSONS, seed=7, as_of=AS_OF, clean=clean))


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return _made(tmp_path_factory.mktemp("county"), clean=False)


@pytest.fixture(scope="session")
def clean_county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return _made(tmp_path_factory.mktemp("clean_county"), clean=True)
