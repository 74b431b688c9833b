"""Reads a folder of DAG files in a process of its own and prints, as JSON, what Airflow makes of them."""

import json
import sys
import time
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

HEAVY = ("dbt", "great_expectations", "pandas", "numpy", "polars", "doudi.loads", "doudi.transform", "doudi.extracts")


def describe_dag(dag: DAG) -> dict:
    by_time = getattr(dag.timetable, "timetable", dag.timetable)
    by_event = getattr(dag.timetable, "asset_condition", None)
    return {
        "file": Path(dag.fileloc).name,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md or "",
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "params": sorted(dag.params),
        "cron": by_time.expression,
        "zone": str(by_time.timezone),
        "assets": sorted(asset.uri for asset in by_event.objects) if by_event else [],
        "condition": type(by_event).__name__,
        "tasks": {task.task_id: describe_task(task) for task in dag.tasks},
    }


def describe_task(task) -> dict:
    return {
        "owner": task.owner,
        "doc": task.doc_md or "",
        "retries": task.retries,
        "timeout": bool(task.execution_timeout),
        "callbacks": [f"{callback.__module__}.{callback.__name__}" for callback in task.on_failure_callback],
        "outlets": [getattr(outlet, "uri", outlet.name) for outlet in task.outlets],
        "upstream": sorted(task.upstream_task_ids),
        "trigger_rule": task.trigger_rule.value,
        "mode": getattr(task, "mode", None),
    }


def main(folder: str) -> None:
    began = time.monotonic()
    bag = DagBag(dag_folder=folder)
    facts = {
        "seconds": time.monotonic() - began,
        "errors": bag.import_errors,
        "heavy": [name for name in HEAVY if name in sys.modules],
        "dags": {dag_id: describe_dag(dag) for dag_id, dag in bag.dags.items()},
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1])
