"""Things done side by side: what comes of each, and that no process outlives who started it."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from fates import work

from doudi.side_by_side import Tell, WorkerLost, beside, each_done, workers_for
from doudi.warehouse.connection import WarehouseError


def _wait_for_ever(thing: Path, tell: Tell) -> None:
    thing.with_suffix(".part").write_text(str(os.getpid()))
    thing.with_suffix(".part").rename(thing)
    while True:
        time.sleep(0.05)


@pytest.fixture(params=["fork", "spawn"])
def started_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Linux, and as everywhere else."""
    monkeypatch.setattr("doudi.side_by_side.sys.platform", "linux" if request.param == "fork" else "darwin")


def test_one_that_fails_or_dies_keeps_no_other_from_being_done(started_by: None) -> None:
    told: list[str] = []
    things = ["first", "dies", "fails", "cannot be told", "last"]
    came = dict(each_done(work, things, workers=2, tell=told.append))
    assert came.keys() == set(things)
    assert isinstance(came["dies"], WorkerLost)
    assert str(came["dies"]) == "its process ended in the middle with exit code -9"
    assert (str(came["fails"]), came["fails"].sqlstate) == ("load 1: DiskFull", "53100")
    assert "in work" in came["fails"].__notes__[0]
    assert str(came["cannot be told"]) == "_NoPickle"
    assert {came["first"].split(" by ")[0], came["last"].split(" by ")[0]} == {"first done", "last done"}
    assert str(os.getpid()) not in came["first"] + came["last"]
    assert sorted(told) == sorted(f"{thing} begun" for thing in things)
    assert multiprocessing.active_children() == []


def _wait_for(thing: Path | None, tell: Tell) -> None:
    if thing:
        _until(thing.exists)


def test_while_others_work_the_one_that_waits_does_something_else_and_ends_it(tmp_path: Path) -> None:
    place, ended = tmp_path / "there", []

    def let_them_go() -> None:
        place.touch()
        time.sleep(0.2)
        ended.append(True)

    came = list(each_done(_wait_for, [None, place, place], workers=2, tell=lambda line: None, meanwhile=let_them_go))
    assert came == [(None, None), (place, None), (place, None)]
    assert ended == [True]


def _is_least_urgent(tell: Tell) -> str:
    tell("begun")
    return f"{os.nice(0)} in {os.getpid()}"


def _is_killed(tell: Tell) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fails(tell: Tell) -> None:
    raise WarehouseError("data docs: DiskFull", sqlstate="53100")


def test_what_is_done_beside_takes_what_is_left_over() -> None:
    told: list[str] = []
    with beside(_is_least_urgent, tell=told.append) as outcome:
        urgency, _, process = outcome().partition(" in ")
    assert (urgency, told) == ("19", ["begun"])
    assert int(process) != os.getpid()
    with beside(_fails, tell=told.append) as outcome, pytest.raises(WarehouseError, match="DiskFull"):
        outcome()
    with beside(_is_killed, tell=told.append) as outcome, pytest.raises(WorkerLost, match="exit code -9"):
        outcome()
    assert multiprocessing.active_children() == []


def test_what_is_done_beside_is_waited_for_where_nobody_asks(tmp_path: Path) -> None:
    place = tmp_path / "there"
    with beside(partial(_make, place=place), tell=lambda line: None):
        assert not place.exists()
    assert place.exists()


def _make(tell: Tell, *, place: Path) -> None:
    time.sleep(0.2)
    place.touch()


def test_one_worker_needs_no_other_process() -> None:
    (first, failed) = each_done(work, ["first", "fails"], workers=1, tell=lambda line: None)
    assert first == ("first", f"first done by {os.getpid()}")
    assert isinstance(failed[1], WarehouseError)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_process_that_started_them(end: signal.Signals, tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    parent = os.fork()
    if parent == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            list(each_done(_wait_for_ever, places, workers=2, tell=lambda line: None))
        os._exit(130)
    _until(lambda: all(place.exists() for place in places))
    os.kill(parent, end)
    assert os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1]) == (130 if end == signal.SIGINT else -end)
    workers = [int(place.read_text()) for place in places]
    _until(lambda: not any(map(_lives, workers)))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """A zombie, which only the machine's first process can reap, does nothing any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def test_a_process_that_may_have_no_others_does_all_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert workers_for(100) == 1
