"""Judging one delivery by its suite, on the rows that the contract found no fault in.

Every rule about rows is an expectation on a single column, the contract's or a derived one, without row conditions.
Great Expectations bundles those into one select, so that a suite costs one scan however many rules it has, and one
more where it asks for figures of the whole delivery. Pairs of columns, row conditions and queries would cost scans of
their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from doudi.contracts import Contract
from doudi.quality.gx import Outcome, create_view, evaluate, great_expectations
from doudi.quality.suites import (
    PARAMETER_NAMES,
    Check,
    Observed,
    Parameters,
    Suite,
    SuiteError,
    check_against_contract,
)
from doudi.warehouse.connection import connect, plain_url


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one expectation says of a delivery.

    ``column_name`` is the column of the contract that the sender is pointed to. ``evaluated`` and ``unexpected`` count
    rows, nulls left out of the former; both are None for an expectation on the delivery as a whole, whose numbers are
    in ``observed``. ``failing_rows_sql`` selects the ``_row_no`` of the failing rows from the typed table, once each,
    and holds no ``%``; None for an expectation on the delivery as a whole.
    """

    rule: str
    expectation: str
    column_name: str | None
    severity: Literal["stop", "warn"]
    success: bool
    evaluated: int | None
    unexpected: int | None
    observed: dict[str, int | float]
    failing_rows_sql: str | None
    reason_en: str
    reason_zh: str


def prepare() -> None:
    """Import now what judging takes seconds to import, as before a fork of processes that will all judge."""
    great_expectations()


def judge(
    *,
    url: str,
    table: str,
    row_count: int,
    suite: Suite,
    contract: Contract,
    parameters: Parameters,
    last_observed: Observed,
) -> list[Verdict]:
    """Judge the rows of ``table`` (``landing.<feed>_<load_id>_judged``, committed) whose ``_faults`` is null.

    ``row_count`` of them, which whoever typed them knows; to count them would be a scan more. ``parameters`` must hold
    every name of PARAMETER_NAMES. A rule is skipped, and gives no verdict, where a parameter that it names is None, a
    relation that it requires is not there or not readable, or there are fewer rows than it asks for. A rule that
    compares with ``last_observed`` passes where that has nothing for it: what it observes now is what the sender's next
    delivery is compared with.

    Raises SuiteError where the suite does not fit or a rule cannot be evaluated, and WarehouseError where Postgres
    refused; neither holds a row's values.
    """
    check_against_contract(suite, contract)
    if missing := PARAMETER_NAMES - parameters.keys():
        raise SuiteError(f"suite {suite.feed}: judged without {', '.join(sorted(missing))}")
    url = plain_url(url)
    with connect(url, step=f"judge {suite.feed}", role="loader") as session:
        readable = _readable_relations(session, (each.requires for each in suite.expectations if each.requires))
        checks = [check for check in suite.checks if _applies(suite, check, parameters, readable)]
        rows = _rows_query(session, table=table, suite=suite, checks=checks, parameters=parameters)
        _refuse_wrong_sql(session, suite.feed, rows)
        session.rollback()
    names = [_reported_column(check, contract) for check in checks]
    last = [last_observed.get((check.expectation.rule, name)) for check, name in zip(checks, names, strict=True)]
    outcomes = evaluate(
        url=url, feed=suite.feed, rows=rows, row_count=row_count, checks=checks, parameters=parameters,
        last_observed=last,
    )  # fmt: skip
    return [
        _verdict(check, outcome, column_name=name)
        for check, outcome, name in zip(checks, outcomes, names, strict=True)
        if row_count >= check.expectation.from_rows
    ]


def _reported_column(check: Check, contract: Contract) -> str | None:
    """The contract's column that the sender is pointed to; None for what belongs to no column of the contract."""
    column = check.expectation.reported_as or check.column
    return column if column and contract.has(column) else None


def _readable_relations(session: psycopg.Connection, names: Iterable[str]) -> set[str]:
    found = session.execute(
        """
        select format('%%s.%%s', namespace.nspname, class.relname)
        from pg_class as class
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where format('%%s.%%s', namespace.nspname, class.relname) = any(%s)
            and has_schema_privilege(namespace.oid, 'usage') and has_any_column_privilege(class.oid, 'select')
        """,
        (sorted(set(names)),),
    )
    return {name for (name,) in found}


def _applies(suite: Suite, check: Check, parameters: Parameters, readable: set[str]) -> bool:
    requires = check.expectation.requires
    if requires and requires not in readable:
        return False
    return all(parameters[name] is not None for name in suite.parameters_of(check))


def _rows_query(
    session: psycopg.Connection, *, table: str, suite: Suite, checks: list[Check], parameters: Parameters
) -> str:
    """The rows to judge, with the derived columns that ``checks`` test.

    The parameters stand a level below, so that an expression can name them like columns.
    """
    tested = {check.column for check in checks}
    derived = "".join(f",\n    {text} as {name}" for name, text in suite.derived.items() if name in tested)
    query = sql.SQL(
        "select typed.*{derived}\nfrom (select *, {parameters} from {table} where _faults is null) as typed"
    ).format(
        derived=sql.SQL(derived),
        parameters=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(sql.Literal(value), sql.Identifier(f"_{name}"))
            for name, value in sorted(parameters.items())
            if value is not None
        ),
        table=sql.Identifier(*table.split(".")),
    )
    return query.as_string(session)


def _refuse_wrong_sql(session: psycopg.Connection, feed: str, rows: str) -> None:
    """Creating the view reads no row, so what Postgres says of a wrong expression may be told."""
    try:
        create_view(session, rows)
    except psycopg.ProgrammingError as error:
        raise SuiteError(f"suite {feed}: {error.diag.message_primary}") from None


def _verdict(check: Check, outcome: Outcome, *, column_name: str | None) -> Verdict:
    expectation = check.expectation
    return Verdict(
        rule=expectation.rule,
        expectation=expectation.type,
        column_name=column_name,
        severity=expectation.severity,
        success=outcome.success,
        evaluated=outcome.evaluated,
        unexpected=outcome.unexpected,
        observed=outcome.observed,
        failing_rows_sql=outcome.failing_rows_sql,
        reason_en=expectation.reason.en,
        reason_zh=expectation.reason.zh,
    )
