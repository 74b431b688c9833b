"""Airflow reads this file: the DAG build_marts, to build what the feeds' registers change."""

from doudi.contracts import load_contracts
from doudi.orchestration.dags import marts_dag
from doudi.settings import load_settings

marts_dag(list(load_contracts(load_settings().contracts)))
