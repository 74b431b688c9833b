"""Several things done at a time, each in one of a few processes.

A process that dies loses the one thing that it was at. All of them end with the process that started them, however
that ends: none is left behind that holds a lock and works for nobody.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from doudi.cores import cores

MOST = 4  # each takes memory and connections, and there is little to share among more
_GRACE_SECONDS = 10
_LEAST_URGENT = 19

Thing = TypeVar("Thing")
Result = TypeVar("Result")
Tell = Callable[[str], None]
Work = Callable[[Thing, Tell], Result]


class WorkerLost(Exception):
    """A process ended in the middle, as one does that is killed or for which there is no memory."""


def workers_for(things: int) -> int:
    """Among how many processes to share so many things: no more than there are cores.

    One within a process that may have no others, as those are in which Celery's workers do their tasks.
    """
    if multiprocessing.current_process().daemon:
        return 1
    return min(things, MOST, cores())


def each_done(
    work: Work[Thing, Result],
    things: Iterable[Thing],
    *,
    workers: int,
    tell: Tell,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[tuple[Thing, Result | Exception]]:
    """Do ``work`` for each of ``things``, taken up in their order; yields what came of each as soon as it is done.

    An exception is yielded too, WorkerLost where the process died, and keeps no other thing from being done. What the
    work tells goes on to ``tell`` at once. With one worker all is done in this process; else ``work``, the things and
    the results are pickled, and at the fork no thread may hold a lock. ``meanwhile`` is done by a thread of this one,
    which would only wait: it has ended where another process is forked for one that died, and when all is done.
    """
    left = deque(things)
    if workers <= 1:
        for thing in left:
            try:
                outcome = work(thing, tell)
            except Exception as error:
                outcome = error
            yield thing, outcome
        return
    team: dict[Connection, _Worker] = {}
    helper = threading.Thread(target=meanwhile)  # which may be nothing
    try:
        while left or team:
            while left and len(team) < workers:
                if helper.ident:
                    helper.join()
                worker = _Worker(work)
                team[worker.line] = worker
                worker.begin(left.popleft())
            if not helper.ident:
                helper.start()
            for line in wait(list(team)):
                worker = team[line]
                try:
                    done, content = line.recv()
                except (EOFError, OSError):
                    del team[line]
                    yield worker.thing, worker.loss()
                    continue
                if not done:
                    tell(content)
                    continue
                finished = worker.thing
                if left:
                    worker.begin(left.popleft())
                else:
                    del team[line]
                    worker.end()
                yield finished, content
    finally:
        for worker in team.values():
            worker.stop()
        if helper.ident:
            helper.join()


@contextmanager
def beside(work: Callable[[Tell], Result], *, tell: Tell) -> Iterator[Callable[[], Result]]:
    """Let ``work`` be done in a process of its own, with what the processors have left over of other work.

    Gives what waits for its outcome, tells then what it told, and raises its exception, WorkerLost where the process
    died; leaving waits for the process in any case. Pickling and the fork are as in `each_done`.
    """
    worker = _Worker(_leftover)
    worker.begin(work)

    def outcome() -> Result:
        while True:
            try:
                done, content = worker.line.recv()
            except (EOFError, OSError):
                raise worker.loss() from None
            if not done:
                tell(content)
            elif isinstance(content, Exception):
                raise content
            else:
                return content

    try:
        yield outcome
    finally:
        worker.end()


def _leftover(work: Callable[[Tell], Result], tell: Tell) -> Result:
    os.nice(_LEAST_URGENT)
    return work(tell)


class _Worker:
    """A process that does one thing after the other, with the line on which it is told of them and tells."""

    def __init__(self, work: Work) -> None:
        # Forked, it has all that was imported before; elsewhere than on Linux system libraries do not bear it.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()  # so that the line ends when the process does

    def begin(self, thing: object) -> None:
        self.thing = thing
        self._tell((thing,))

    def end(self) -> None:
        """Let it go when it has nothing left to do."""
        self._tell(None)  # those forked after it hold its line open too
        self.line.close()
        self._process.join()

    def _tell(self, what: tuple | None) -> None:
        with suppress(OSError):  # where it has died, its line says so when it is listened to
            self.line.send(what)

    def stop(self) -> None:
        """End it in the middle: its query is cancelled; what it had begun is rolled back."""
        self._process.terminate()
        self._process.join(_GRACE_SECONDS)
        self._process.kill()
        self.end()

    def loss(self) -> WorkerLost:
        self.end()
        return WorkerLost(f"its process ended in the middle with exit code {self._process.exitcode}")


def _serve(line: Connection, work: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal; who started us says when to stop
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while given := line.recv():
            line.send((True, _outcome(work, *given, lambda text: line.send((False, text)))))
    except (EOFError, KeyboardInterrupt):
        return


def _end_with_parent() -> None:
    """Whatever it is at: the server rolls back what it had begun."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _outcome(work: Work, thing: object, tell: Tell) -> object:
    """What came of it; an error with the place where it was raised, by its class alone where it cannot be pickled."""
    try:
        return work(thing, tell)
    except Exception as error:
        error.add_note(traceback.format_exc())  # which pickling takes from it
        try:
            return pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
        except Exception:
            return RuntimeError(type(error).__name__)
