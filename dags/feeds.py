"""Airflow reads this file: a DAG feed_<name> for every contract, to take in what its department sends."""

from airflow.sdk import get_parsing_context

from doudi.contracts import load_contracts
from doudi.orchestration.dags import feed_dag
from doudi.settings import load_settings

wanted = get_parsing_context().dag_id  # a task that is about to run needs its own DAG only

for name, contract in load_contracts(load_settings().contracts).items():
    if wanted in (None, f"feed_{name}"):
        feed_dag(contract)
