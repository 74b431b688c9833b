"""What the tasks do: each calls a function of the core and tells Airflow what became of it, in counts.

The core is imported inside the tasks, since Airflow reads DAG files again and again and the core takes seconds.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from doudi.orchestration.failures import RefusalsFound, alert, places, retrying_only_what_may_pass
from doudi.settings import TIME_ZONE, Settings, load_settings, parse_date

IDLE_PATIENCE = timedelta(seconds=30)
BUSY_PATIENCE = timedelta(hours=4)

log = logging.getLogger(__name__)


def load(feed: str) -> dict[str, int]:
    """Take in the feed's deliveries. Returns counts; skips where nothing was published, so that nothing follows."""
    from doudi import lineage
    from doudi.loads import take_in

    settings = load_settings()
    with retrying_only_what_may_pass():
        results = take_in(feed, settings=settings, progress=log.info)
    lineage.loaded(feed, results, settings=settings, parent=_task_in_lineage())
    published = [result for result in results if result.status == "published"]
    if not published:
        raise AirflowSkipException(f"{feed}: nothing was published, of {len(results)} deliveries taken in")
    counted = ("rows_read", "rows_published", "rows_unchanged", "rows_quarantined", "rows_ended")
    totals = {name: sum(getattr(result, name) or 0 for result in published) for name in counted}
    return {"deliveries": len(published), **totals}


def report_refusals(feed: str, *, since: datetime) -> None:
    """Fail where a delivery of the feed was refused from ``since`` on, and say which and by which rule.

    It asks the ledger and not the task before it, which may have been tried more than once.
    """
    from doudi.warehouse.connection import connect, warehouse_url

    with (
        retrying_only_what_may_pass(),
        connect(warehouse_url(load_settings()), step="refusals", role="loader") as connection,
    ):
        refused = connection.execute(
            """
            select load_id, file_name, error_code, error from ops.load
            where feed = %s and status in ('refused', 'failed') and finished_at >= %s
            order by load_id
            """,
            (feed, since),
        ).fetchall()
    if refused:
        told = "; ".join(f"load {load_id}, {file_name}: {rule}: {error}" for load_id, file_name, rule, error in refused)
        raise RefusalsFound(f"{len(refused)} refused of {feed}: {told}")


def all_is_in(*, since: datetime, is_active: Callable[[str], bool], now: datetime | None = None) -> bool:
    """Whether the marts may be built: no delivery waits, or those that do are not being taken in.

    ``since`` is when the waiting began, ``is_active`` tells whether a run of a feed's DAG is queued or at work. Built
    too early, the marts would miss half of a night and raise false alarms; built never, they would raise none.
    """
    from doudi.loads import waiting

    with retrying_only_what_may_pass():
        feeds = sorted(waiting(settings=load_settings()))
    if not feeds:
        return True
    waited = (now or datetime.now(TIME_ZONE)) - since
    patience = BUSY_PATIENCE if any(is_active(feed) for feed in feeds) else IDLE_PATIENCE
    if waited < patience:
        log.info("deliveries still to be taken in: %s", ", ".join(feeds))
        return False
    alert(dag="build_marts", task="wait", message=f"built without what still waits of {', '.join(feeds)}")
    return True


def build(as_of: date) -> tuple[dict[str, int], bool]:
    """Build the marts for a day. Returns counts, and whether they are the present's marts and not a past day's.

    Skips where they hold everything already.
    """
    from doudi import lineage, transform
    from doudi.warehouse.connection import warehouse_url

    settings = load_settings()
    with retrying_only_what_may_pass():
        url = warehouse_url(settings)
        if not transform.is_needed(url, as_of):
            raise AirflowSkipException(f"the marts of {as_of} hold everything that was published")
        result = transform.build(
            url=url,
            settings=replace(settings, as_of=as_of),
            as_of=as_of,
            artifacts=lineage.is_wanted(settings),
            progress=log.info,
        )
    lineage.built(result, settings=settings, parent=_task_in_lineage())
    warnings = result.warnings.values()
    counts = {
        "models": result.models,
        "tests": result.tests,
        "warnings_open": sum(count.open for count in warnings),
        "warnings_opened": sum(count.opened for count in warnings),
        "warnings_cleared": sum(count.cleared for count in warnings),
    }
    return counts, not result.schema_suffix


def data_docs() -> None:
    """Build the pages on what the checks found. Where that fails it is told, and nothing else fails by it."""
    from doudi.quality import SuiteError
    from doudi.quality.data_docs import build_data_docs
    from doudi.warehouse.connection import WarehouseError, warehouse_url

    settings = load_settings()
    try:
        if not build_data_docs(url=warehouse_url(settings), settings=settings, progress=log.info):
            log.info("nothing has changed")
    except Exception as error:
        told = str(error) if isinstance(error, SuiteError | WarehouseError) else type(error).__name__
        alert(dag="build_marts", task="data_docs", message=told)


def health_page() -> None:
    """Build the page on the state of the warehouse. Where that fails it is told, and nothing else fails by it."""
    from doudi.health import build_health
    from doudi.warehouse.connection import WarehouseError, warehouse_url

    settings = load_settings()
    try:
        build_health(url=warehouse_url(settings), settings=settings)
    except Exception as error:
        told = str(error) if isinstance(error, WarehouseError) else type(error).__name__
        alert(dag="watch_night", task="health_page", message=told)


def tell_alerts() -> dict[str, int]:
    """Tell what is new of failures, refusals, late feeds and overdue red warnings. Returns counts of messages."""
    from doudi import alerts

    settings = load_settings()
    with retrying_only_what_may_pass():
        return alerts.tell(settings, places=places(settings))


def send(days: Iterable[date | None], *, asked_for: bool) -> dict[str, int]:
    """Hand out what was not handed out yet of the last build of each day (None: of any). Returns counts.

    The hour of handing out may come before the first build has ended; only where somebody ``asked_for`` a day, it is a
    failure that there are no marts.
    """
    from doudi import lineage
    from doudi.extracts import NotBuiltError, send_all

    settings = load_settings()
    with retrying_only_what_may_pass():
        try:
            files = [file for day in days for file in send_all(settings=settings, as_of=day, progress=log.info)]
        except NotBuiltError as error:
            if asked_for:
                raise
            raise AirflowSkipException(str(error)) from None
    if not files:
        raise AirflowSkipException("everything was handed out already")
    lineage.sent(files, settings=settings, parent=_task_in_lineage())
    return {"files": len(files), "rows": sum(file.rows for file in files)}


def is_built(as_of: date) -> bool:
    """Whether the marts of a day stand, so that a report on it can be written."""
    from doudi.reports import ReportError
    from doudi.reports.scope import build_of
    from doudi.warehouse.connection import connect, warehouse_url

    with (
        retrying_only_what_may_pass(),
        connect(warehouse_url(load_settings()), step="report", role="extractor") as connection,
    ):
        try:
            build_of(connection, as_of)
        except ReportError as error:
            log.info("%s", error)
            return False
    return True


def write_reports(as_of: date, *, area: str | None) -> dict[str, int]:
    """Write the reports of a day into the home's folder for them. Returns counts."""
    from doudi.reports.making import make_all

    with retrying_only_what_may_pass():
        made = make_all(settings=load_settings(), as_of=as_of, area=area, progress=log.info)
    return {"files": len(made)}


def maintain() -> dict[str, int]:
    """Carry out retention.yml on the warehouse and the home. Returns by rule how many things were removed."""
    from doudi import maintenance
    from doudi.warehouse.connection import warehouse_url

    settings = load_settings()
    with retrying_only_what_may_pass():
        outcomes = maintenance.maintain(url=warehouse_url(settings), settings=settings, progress=log.info)
    return {outcome.rule: outcome.count for outcome in outcomes}


def airflow_history() -> dict[str, int]:
    """Remove what of Airflow's history is past its time. Returns counts of files and rows."""
    from doudi.maintenance import told
    from doudi.orchestration.history import clear_history

    with retrying_only_what_may_pass():
        outcomes = clear_history(load_settings())
    for outcome in outcomes:
        log.info("%s", told(outcome, dry_run=False))
    return {outcome.what: outcome.count for outcome in outcomes}


def _task_in_lineage() -> str | None:
    """The running task as OpenLineage's events of Airflow name it; None where nobody listens or no task runs."""
    from airflow.providers.openlineage.conf import is_disabled
    from airflow.sdk import get_current_context

    if is_disabled():
        return None
    from airflow.providers.openlineage.plugins.macros import lineage_parent_id

    try:
        return lineage_parent_id(get_current_context()["ti"])
    except RuntimeError:
        return None


def day_to_build(*, params: dict[str, Any], dag_run: Any, settings: Settings) -> date:
    """The day that a run computes: its parameter's, a backfill's own, else the settings'."""
    if params["as_of"]:
        return parse_date(params["as_of"], name="as_of")
    if dag_run.run_type == "backfill":
        return dag_run.logical_date.astimezone(TIME_ZONE).date()
    return settings.date_of_run()


def days_to_send(*, params: dict[str, Any], built: Iterable[str], settings: Settings) -> list[date | None]:
    """The days whose build a run hands out: its parameter's, those just ``built``, else the settings', or the last."""
    if params["as_of"]:
        return [parse_date(params["as_of"], name="as_of")]
    return [parse_date(day, name="as_of") for day in sorted(set(built))] or [settings.as_of]
