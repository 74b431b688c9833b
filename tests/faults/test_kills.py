"""Killed at any moment, a night that is run again ends as if nothing had happened."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from interrupted import FEEDS, TOLD, Server, exit_status, fork, take_in_nights
from warehouse_state import content, left_over

from doudi.settings import Settings

KILLS = 300 if os.environ.get("DOUDI_SOAK") else 100
SEED = int(os.environ.get("DOUDI_SEED", random.SystemRandom().randrange(10**6)))


def _kill_loader(loader: int, server: Server, url: str) -> None:
    os.kill(loader, signal.SIGKILL)


def _kill_postmaster(loader: int, server: Server, url: str) -> None:
    os.kill(int((server.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def _backends(url: str, query: str) -> list[int]:
    with psycopg.connect(url.replace(urlsplit(url).path, "/postgres"), autocommit=True) as session:
        database = urlsplit(url).path.lstrip("/")
        return [pid for (pid,) in session.execute(query, (database,))]


def _kill_backend(loader: int, server: Server, url: str) -> None:
    for pid in _backends(url, "select pid from pg_stat_activity where datname = %s limit 1"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _cut_connections(loader: int, server: Server, url: str) -> None:
    _backends(url, "select pg_terminate_backend(pid)::integer from pg_stat_activity where datname = %s")


def _draw(made: random.Random) -> Callable:
    """Which process is killed; a killed server costs a recovery, so it is the rarer."""
    kinds = {_kill_loader: 80, _kill_backend: 10, _kill_postmaster: 10}
    return made.choices(list(kinds), list(kinds.values()))[0]


class Undisturbed:
    """The nights as they are when nothing happens: how long they take and what they leave."""

    def __init__(self, server: Server, nights: list[Path], folder: Path, feeds: tuple[str, ...] = FEEDS) -> None:
        self.server, self.nights, self.folder, self.feeds = server, nights, folder, feeds
        self.seconds = min(self._timed() for _ in range(3))
        assert len(self.content["ops.quarantine"]) >= 5
        assert Counter(row[1] for row in self.content["ops.load"]).keys() <= {"published", "superseded"}

    def _timed(self) -> float:
        with self.server.installation(self.folder) as settings:
            begun = time.perf_counter()
            assert exit_status(self.run(settings)) == 0
            seconds = time.perf_counter() - begun
            self.content = content(settings.database_url)
            assert left_over(settings.database_url, settings.home) == []
        return seconds

    def run(self, settings: Settings) -> int:
        return fork(lambda: take_in_nights(settings, self.nights, self.feeds))

    def disturbed(self, kill: Callable, after_seconds: float) -> bool:
        """Kill in the middle, run again and compare; False where the nights had ended before."""
        with self.server.installation(self.folder) as settings:
            loader = self.run(settings)
            time.sleep(after_seconds)
            in_time = not os.waitid(os.P_PID, loader, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if in_time:
                kill(loader, self.server, settings.database_url)
            status = exit_status(loader)
            if kill is _kill_loader:
                in_time = status == -signal.SIGKILL
            else:  # what hit the server may have hit between two connections, where nobody noticed
                assert status in (0, TOLD)
            assert self.server.url(urlsplit(settings.database_url).path[1:]) == settings.database_url
            assert exit_status(self.run(settings)) == 0
            assert content(settings.database_url) == self.content
            assert left_over(settings.database_url, settings.home) == []
        return in_time

    def disturb(self, *, draw: Callable[[random.Random], Callable], times: int) -> Counter:
        made, hit = random.Random(SEED), Counter()
        while hit.total() < times:
            kill, after_seconds = draw(made), made.uniform(0, self.seconds)
            told = f"{kill.__name__} after {after_seconds:.4f} s, number {hit.total()} of DOUDI_SEED={SEED}"
            try:
                hit[kill.__name__] += self.disturbed(kill, after_seconds)
            except (AssertionError, psycopg.Error) as error:
                pytest.fail(f"{told}: {error}")
        return hit


def test_after_kills_at_random_moments_a_rerun_ends_like_an_undisturbed_night(
    server: Server, nights: list[Path], tmp_path: Path, without_suite: None
) -> None:
    hit = Undisturbed(server, nights, tmp_path).disturb(draw=_draw, times=KILLS)
    assert hit.keys() == {"_kill_loader", "_kill_backend", "_kill_postmaster"}


def test_connections_cut_at_random_moments_are_told_and_a_rerun_ends_like_an_undisturbed_night(
    server: Server, nights: list[Path], tmp_path: Path, without_suite: None
) -> None:
    Undisturbed(server, nights, tmp_path).disturb(draw=lambda made: _cut_connections, times=KILLS // 10)


def test_a_loader_killed_while_the_suite_judges_is_taken_up_again(
    server: Server, nights: list[Path], tmp_path: Path
) -> None:
    import great_expectations  # noqa: F401 (paid here once, and not by each loader)

    night = Undisturbed(server, nights, tmp_path, feeds=("medical_assistance",))
    assert night.content["ops.check_result"]
    night.disturb(draw=lambda made: _kill_loader, times=KILLS // 20)
