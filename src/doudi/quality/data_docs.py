"""Great Expectations' own Data Docs of the last deliveries, made from the ledger.

The ledger keeps what each expectation found as counts and never a value of a row, so no page can show one. The site is
built beside the one that is read, from which it has the pages that stay as they are, and takes its place at once.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from doudi.quality.gx import build_suite, new_context
from doudi.quality.suites import Check, Suite, SuiteError, load_suite
from doudi.settings import Settings
from doudi.warehouse.connection import connect

DELIVERIES = 4  # of each feed, the last ones that were judged
_LOCK = "doudi.data_docs"


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """One delivery that was judged, and what each expectation said of it."""

    load_id: int
    feed: str
    area_code: str
    data_date: str
    checked_at: datetime
    results: list[dict[str, Any]]


def build_data_docs(
    *, url: str, settings: Settings, progress: Callable[[str], None] = lambda line: None
) -> Path | None:
    """Build the site into ``settings.data_docs`` and return its first page; None where nothing has changed.

    Raises WarehouseError where Postgres refused, and SuiteError where a suite is wrong.
    """
    with connect(url, autocommit=True, step="data docs", role="loader") as session:
        session.execute(
            "select pg_advisory_lock(hashtext(%s))", (_LOCK,)
        )  # two builders would clear up after each other
        deliveries = _last_judged(session)
        suites = {path.stem: load_suite(path) for path in sorted(settings.expectations.glob("[a-z]*.yml"))}
        look = _hash(version("great_expectations"), suites)  # of every page
        stamp = f"{look}-{_hash(deliveries)}"
        versions = settings.data_docs.with_name(f".{settings.data_docs.name}")
        there = settings.data_docs.resolve().name if settings.data_docs.exists() else ""
        if there == stamp:
            return None
        versions.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=versions))
        try:
            if there.startswith(f"{look}-"):
                shutil.copytree(settings.data_docs, building, dirs_exist_ok=True)
            _write_site(building, deliveries, suites)
            _put_in_place(building, versions / stamp, settings.data_docs)
        finally:
            _clear(versions, keep=settings.data_docs.resolve())
    progress(f"data docs of {len(deliveries)} deliveries")
    return settings.data_docs / "index.html"


def _last_judged(session: psycopg.Connection) -> list[_Judged]:
    query = """
        with judged as (
            select
                load_id, max(checked_at) as checked_at,
                jsonb_agg(to_jsonb(result) - 'load_id' - 'checked_at' order by rule, column_name) as results
            from ops.check_result as result
            group by load_id
        ),

        numbered as (
            select *, row_number() over (partition by feed order by data_date desc, load_id desc) as place
            from judged
            inner join ops.load using (load_id)
        )

        select load_id, feed, area_code, data_date::text, checked_at, results
        from numbered
        where place <= %s
        order by feed, data_date, load_id
    """
    with session.cursor(row_factory=class_row(_Judged)) as cursor:
        return cursor.execute(query, (DELIVERIES,)).fetchall()


def _hash(*made_from: object) -> str:
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]


def _put_in_place(building: Path, finished: Path, site: Path) -> None:
    """Let ``site`` lead to the finished folder, in one step."""
    shutil.rmtree(finished, ignore_errors=True)
    building.chmod(0o755)
    building.rename(finished)
    link = finished.with_name(f"{finished.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(finished, site.parent))
    link.replace(site)


def _clear(versions: Path, *, keep: Path) -> None:
    for path in versions.iterdir():
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)


def _write_site(folder: Path, deliveries: Iterable[_Judged], suites: dict[str, Suite]) -> None:
    """Make the pages that ``folder`` lacks, and the index; pages of deliveries that are none of these are removed."""
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

    context = new_context(
        site={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
            "site_section_builders": {"profiling": "None"},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False},
        }
    )
    for feed, suite in suites.items():
        context.suites.add(build_suite(feed, suite.checks))
    kept = [delivery for delivery in deliveries if delivery.feed in suites]
    wanted = {
        "expectations": [ExpectationSuiteIdentifier(name=feed) for feed in suites],
        "validations": [_add_result(context, delivery, suites[delivery.feed]) for delivery in kept],
    }
    context.build_data_docs(
        resource_identifiers=[
            each for part, pages in wanted.items() for each in pages if not (folder / part / _page(each)).exists()
        ]
    )
    # A page that it cannot render is left out with no more than a log line.
    pages = sum(1 for part in wanted for _ in (folder / part).rglob("*.html"))
    if pages != len(suites) + len(kept):
        raise SuiteError(f"data docs: {pages} pages of {len(suites) + len(kept)} could be written")


def _page(identifier: Any) -> str:
    """Where Great Expectations writes the page of a suite or result, below the folder of all of them."""
    return f"{'/'.join(identifier.to_tuple())}.html"


def _add_result(context: Any, delivery: _Judged, suite: Suite) -> Any:
    """Add what was found in a delivery; returns by what Great Expectations knows it."""
    from great_expectations.core import ExpectationSuiteValidationResult, RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(run_name=f"{delivery.data_date} {delivery.area_code}", run_time=delivery.checked_at)
    converted = (_result(found, data_date=delivery.data_date, suite=suite) for found in delivery.results)
    results = [result for result in converted if result]
    passed = sum(result.success for result in results)
    report = ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name=delivery.feed,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / (len(results) or 1),
        },
        meta={
            "run_id": run,
            "load_id": delivery.load_id,
            "batch_spec": {"load": delivery.load_id, "area": delivery.area_code, "data date": delivery.data_date},
            "great_expectations_version": version("great_expectations"),
        },
    )
    identifier = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=delivery.feed),
        run_id=run,
        batch_identifier=f"load_{delivery.load_id}",
    )
    context.validation_results_store.set(identifier, report)
    return identifier


def _result(found: dict[str, Any], *, data_date: str, suite: Suite) -> Any:
    """One result in Great Expectations' own form; None where the suite has given up its rule since."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    check = _check_of(found, suite)
    if check is None:
        return None
    figures = dict(found["observed"] or {})
    counts = {"observed_value": figures.pop("observed_value", None)}
    if found["evaluated"] is not None:
        counts = {
            "element_count": found["evaluated"],
            "unexpected_count": found["unexpected"],
            "unexpected_percent": 100 * found["unexpected"] / (found["evaluated"] or 1),
        }
    given = {"$PARAMETER": "data_date"}
    kwargs = {name: data_date if value == given else value for name, value in check.expectation.kwargs.items()}
    kwargs = {name: value for name, value in kwargs.items() if not isinstance(value, dict)} | figures
    if check.column:
        kwargs["column"] = found["column_name"] or check.column
    return ExpectationValidationResult(
        success=found["success"],
        expectation_config=ExpectationConfiguration(
            type=found["expectation"],
            kwargs=kwargs,
            meta={"rule": found["rule"]},
            severity="critical" if found["severity"] == "stop" else "warning",
        ),
        result=counts,
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _check_of(found: dict[str, Any], suite: Suite) -> Check | None:
    """The suite's check that a result is of; limits that it takes from the delivery are among the result's figures."""
    wanted = (found["rule"], found["expectation"])
    same = [check for check in suite.checks if (check.expectation.rule, check.expectation.type) == wanted]
    named = [each for each in same if found["column_name"] in (each.expectation.reported_as or each.column, None)]
    return next(iter(named), None)
