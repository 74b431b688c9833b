"""People found by many queries, which run side by side: each in one of as many sessions as there are cores.

Where they are kept: in unlogged tables of the schema ``touching``, which lasts as long as the search. Other sessions,
and the workers of a query, cannot look into temporary tables.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

import psycopg

from doudi.cores import cores
from doudi.warehouse.connection import connect

# Given a session and the number of the turn, adds people and returns how many of them were not there.
Search = Callable[[psycopg.Connection, int], int]
Outcome = TypeVar("Outcome")
Work = Callable[[psycopg.Connection], Outcome]


class Reached:
    """The people found so far, ``count`` of them, in ``touching.reached``. Beyond ``at_most`` the search is given up.

    They are found in turns, from 0 on: ``touching.newly`` holds those whom the turn before this one added.
    """

    def __init__(self, session: psycopg.Connection, searchers: Iterable[psycopg.Connection], *, at_most: float) -> None:
        self.count = 0
        self.turn = 0
        self._at_most = at_most
        self._before = 0  # this turn
        self._session = session
        self._free: SimpleQueue[psycopg.Connection] = SimpleQueue()
        for searcher in searchers:
            self._free.put(searcher)

    @property
    def too_many(self) -> bool:
        """Whether the search was given up; there are more, then, than were counted."""
        return self.count > self._at_most

    def add(self, searches: Iterable[Search]) -> None:
        """Run the searches of this turn."""
        with closing(self._done(partial(search, turn=self.turn) for search in searches)) as done:
            for added in done:
                self.count += added
                if self.too_many:
                    break

    def let_each(self, works: Iterable[Work[None]]) -> None:
        """Have all the works done in the sessions of the search, begun in their order."""
        deque(self._done(works), maxlen=0)

    def begin_turn(self) -> bool:
        """Whether the turn that ends has found anybody; then the next one begins, with them in ``touching.newly``."""
        if self.count == self._before or self.too_many:
            return False
        self._session.execute("drop table if exists touching.newly")
        self._session.execute(
            f"create unlogged table touching.newly as select citizen_id from touching.reached where turn = {self.turn}"
        )
        self._session.execute("analyze touching.newly")  # the planner sees how few they are after the first turn
        self.turn, self._before = self.turn + 1, self.count
        return True

    def _done(self, works: Iterable[Work[Outcome]]) -> Iterator[Outcome]:
        """What each work gives, as it is done; what is not begun when the caller stops asking is not done."""
        with ThreadPoolExecutor(max_workers=self._free.qsize()) as beside:
            try:
                for done in as_completed([beside.submit(self._run, work) for work in works]):
                    yield done.result()
            finally:
                beside.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Work[Outcome]) -> Outcome:
        searcher = self._free.get()
        try:
            return work(searcher)
        finally:
            self._free.put(searcher)


@contextmanager
def reaching(url: str, session: psycopg.Connection, *, at_most: float) -> Iterator[Reached]:
    """A search for people from nobody on; ``session`` commits each statement, and stays the caller's."""
    session.execute("drop schema if exists touching cascade")
    session.execute("create schema touching")
    try:
        session.execute("create unlogged table touching.reached (citizen_id text primary key, turn integer not null)")
        with ExitStack() as stack:
            searchers = [
                stack.enter_context(connect(url, autocommit=True, step="build", role="transformer"))
                for _ in range(cores())
            ]
            for searcher in searchers:
                searcher.execute("set client_min_messages to warning")
                searcher.execute("set synchronous_commit to off")  # nothing of it outlives the build
                searcher.execute("set search_path to touching")
            yield Reached(session, searchers, at_most=at_most)
    finally:
        session.execute("drop schema touching cascade")


def reach(session: psycopg.Connection, turn: int, *, query: str) -> int:
    """Add the ``citizen_id`` that a query gives: a Search, once the query is known."""
    # Into a table of its own first: workers share the query of a new table, not that of an insert.
    session.execute(
        f"""
        create temporary table found as
        select distinct citizen_id from ({query}) as people where citizen_id is not null
        """
    )
    # In order, or two sessions wait for each other.
    added = session.execute(
        f"""
        insert into reached (citizen_id, turn)
        select citizen_id, {turn} from found order by citizen_id
        on conflict do nothing
        """
    ).rowcount
    session.execute("drop table found")
    return added
