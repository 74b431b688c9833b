"""The DAGs: when what runs. What it does is in `doudi.orchestration.tasks`."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, Param, task

from doudi.contracts import Contract
from doudi.orchestration import tasks
from doudi.orchestration.failures import tell
from doudi.orchestration.pages import EXTRACTS_PAGE, MAINTENANCE_PAGE, MARTS_PAGE, REPORTS_PAGE, WATCH_PAGE, feed_page
from doudi.settings import TIME_ZONE, load_settings

MARTS = Asset(name="marts", uri="x-doudi://marts", group="marts")
MARTS_BUILT = AssetAlias(name="marts_built", group="marts")  # an event of the marts, where a build changed them
OWNER = "data_engineering"  # of what no department sends
_LOADS_AT, _BUILD_AT, _SEND_AT, _WATCH_AT = "0 2 * * *", "30 4 * * *", "30 6 * * *", "0 7 * * *"
_MAINTAIN_AT = "0 14 * * 6"  # on Saturday afternoon, when no night runs and nobody reads
_REPORT_AT = "0 8 L 6,9,12 *"  # the last days of June, September and December, on which the plan wants a report
_TASKS = {
    "retries": 2,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=5),
    "on_failure_callback": tell,
}
_LOOKS = {  # of a task that looks again and again whether something is there, and holds no worker meanwhile
    "mode": "reschedule",
    "execution_timeout": timedelta(minutes=5),
    # On Celery the scheduler may take the end of one look for the failure of the next (airflow#71172).
    "retries": 100,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 0,
}
_RUNS = {
    "catchup": False,
    "max_active_runs": 1,
    "max_consecutive_failed_dag_runs": 0,  # a DAG that pauses itself is a warning that nobody sees
}
_AS_OF = {
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date",
        description="The day to compute, YYYY-MM-DD. Empty: today in Shanghai, or DOUDI_AS_OF.",
    )
}


def register(feed: str) -> Asset:
    """The asset that a published delivery of ``feed`` changes."""
    return Asset(name=f"register.{feed}", uri=f"x-doudi://register/{feed}", group="register")


def feed_dag(contract: Contract) -> DAG:
    """Takes in what one department sends: good deliveries flow on, refused ones are told."""
    feed = contract.name
    with DAG(
        dag_id=f"feed_{feed}",
        dag_display_name=f"feed_{feed} {contract.title}",
        description=contract.description.purpose,
        doc_md=feed_page(contract),
        schedule=_nightly(_LOADS_AT),
        tags={"feed", contract.department, contract.mode},
        default_args={**_TASKS, "owner": contract.department},
        **_RUNS,
    ) as dag:

        @task(outlets=[register(feed)], execution_timeout=timedelta(hours=4))
        def load() -> dict[str, int]:
            """Archive, land, check and publish every delivery that waits. Skipped: nothing was published."""
            return tasks.load(feed)

        @task(retries=0, execution_timeout=timedelta(minutes=5), trigger_rule="none_failed")
        def refusals(dag_run: Any = None) -> None:
            """Fails where a delivery was refused as a whole. The others have been published all the same."""
            tasks.report_refusals(feed, since=dag_run.start_date)

        load() >> refusals()
    return dag


def marts_dag(feeds: list[str]) -> DAG:
    """Builds the marts once what the night brought is in."""
    with DAG(
        dag_id="build_marts",
        description="Staging, identity, indicators, warnings and marts of one day.",
        doc_md=MARTS_PAGE,
        schedule=AssetOrTimeSchedule(timetable=_nightly(_BUILD_AT), assets=AssetAny(*map(register, feeds))),
        params=_AS_OF,
        tags={"marts"},
        default_args={**_TASKS, "owner": OWNER},
        **_RUNS,
    ) as dag:

        @task.sensor(
            poke_interval=5,
            timeout=(tasks.BUSY_PATIENCE + timedelta(hours=1)).total_seconds(),
            **_LOOKS,
        )
        def wait(dag_run: Any = None, ti: Any = None) -> bool:
            """Waits for the feeds that are being taken in; asks the ledger, not the assets."""
            return tasks.all_is_in(
                since=dag_run.start_date,
                is_active=lambda feed: ti.get_dr_count(dag_id=f"feed_{feed}", states=["queued", "running"]) > 0,
            )

        @task(outlets=[MARTS_BUILT], execution_timeout=timedelta(hours=6))
        def build(params: dict[str, Any], dag_run: Any = None, outlet_events: Any = None) -> dict[str, int]:
            """Builds everything that the published deliveries change. Skipped: nothing had changed."""
            day = tasks.day_to_build(params=params, dag_run=dag_run, settings=load_settings())
            counts, of_the_present = tasks.build(day)
            if of_the_present:  # a past day's marts lie beside these, and are nobody's extract
                outlet_events[MARTS_BUILT].add(MARTS, extra={"as_of": day.isoformat()})
            return counts

        @task(retries=0, execution_timeout=timedelta(minutes=30))
        def data_docs() -> None:
            """Builds the pages on what the checks found, where they found something new."""
            tasks.data_docs()

        wait() >> [build(), data_docs()]
    return dag


def extracts_dag() -> DAG:
    """Hands out to each department the extract it is entitled to."""
    with DAG(
        dag_id="send_extracts",
        description="One extract per recipient, from the marts as built.",
        doc_md=EXTRACTS_PAGE,
        schedule=AssetOrTimeSchedule(timetable=_nightly(_SEND_AT), assets=[MARTS]),
        params=_AS_OF,
        tags={"extracts"},
        default_args={**_TASKS, "owner": OWNER},
        **_RUNS,
    ) as dag:

        @task(execution_timeout=timedelta(hours=2))
        def send(params: dict[str, Any], triggering_asset_events: Any = None) -> dict[str, int]:
            """Writes the files and their manifests. Skipped: this build was handed out already, or there is none."""
            events = [event for events in triggering_asset_events.values() for event in events]
            built = [event.extra["as_of"] for event in events if "as_of" in event.extra]
            days = tasks.days_to_send(params=params, built=built, settings=load_settings())
            return tasks.send(days, asked_for=bool(params["as_of"]))

        send()
    return dag


def watch_dag() -> DAG:
    """Looks at what the night has left, and tells what somebody must know."""
    with DAG(
        dag_id="watch_night",
        description="The data health page, and alerts by mail or webhook.",
        doc_md=WATCH_PAGE,
        schedule=AssetOrTimeSchedule(timetable=_nightly(_WATCH_AT), assets=[MARTS]),
        tags={"watch"},
        default_args={**_TASKS, "owner": OWNER},
        **_RUNS,
    ) as dag:

        @task(retries=0, execution_timeout=timedelta(minutes=10))
        def health_page() -> None:
            """Builds the page on loads, late feeds, refusals, builds and sizes."""
            tasks.health_page()

        @task(execution_timeout=timedelta(minutes=10))
        def tell_alerts() -> dict[str, int]:
            """Tells what is new, one message per kind; a channel that takes none fails nothing and is on record."""
            return tasks.tell_alerts()

        health_page() >> tell_alerts()
    return dag


def reports_dag() -> DAG:
    """Writes the plan's periodic report, once the marts of the day are there."""
    with DAG(
        dag_id="periodic_report",
        description="The situation page and the plan's report, for every area that reads.",
        doc_md=REPORTS_PAGE,
        schedule=_nightly(_REPORT_AT),
        params={
            **_AS_OF,
            "area": Param(None, type=["null", "string"], pattern="^[0-9]{2,9}$", description="Empty: all areas."),
        },
        tags={"reports"},
        default_args={**_TASKS, "owner": OWNER},
        **_RUNS,
    ) as dag:

        @task.sensor(
            poke_interval=300,
            timeout=timedelta(hours=12).total_seconds(),
            **_LOOKS,
        )
        def wait(params: dict[str, Any], dag_run: Any = None) -> bool:
            """Waits for the build of the day."""
            return tasks.is_built(tasks.day_to_build(params=params, dag_run=dag_run, settings=load_settings()))

        @task(execution_timeout=timedelta(hours=2))
        def write(params: dict[str, Any], dag_run: Any = None) -> dict[str, int]:
            """Writes page, PDF and Word file, as may be published and with exact figures."""
            day = tasks.day_to_build(params=params, dag_run=dag_run, settings=load_settings())
            return tasks.write_reports(day, area=params["area"])

        wait() >> write()
    return dag


def maintenance_dag() -> DAG:
    """Removes what is past its time in retention.yml, and keeps tables in order."""
    with DAG(
        dag_id="maintenance",
        description="Retention by policy: originals, refused rows, results, logs; vacuum.",
        doc_md=MAINTENANCE_PAGE,
        schedule=_nightly(_MAINTAIN_AT),
        tags={"maintenance"},
        default_args={**_TASKS, "owner": OWNER},
        **_RUNS,
    ) as dag:

        @task(execution_timeout=timedelta(hours=6))
        def maintain() -> dict[str, int]:
            """Carries out retention.yml on the warehouse and the home. What is in progress waits for the next week."""
            return tasks.maintain()

        @task(execution_timeout=timedelta(hours=2))
        def airflow_history() -> dict[str, int]:
            """Removes old log files, and old runs by Airflow's own `airflow db clean`."""
            return tasks.airflow_history()

        maintain()
        airflow_history()
    return dag


def _nightly(cron: str) -> CronTriggerTimetable:
    """At a time of Shanghai, every night as a rule; one that was missed is not run when the scheduler first starts."""
    return CronTriggerTimetable(cron, timezone=TIME_ZONE.key)
