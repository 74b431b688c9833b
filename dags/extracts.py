"""Airflow reads this file: the DAG send_extracts, to hand out what the marts hold."""

from doudi.orchestration.dags import extracts_dag

extracts_dag()
