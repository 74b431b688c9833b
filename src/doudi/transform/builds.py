"""A build from its lock to its counts, and whether there is anything for one to do."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock
from typing import Any

import psycopg

from doudi.contracts import load_contracts
from doudi.identity import propose
from doudi.settings import TIME_ZONE, Settings, load_settings
from doudi.transform import record
from doudi.transform.runner import BuildError, Node, Progress, Runner, refuse_failures
from doudi.transform.touched import list_touched
from doudi.transform.working_days import load_working_days
from doudi.warehouse.connection import WarehouseError, connect

LOCK = 7_202_004  # any number, as long as every process takes the same
SCHEMAS = ("staging", "intermediate", "identity", "marts")  # of a build; apart from the present with a suffix
_UNIT_TEST_DATE = date(2020, 6, 30)
# When these models are made it is known who is who, and there are few left: a core becomes free.
_IDENTIFIED = ("person", "household_member", "visit_list")


@dataclass(frozen=True, kw_only=True)
class IndicatorCount:
    """Warnings of one indicator: standing, and of this build's date opened and cleared."""

    open: int
    opened: int
    cleared: int


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What a build did; ``schema_suffix`` is empty where it changed the marts of the present."""

    build_id: int
    as_of: date
    schema_suffix: str
    models: int
    tests: int
    seconds: float
    warnings: dict[str, IndicatorCount]


def build(
    *,
    url: str,
    settings: Settings,
    as_of: date,
    everybody: bool = False,
    artifacts: bool = False,
    preparation: "Preparation | None" = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Compute the marts as of a date and record it in ops.build. Waits for a build that is running.

    Of people and households only those are computed anew for whom something changed since the build before, where that
    can be told (doudi.transform.touched); with ``everybody`` all of them, which gives the same. What a ``preparation``
    has made ready is not made again.

    Raises BuildError where a model or a test failed; readers then see what the build before left them, but for the
    tables that were changed before the failure.
    """
    say = progress or (lambda line: None)
    today = datetime.now(TIME_ZONE).date()
    if as_of > today:
        raise BuildError(f"as of {as_of}: that day has not come yet")
    started = time.monotonic()
    with (
        ThreadPoolExecutor(max_workers=1) as beside,
        connect(url, autocommit=True, step="build", role="transformer") as session,
    ):
        lock(session, say)
        suffix, content = record.schema_suffix(session, as_of), record.content(settings)
        contracts = [*load_contracts(settings.contracts).values()]
        left_out = ["--exclude-resource-type", "unit_test"]
        if content["seeds"] == record.loaded_seeds(session):  # with their tests, a fifth of all nodes
            left_out += ["--exclude-resource-type", "seed", "--exclude", "path:seeds"]
        runner = replace(_runner(url, settings, as_of, suffix, artifacts), progress=say)
        build_id = record.begin(session, as_of=as_of, suffix=suffix)
        # Some seconds of Python, while Postgres finds whom the night touches.
        parsed = beside.submit(_ready, runner, preparation or Preparation(), last_year=today.year + 1)
        try:
            drop_schemas(session, suffix)
            why = (
                "asked for"
                if everybody
                else list_touched(url, session, contracts=contracts, as_of=as_of, suffix=suffix, content=content)
            )
            say(f"everybody is computed: {why}" if why else "those are computed for whom something changed")
            prepared = time.monotonic()
            proposed: list[Future[None]] = []
            finished = _Once(_IDENTIFIED, lambda: proposed.append(beside.submit(_propose, url, settings)))
            runner = replace(runner, touched_only=not why, parsed=parsed.result())
            nodes = (runner if suffix else replace(runner, finished=finished)).run("build", *left_out)
            refuse_failures(nodes)
            from doudi.small_cells import publish  # imported by then

            publish(session, suffix=suffix, as_of=as_of)
            warnings = _count_warnings(session, as_of=as_of, suffix=suffix)
            for done in proposed:
                done.result()
        except BaseException as error:
            reason = str(error) if isinstance(error, WarehouseError) else type(error).__name__
            record.fail(session, build_id, error=reason)
            raise
        ended = time.monotonic()
        counts = Counter(node.kind for node in nodes)
        timings = {
            "content": content,
            "everybody": why,
            **_timings(nodes, prepare=prepared - started, dbt=ended - prepared),
        }
        record.succeed(session, build_id, models=counts["model"], tests=counts["test"], timings=timings)
    return BuildResult(
        build_id=build_id,
        as_of=as_of,
        schema_suffix=suffix,
        models=counts["model"],
        tests=counts["test"],
        seconds=round(ended - started, 3),
        warnings=warnings,
    )


class Preparation:
    """What a build takes seconds to make ready whatever has come in: its imports, and the project as dbt parses it.

    It is for one build, and can be made while others work for whom this process waits.
    """

    def __init__(self) -> None:
        self._parsed: dict[Hashable, Any] = {}

    def make(self, *, url: str, settings: Settings, as_of: date, artifacts: bool = False) -> None:
        """Make ready for the `build` with these options. What goes wrong is the build's to tell."""
        with suppress(WarehouseError):
            with connect(url, step="build", role="transformer") as session:
                suffix = record.schema_suffix(session, as_of)
            runner = _runner(url, settings, as_of, suffix, artifacts)
            made_from = _made_from(runner)  # before: what changes meanwhile is parsed again
            _import()
            self._parsed[made_from] = runner.parse()

    def parsed(self, runner: Runner) -> Any:
        """The project as ``runner`` parses it: now, where it was not parsed or its files have changed since."""
        _import()
        return self._parsed.get(_made_from(runner)) or runner.parse()


def _made_from(runner: Runner) -> Hashable:
    return runner.parsed_by, *record.content(runner.settings).values()


def _import() -> None:
    import dbt.adapters.postgres
    import dbt.cli.main  # noqa: F401

    import doudi.small_cells  # noqa: F401 (a solver, needed by nothing but builds)


def _runner(url: str, settings: Settings, as_of: date, suffix: str, artifacts: bool) -> Runner:
    return Runner(
        url=url,
        settings=settings,
        as_of=as_of,
        schema_suffix=suffix,
        history_schema="marts" if suffix else "",
        artifacts=artifacts,
    )


def is_needed(url: str, as_of: date) -> bool:
    """Whether a build as of a date could give anything that the last one for that date did not."""
    made_from = record.content(load_settings())
    with connect(url, step="build", role="transformer") as session:
        return not record.holds_everything(session, as_of, made_from=made_from)


def unit_tests(*, url: str, settings: Settings, progress: Progress | None = None) -> int:
    """Run dbt's unit tests against empty tables in schemas of their own, and return how many passed.

    The warehouse needs its schemas (`doudi init`) and no rows. Raises BuildError that names the tests that failed.
    """
    suffix = "_unit_test"
    runner = Runner(
        url=url,
        settings=settings,
        as_of=_UNIT_TEST_DATE,
        schema_suffix=suffix,
        keyed=False,
        progress=progress or (lambda line: None),
    )
    with connect(url, autocommit=True, step="unit tests", role="transformer") as session:
        lock(session, runner.progress)
        load_working_days(session, last_year=_UNIT_TEST_DATE.year + 1)
        try:
            refuse_failures(runner.run("seed"))
            refuse_failures(runner.run("run", "--empty"))
            nodes = runner.run("test", "--select", "test_type:unit")
            refuse_failures(nodes)
        finally:
            drop_schemas(session, suffix)
    return len(nodes)


def lock(session: psycopg.Connection, say: Progress) -> None:
    """Two builds would change the same tables. The lock is held until the session ends, however it ends."""
    (free,) = session.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchall()[0]
    if not free:
        say("another build is running; waiting for it to end")
        session.execute("select pg_advisory_lock(%s)", (LOCK,))


@contextmanager
def marts_kept_still(session: psycopg.Connection) -> Iterator[None]:
    """No build changes the marts meanwhile: one at work is waited for, and one that comes waits."""
    session.execute("select pg_advisory_lock_shared(%s)", (LOCK,))
    try:
        yield
    finally:
        session.execute("select pg_advisory_unlock_shared(%s)", (LOCK,))


def drop_schemas(session: psycopg.Connection, suffix: str) -> None:
    """A build apart from the present starts from nothing; the schemas of the present are never dropped."""
    if suffix:
        session.execute("set client_min_messages to warning")
        for schema in SCHEMAS:
            session.execute(f"drop schema if exists {schema}{suffix} cascade")


def _ready(runner: Runner, preparation: Preparation, *, last_year: int) -> Any:
    """What dbt needs before it runs, whomever it computes: the working days, its modules and the project, parsed."""
    with connect(runner.url, autocommit=True, step="build", role="transformer") as session:
        load_working_days(session, last_year=last_year)
    return preparation.parsed(runner)


class _Once:
    """Given the names of what is finished, by any thread, calls ``then`` when the last of ``names`` is."""

    def __init__(self, names: Iterable[str], then: Callable[[], None]) -> None:
        self._left, self._then, self._lock = set(names), then, Lock()

    def __call__(self, name: str) -> None:
        with self._lock:
            if name in self._left:
                self._left.remove(name)
                if not self._left:
                    self._then()


def _propose(url: str, settings: Settings) -> None:
    """The review list follows from who is who by now; it is about the present only."""
    with connect(url, step="build", role="transformer") as session:
        contracts = load_contracts(settings.contracts)
        session.execute("set max_parallel_workers_per_gather to 0")  # dbt's last models are at work beside it
        propose(session, contracts=contracts, contracts_folder=settings.contracts)


def _count_warnings(session: psycopg.Connection, *, as_of: date, suffix: str) -> dict[str, IndicatorCount]:
    rows = session.execute(
        f"""
        select
            indicator.code,
            count(*) filter (where warning.warning_id is not null and closed_on is null),
            count(*) filter (where closed_on is null and opened_on = %(as_of)s),
            count(*) filter (where status = 'cleared' and closed_on = %(as_of)s and opened_on < closed_on)
        from reference.indicator as indicator
        left join marts{suffix}.warning as warning on warning.indicator_code = indicator.code
        group by indicator.code
        order by indicator.code
        """,
        {"as_of": as_of},
    )
    return {code: IndicatorCount(open=count, opened=new, cleared=gone) for code, count, new, gone in rows}


def _timings(nodes: list[Node], *, prepare: float, dbt: float) -> dict[str, object]:
    """Seconds; those of the nodes overlap, as several run at a time."""
    return {
        "prepare": round(prepare, 3),
        "dbt": round(dbt, 3),
        "tests": round(sum(node.seconds for node in nodes if node.kind == "test"), 3),
        "nodes": {node.name: round(node.seconds, 3) for node in nodes if node.kind != "test"},
    }
