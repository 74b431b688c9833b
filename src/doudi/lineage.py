"""OpenLineage: from each department's deliveries over registers and models to the extracts, as one graph.

Off unless DOUDI_LINEAGE says where events go. They tell tables, columns, SQL as written and counts, never a value of a
row. Tables are named as OpenLineage's integrations name those of Postgres, so that what dbt's artifacts tell and what
is told here meet. Events that cannot be sent make nothing else fail.
"""

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict

from doudi.settings import Settings, SettingsError, read_secret
from doudi.warehouse.connection import warehouse_url

if TYPE_CHECKING:  # who only asks where events go is spared the rest
    from doudi.extracts import SentExtract
    from doudi.ledger import LoadResult
    from doudi.transform import BuildResult

NAMESPACE = "doudi"  # of jobs, and of what is no table: deliveries and extracts
PRODUCER = "urn:doudi"

log = logging.getLogger(__name__)


def transport(settings: Settings) -> dict[str, Any] | None:
    """Where events go, as OpenLineage's client and Airflow's provider are configured; None: nowhere.

    DOUDI_LINEAGE is ``file`` (DOUDI_HOME/lineage/events.jsonl) or the URL of a server, with its key in
    DOUDI_LINEAGE_KEY. Raises SettingsError for anything else.
    """
    place = os.environ.get("DOUDI_LINEAGE") or "off"
    if place == "off":
        return None
    if place == "file":
        folder = settings.home / "lineage"
        folder.mkdir(parents=True, exist_ok=True)
        return {"type": "file", "log_file_path": str(folder / "events.jsonl"), "append": True}
    if not place.startswith(("http://", "https://")):
        raise SettingsError(f"DOUDI_LINEAGE={place} is neither off, file nor the URL of a server")
    key = read_secret("DOUDI_LINEAGE_KEY")
    return {"type": "http", "url": place, **({"auth": {"type": "api_key", "apiKey": key}} if key else {})}


def is_wanted(settings: Settings) -> bool:
    """Whether events go anywhere. Raises SettingsError where it cannot be told where."""
    return transport(settings) is not None


def _where_wanted(emit: Callable[..., Iterable[Any]]) -> Callable[..., None]:
    """Send the events that a function makes, where events are wanted at all."""

    @wraps(emit)
    def send(*arguments: Any, settings: Settings, **options: Any) -> None:
        where = transport(settings)
        if where is None:
            return
        try:
            from openlineage.client import OpenLineageClient

            client = OpenLineageClient(config={"transport": where})
            for event in emit(*arguments, settings=settings, **options):
                client.emit(event)
        except Exception as error:
            log.warning("lineage was not told: %s", type(error).__name__)

    return send


@_where_wanted
def loaded(
    feed: str, results: "Sequence[LoadResult]", *, settings: Settings, parent: str | None = None
) -> Iterable[Any]:
    """A feed's deliveries were taken in: what it sends leads to its register and the quarantine."""
    published = [result for result in results if result.status == "published"]
    if published:
        tables = _Tables(settings)
        yield _event(
            f"load.{feed}",
            inputs=[_place(f"landing/{feed}")],
            outputs=[
                tables.output(f"register.{feed}", rows=sum(result.rows_published or 0 for result in published)),
                tables.output("ops.quarantine", rows=sum(result.rows_quarantined or 0 for result in published)),
            ],
            parent=parent,
        )


@_where_wanted
def built(result: "BuildResult", *, settings: Settings, parent: str | None = None) -> Iterable[Any]:
    """A build of the marts has ended: what dbt's own artifacts say of each model and test that it ran."""
    from openlineage.client.event_v2 import RunState
    from openlineage.common.provider.dbt.facets import ParentRunMetadata
    from openlineage.common.provider.dbt.processor import DbtArtifactProcessor

    folder = settings.home / "dbt" / ("apart" if result.schema_suffix else "present")
    names, profile = ("manifest.json", "run_results.json"), _Tables(settings).profile

    class Artifacts(DbtArtifactProcessor):
        """Of the last command; the profile is ours to tell, as the file in the project asks for a password."""

        def get_dbt_metadata(self) -> tuple[Any, Any, Any, Any]:
            return (*(json.loads((folder / name).read_bytes()) for name in names), profile, None)

        def dbt_run_run_facet(self) -> dict[str, Any]:
            return {}

    artifacts = Artifacts(producer=PRODUCER, job_namespace=NAMESPACE, skip_errors=True, logger=log)
    if parent:
        namespace, name, run_id = parent.rsplit("/", 2)
        artifacts.dbt_run_metadata = ParentRunMetadata(run_id=run_id, job_name=name, job_namespace=namespace)
    events = artifacts.parse().events()
    return [event for event in events if event.eventType != RunState.START]  # an end says all that its start does


@_where_wanted
def sent(files: "Sequence[SentExtract]", *, settings: Settings, parent: str | None = None) -> Iterable[Any]:
    """Extracts were handed out: the mart that each is made of leads to its recipient."""
    from doudi.extracts import load_declarations

    tables = _Tables(settings)
    declarations = load_declarations(settings.extracts)
    for recipient in sorted({file.recipient for file in files} & set(declarations)):
        yield _event(
            f"extract.{recipient}",
            inputs=[tables.dataset(declarations[recipient].source)],
            outputs=[_place(f"extract/{recipient}")],
            parent=parent,
        )


class _Tables:
    """The warehouse's tables under the names that OpenLineage gives to those of Postgres."""

    def __init__(self, settings: Settings) -> None:
        parts = conninfo_to_dict(warehouse_url(settings))
        self.profile = {"type": "postgres", "host": parts.get("host", "localhost"), "port": parts.get("port", "5432")}
        self.namespace = f"postgres://{self.profile['host']}:{self.profile['port']}"
        self.database = parts.get("dbname", "")

    def dataset(self, relation: str) -> Any:
        from openlineage.client.event_v2 import InputDataset

        return InputDataset(namespace=self.namespace, name=f"{self.database}.{relation}")

    def output(self, relation: str, *, rows: int) -> Any:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

        return OutputDataset(
            namespace=self.namespace,
            name=f"{self.database}.{relation}",
            outputFacets={"outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)},
        )


def _place(name: str) -> Any:
    from openlineage.client.event_v2 import Dataset

    return Dataset(namespace=NAMESPACE, name=name)


def _event(job: str, *, inputs: list[Any], outputs: list[Any], parent: str | None) -> Any:
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import parent_run

    facets = {}
    if parent:
        namespace, name, run_id = parent.rsplit("/", 2)
        facets["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(runId=run_id), job=parent_run.Job(namespace=namespace, name=name)
        )
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(runId=str(uuid.uuid4()), facets=facets),
        job=Job(namespace=NAMESPACE, name=job),
        producer=PRODUCER,
        inputs=inputs,
        outputs=outputs,
    )
