"""dbt, started in this process: what it is told, what it may tell, and what comes back."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from doudi.access import AccessError, identifier_key
from doudi.contracts import load_contracts
from doudi.cores import cores
from doudi.identity import people
from doudi.settings import Settings
from doudi.transform.touched import STATISTICS_TARGET
from doudi.warehouse.connection import WarehouseError, connect
from doudi.warehouse.distribution import OF_BUILDS, is_distributed

Progress = Callable[[str], None]

# A crash loses a build that is not recorded as done, and that record waits until all before it is on disk.
_OF_SESSIONS = {"synchronous_commit": "off", "role": "doudi_transformer"}
# A `distinct on` is expected to give a few hundred rows, however many they are: millions would be looked up one by one.
# Nor does a table that is read whole gain by being read in the order of an index, page by page here and there.
_OF_EVERYBODY = {"enable_nestloop": "off", "enable_indexscan": "off"}
# The models of few people take a fraction of a second each: dbt's threads fill the cores, and a query that is shared
# out among Postgres's workers costs more of their time than it gains.
_OF_FEW_PEOPLE = {"default_statistics_target": STATISTICS_TARGET, "max_parallel_workers_per_gather": 0}
# One thread more than there are cores, and no more than these: Python computes in one of them at a time.
_MOST_THREADS = 8
_HEARD = "NodeFinished"  # dbt's event of which progress tells


class BuildError(WarehouseError):
    """A build did not succeed; ``failed`` says which nodes failed and how, without a value of any row.

    It is ``transient`` where one of them failed for a reason that may pass, such as a lost connection.
    """

    def __init__(self, *failed: str, sqlstates: tuple[str | None, ...] = ()) -> None:
        passing = [state for state in sqlstates if WarehouseError("", sqlstate=state).transient]
        super().__init__("; ".join(failed), sqlstate=passing[0] if passing else "")
        self.failed = failed


@dataclass(frozen=True, kw_only=True)
class Node:
    """A model, seed or test after dbt has run it; ``message`` holds no value of any row."""

    name: str
    kind: str
    status: str
    seconds: float
    message: str
    sqlstates: tuple[str | None, ...] = ()

    @property
    def failed(self) -> bool:
        return self.status in ("error", "fail", "runtime error")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Where dbt connects, and the variables that every command needs.

    ``keyed`` is False for what makes identifiers of nobody, such as unit tests, which expect those without a key.
    ``touched_only``: the people in intermediate.touched are computed, not everybody. ``artifacts``: dbt leaves its
    manifest.json and run_results.json, which take it a second. ``parsed`` is what ``parse`` gave, if it was called.
    ``finished`` is called with the name of each model that is made, by the threads of dbt.
    """

    url: str
    settings: Settings
    as_of: date
    schema_suffix: str = ""
    seed_suffix: str = ""
    history_schema: str = ""
    keyed: bool = True
    touched_only: bool = False
    artifacts: bool = False
    progress: Progress = field(default=lambda line: None)
    finished: Callable[[str], None] = field(default=lambda name: None)
    parsed: Any = None

    @property
    def parsed_by(self) -> tuple[str, ...]:
        """What ``parse`` gives depends on, besides the project's files."""
        return self.url, self.as_of.isoformat(), *self._options()

    def parse(self) -> Any:
        """What dbt makes of the project, for runners that are ``parsed_by`` the same; None where it cannot.

        Why, ``run`` will say. Takes seconds of Python, and asks the warehouse nothing.
        """
        from dbt.cli.main import dbtRunner

        with _environment(self.url, as_of=self.as_of):
            return dbtRunner().invoke(["parse", *self._options()]).result

    def run(self, *command: str) -> list[Node]:
        """Run one command and return its nodes. Raises BuildError where dbt does not get as far as running them."""
        from dbt.cli.main import dbtRunner

        key = self._identifier_key()
        settings = {"doudi.identifier_key": key, **_OF_SESSIONS, **(OF_BUILDS if self._distributed else {})}
        settings |= _OF_FEW_PEOPLE if self.touched_only else _OF_EVERYBODY
        environment = _environment(self.url, as_of=self.as_of, touched_only=self.touched_only, settings=settings)
        with environment, _kept_connections(), _told_events_only(), _errors_without_values() as sqlstates:
            outcome = dbtRunner(manifest=self.parsed, callbacks=[self._report]).invoke([*command, *self._options()])
        if outcome.exception is not None:
            raise BuildError(f"dbt {command[0]}: {outcome.exception}", sqlstates=tuple(sqlstates))
        results = getattr(outcome.result, "results", None) or ()
        return [_node(result, sqlstates=tuple(sqlstates)) for result in results]

    def _identifier_key(self) -> str:
        if not self.keyed:
            return ""
        with connect(self.url, step="build", role="transformer") as session:
            try:
                return identifier_key(session, settings=self.settings)
            except AccessError as error:
                raise BuildError(str(error)) from None

    def _options(self) -> list[str]:
        """Artifacts of builds apart from the present are kept apart, so that each finds its own parsed project."""
        project, home = self.settings.dbt_project, self.settings.home / "dbt"
        target = home / ("apart" if self.schema_suffix else "present")
        return [
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", str(target), "--log-path", str(home)),
            "--write-json" if self.artifacts else "--no-write-json",
            *("--log-level", "none", "--log-level-file", "none", "--vars", json.dumps(self._variables())),
        ]

    def _variables(self) -> dict[str, Any]:
        contracts = load_contracts(self.settings.contracts).values()
        return {
            "schema_suffix": self.schema_suffix,
            "seed_suffix": self.seed_suffix,
            "history_schema": self.history_schema,
            "columns": {contract.name: [column.name for column in contract.columns] for contract in contracts},
            "people": [person for contract in contracts for person in people(contract)],
            "indicators": indicators(self.settings),
            "distributed": self._distributed,
        }

    @cached_property
    def _distributed(self) -> bool:
        with connect(self.url, step="build", role="transformer") as session:
            return is_distributed(session)

    def _report(self, event: Any) -> None:
        if event.info.name == _HEARD:
            node = event.data.node_info
            self.progress(f"{node.resource_type} {node.node_name}: {node.node_status}")
            if node.node_status == "success":
                self.finished(node.node_name)


def indicators(settings: Settings) -> list[str]:
    """The names of the indicators' models: whatever file is there."""
    return sorted(path.stem for path in (settings.dbt_project / "models" / "indicators").glob("ind_*.sql"))


def refuse_failures(nodes: list[Node]) -> None:
    """Raises BuildError that names every node that failed."""
    failed = [node for node in nodes if node.failed]
    if failed:
        states = tuple(state for node in failed for state in node.sqlstates)
        raise BuildError(*(f"{node.kind} {node.name}: {node.message}" for node in failed), sqlstates=states)


def _node(result: Any, *, sqlstates: tuple[str | None, ...]) -> Node:
    kind, status = str(result.node.resource_type), str(result.status)
    message = f"{result.failures} rows" if (kind, status) == ("test", "fail") else result.message or ""
    return Node(
        name=result.node.name,
        kind=kind,
        status=status,
        seconds=result.execution_time,
        message=" ".join(message.split()),
        sqlstates=sqlstates if status == "error" else (),
    )


@contextmanager
def _environment(
    url: str, *, as_of: date, touched_only: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    """What profiles.yml, the macros as_of and of_touched, and libpq read, for as long as dbt runs.

    libpq hands the settings of the session over as it connects: no statement, profile or artifact of dbt holds the key.
    """
    parts = conninfo_to_dict(url)
    ours = {
        "DOUDI_DBT_HOST": parts.get("host", "localhost"),
        "DOUDI_DBT_PORT": parts.get("port", "5432"),
        "DOUDI_DBT_USER": parts.get("user", ""),
        "DBT_ENV_SECRET_DOUDI_PASSWORD": parts.get("password", ""),
        "DOUDI_DBT_DBNAME": parts.get("dbname", ""),
        "DOUDI_DBT_SSLMODE": parts.get("sslmode", "prefer"),
        "DOUDI_DBT_AS_OF": as_of.isoformat(),
        "DOUDI_DBT_TOUCHED": "yes" if touched_only else "",
        "DOUDI_DBT_THREADS": os.environ.get("DOUDI_DBT_THREADS", min(_MOST_THREADS, cores() + 1)),
    }
    if settings is not None:
        given = (f"-c {name}={value}" for name, value in settings.items())
        ours["PGOPTIONS"] = " ".join(filter(None, (parts.get("options"), os.environ.get("PGOPTIONS"), *given)))
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update({name: str(value) for name, value in ours.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _errors_without_values() -> Iterator[list[str | None]]:
    """Postgres's messages quote rows, and dbt keeps them in its results, artifacts and logs.

    While dbt runs, what it is told of a database error is the error's class and place only. Gives the list to which
    the SQLSTATE of each is added.
    """
    import psycopg2
    from dbt.adapters.postgres.connections import PostgresConnectionManager
    from dbt_common.exceptions import DbtDatabaseError

    sqlstates: list[str | None] = []
    told_by_dbt = PostgresConnectionManager.exception_handler

    @contextmanager
    def handler(self: Any, sql: str) -> Iterator[None]:
        with told_by_dbt(self, sql):
            try:
                yield
            except psycopg2.Error as error:
                sqlstates.append(error.pgcode)
                places = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
                message = " ".join(filter(None, (type(error).__name__, error.pgcode, *places)))
                raise DbtDatabaseError(message) from None

    PostgresConnectionManager.exception_handler = handler
    try:
        yield sqlstates
    finally:
        PostgresConnectionManager.exception_handler = told_by_dbt


@contextmanager
def _kept_connections() -> Iterator[None]:
    """dbt opens a connection for each node: here each of its threads keeps its own while dbt runs.

    A new one costs the password's thousands of rounds of hashing on both sides, and its catalogue caches are empty: the
    first queries are planned several times as long.
    """
    import psycopg2
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    close = PostgresConnectionManager.release

    def release(self: Any) -> None:
        connection = self.get_if_exists()
        if connection is None or connection.state != "open":
            return close(self)
        try:
            connection.handle.rollback()
            connection.transaction_open = False
            with connection.handle.cursor() as cursor:
                cursor.execute("discard temporary")
            connection.handle.commit()
        except psycopg2.Error:  # it is lost: the next node opens one
            close(self)

    PostgresConnectionManager.release = release
    try:
        yield
    finally:
        PostgresConnectionManager.release = close


@contextmanager
def _told_events_only() -> Iterator[None]:
    """dbt makes messages of some thirty events for each node that nobody hears: a tenth of its own time."""
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager

    fire = EventManager.fire_event

    def fire_if_heard(self: Any, event: Any, level: Any = None, **rest: Any) -> None:
        if (level or event.level_tag()) != EventLevel.DEBUG or type(event).__name__ == _HEARD:
            fire(self, event, level, **rest)

    EventManager.fire_event = fire_if_heard
    try:
        yield
    finally:
        EventManager.fire_event = fire
