"""How Great Expectations is used, and the only place that knows it.

It is imported where it is needed, for that costs seconds. Its context lives in memory, its loggers are silenced
(they write out SQL and Postgres's messages, which quote values), and it is given a connection, not a password.
"""

import logging
import re
import traceback
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.types.numeric import FloatDumper

from doudi.quality.suites import LAST_OBSERVED, ROWS_BY_QUERY, Check, Parameters, SuiteError, parameters_in
from doudi.warehouse.connection import WarehouseError, take_role

JUDGED = "judged"  # the view that the expectations see
_SEVERITIES = {"stop": "critical", "warn": "warning"}

# BASIC with no samples tells the counts that BOOLEAN_ONLY keeps to itself, and no value crosses the wire: the samples
# it asks for are `limit 0`, which Postgres answers without reading a row.
_RESULT_FORMAT = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": True,
    "unexpected_index_column_names": ["_row_no"],
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What Great Expectations found for one check; the numbers are rows."""

    success: bool
    evaluated: int | None
    unexpected: int | None
    observed: dict[str, int | float]
    failing_rows_sql: str | None


def evaluate(
    *,
    url: str,
    feed: str,
    rows: str,
    row_count: int,
    checks: Sequence[Check],
    parameters: Parameters,
    last_observed: Sequence[float | None],
) -> list[Outcome]:
    """Judge the ``row_count`` rows of the query ``rows`` and return an outcome for each check, in their order.

    ``last_observed`` has one entry for each check; where it is None, the bounds that name it are left out.

    Raises SuiteError where a check cannot be built or evaluated, WarehouseError where Postgres refused.
    """
    compared = {position for position, value in enumerate(last_observed) if value is not None}
    suite = build_suite(feed, checks, compared=compared)
    given = {name: value for name, value in parameters.items() if value is not None}
    given |= {_own(position): last_observed[position] for position in compared}
    try:
        with _batch(url, rows, row_count) as batch:
            report = batch.validate(suite, result_format=_RESULT_FORMAT, expectation_parameters=given)
    except Exception:  # whatever it raises may quote a row, so only its class goes on
        raise _failure(f"suite {feed}", traceback.format_exc()) from None
    # The results come failed ones first, not in the order of the suite.
    results = {result.expectation_config.meta["position"]: result for result in report.results}
    for position, result in results.items():
        if raised := _exceptions(result.exception_info):
            raise _failure(f"suite {feed}, rule {checks[position].expectation.rule}", raised)
    if len(results) != len(checks):
        raise SuiteError(f"suite {feed}: {len(checks)} checks were declared, {len(results)} evaluated")
    return [_outcome(results[position], check, rows) for position, check in enumerate(checks)]


def build_suite(feed: str, checks: Sequence[Check], *, compared: Container[int] | None = None) -> Any:
    """The suite of Great Expectations that holds exactly ``checks``. Raises SuiteError where one is not valid.

    ``compared`` are the positions of the checks that keep bounds which name the figure observed last; None: all.
    """
    gx = great_expectations()
    built = [
        _build(feed, position, check, bounded=compared is None or position in compared)
        for position, check in enumerate(checks)
    ]
    suite = gx.ExpectationSuite(name=feed, expectations=built)
    if len(suite.expectations) != len(checks):  # it drops one that it cannot use with no more than a log line
        raise SuiteError(f"suite {feed}: {len(checks)} checks were declared, {len(suite.expectations)} built")
    return suite


def _build(feed: str, position: int, check: Check, *, bounded: bool) -> Any:
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    expectation = check.expectation
    column = {"column": check.column} if check.column else {}
    kwargs = {
        name: _of_its_own(value, position) for name, value in expectation.kwargs.items()
        if bounded or LAST_OBSERVED not in parameters_in(value)
    }  # fmt: skip
    try:
        return get_expectation_impl(expectation.type)(
            **kwargs, **column, severity=_SEVERITIES[expectation.severity], meta={"position": position}
        )
    except (ExpectationNotFoundError, ValueError, TypeError) as error:
        raise SuiteError(f"suite {feed}, rule {expectation.rule}: {error}") from error


def _own(position: int) -> str:
    return f"{LAST_OBSERVED}_{position}"


def _of_its_own(value: Any, position: int) -> Any:
    """Great Expectations knows parameters of the suite only; what was observed last is one for each check."""
    if LAST_OBSERVED not in parameters_in(value):
        return value
    return {"$PARAMETER": re.sub(rf"\b{LAST_OBSERVED}\b", _own(position), str(value["$PARAMETER"]))}


def great_expectations() -> Any:
    """The package, imported now and told to keep its log to itself."""
    logger = logging.getLogger("great_expectations")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    import great_expectations

    return great_expectations


def new_context(**sites: Any) -> Any:
    """A context that lives in memory and tells nobody; ``sites`` are its Data Docs, by name."""
    gx = great_expectations()
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
            data_docs_sites=sites,
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        ),
    )


class _WholeNumber(Dumper):
    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: float) -> bytes:
        return str(int(obj)).encode()


class _ExactNumber(FloatDumper):
    """Great Expectations turns every bound into a float. Sent as one, Postgres would turn each amount into one, too.

    A whole number goes as what it is, or Postgres would turn each count into a numeric.
    """

    oid = psycopg.adapters.types["numeric"].oid

    def get_key(self, obj: float, format: PyFormat) -> Any:
        return (self.cls, _WholeNumber) if _is_whole(obj) else self.cls

    def upgrade(self, obj: float, format: PyFormat) -> Dumper:
        return _WholeNumber(self.cls) if _is_whole(obj) else self


def _is_whole(number: float) -> bool:
    return number.is_integer() and abs(number) < 2**53


@contextmanager
def _batch(url: str, rows: str, row_count: int) -> Iterator[Any]:
    """The query ``rows`` as a batch: a view that lives as long as the connection, so that nothing is left behind.

    A query asset would do without a view, at the price of a scan that fetches every row to learn the columns' names.
    """
    context = new_context()
    sessions: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        session = psycopg.connect(url, autocommit=True, application_name="doudi judge")
        take_role(session, "loader")
        session.adapters.register_dumper(float, _ExactNumber)
        create_view(session, rows)
        session.autocommit = False
        sessions.append(session)
        return session

    source = context.data_sources.add_postgres(
        name="warehouse",
        connection_string="postgresql+psycopg://given@creator/",  # must look like a URL; `creator` is what connects
        kwargs={"creator": connect},
        create_temp_table=False,
    )
    try:
        asset = source.add_table_asset(name=JUDGED, table_name=JUDGED)
        engine = source.get_execution_engine()
        _count_cheaply(engine, row_count)
        yield asset.add_batch_definition_whole_table(JUDGED).get_batch()
    finally:
        for session in sessions:
            _drop_view(session)
        source.get_engine().dispose()
        source.get_execution_engine().engine.dispose()


def _drop_view(session: psycopg.Connection) -> None:
    """Drop the view now: a session that was closed takes a moment to go, and its view would hold the rows' table."""
    with suppress(psycopg.Error):  # where the connection is gone, so is the view
        session.rollback()
        session.execute(f"drop view if exists {JUDGED}")
        session.commit()


_SUM_OF_ONES = re.compile(r"sum\(CASE WHEN (.+?) THEN %\((\w+)\)s::INTEGER ELSE %\((\w+)\)s::INTEGER END\)")


_GUARDED = re.compile(r"\(\w+ IS NOT NULL AND (?!.*\bNULL\b)(.+)\)")
_ALL_ROWS = re.compile(r'SELECT count\(\*\) AS "table\.row_count"\s+FROM .+', re.DOTALL)


def _count_cheaply(engine: Any, row_count: int) -> None:
    """Let Postgres count failing rows by ``count(*) filter``, in two thirds of the time of a sum of ones and zeros.

    A value that is not there meets no comparison, so that it need not be looked at twice, which for a derived column
    means computed twice. How many rows there are need not be counted at all: Great Expectations sends a scan for it.
    """
    from sqlalchemy import event

    def rewrite(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> tuple[str, Any]:
        def count(found: re.Match) -> str:
            if (given[found[2]], given[found[3]]) != (1, 0):
                return found[0]
            guarded = _GUARDED.fullmatch(found[1])
            return f"count(*) FILTER (WHERE {guarded[1] if guarded else found[1]})"

        if _ALL_ROWS.fullmatch(statement):
            return f'SELECT {row_count} AS "table.row_count"', given
        return _SUM_OF_ONES.sub(count, statement), given

    event.listen(engine.engine, "before_cursor_execute", rewrite, retval=True)


def create_view(session: psycopg.Connection, rows: str) -> None:
    # References are looked up in hashed lists; with too little memory Postgres would read the list for every row.
    session.execute("set work_mem = '64MB'")
    session.execute(f"create temporary view {JUDGED} as {rows}")


def _outcome(result: Any, check: Check, rows: str) -> Outcome:
    found = result.result
    failing_rows_sql = _failing_rows_sql(found, check, rows)
    if check.expectation.severity == "stop" and not failing_rows_sql:
        raise SuiteError(f"rule {check.expectation.rule}: {check.expectation.type} cannot say which rows it would stop")
    evaluated = unexpected = None
    observed, success = {}, bool(result.success)
    if "element_count" in found:
        evaluated = found["element_count"] - found.get("missing_count", 0)
        unexpected = found["unexpected_count"] or 0  # null where there is no row at all
    elif check.expectation.type == ROWS_BY_QUERY:
        unexpected = found["observed_value"]
    elif found.get("observed_value") is None:
        success = True  # no value at all: there is nothing to object to, as with a null in a row
    else:
        observed = _numbers({"observed_value": found["observed_value"]} | result.expectation_config.kwargs)
    return Outcome(
        success=success,
        evaluated=evaluated,
        unexpected=unexpected,
        observed=observed,
        failing_rows_sql=failing_rows_sql,
    )


def _numbers(values: dict[str, Any]) -> dict[str, int | float]:
    return {name: value if isinstance(value, int) else float(value) for name, value in values.items()
            if isinstance(value, int | float | Decimal) and not isinstance(value, bool)}  # fmt: skip


def _failing_rows_sql(found: dict[str, Any], check: Check, rows: str) -> str | None:
    """A select of the failing rows' ``_row_no`` that stands by itself, without the view."""
    source = f"({rows}) as {JUDGED}"
    if check.expectation.type == ROWS_BY_QUERY:
        query = check.expectation.kwargs["unexpected_rows_query"].format(batch=source)
    elif "unexpected_index_query" in found:
        query, replaced = re.subn(rf"\bFROM {JUDGED}\b", lambda _: f"FROM {source}", found["unexpected_index_query"])
        if replaced != 1:
            raise SuiteError(f"rule {check.expectation.rule}: its query of failing rows has an unknown form")
        query = re.sub(r"datetime\.date\((\d+), (\d+), (\d+)\)", r"'\1-\2-\3'", query)  # a date as Python writes it
    else:
        return None
    return f"select _row_no from ({query.strip().rstrip(';')}) as failing"


def _exceptions(info: dict[str, Any]) -> str:
    """The text of what was raised while a check was evaluated; empty where nothing was."""
    parts = [info] if "raised_exception" in info else list(info.values())
    return "\n".join(str(part) for part in parts if part["raised_exception"])


def _failure(place: str, text: str) -> Exception:
    """The error to raise for a traceback, of which only the classes' names are told."""
    for name in re.findall(r"psycopg\.(?:errors\.)?(\w+)", text):
        kind = getattr(psycopg.errors, name, None)
        if isinstance(kind, type) and issubclass(kind, psycopg.Error):
            return WarehouseError(" ".join(filter(None, (f"{place}: {name}", kind.sqlstate))), sqlstate=kind.sqlstate)
    kinds = re.findall(r"\b\w+(?:Error|Exception)\b", text)
    return SuiteError(f"{place}: could not be evaluated: {kinds[-1] if kinds else 'unknown error'}")
