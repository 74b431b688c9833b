"""Airflow reads this file: the DAG watch_night, to look at what the night has left and tell what somebody must know."""

from doudi.orchestration.dags import watch_dag

watch_dag()
