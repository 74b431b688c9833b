"""Airflow reads this file: the DAG maintenance, to remove what is past its time and keep tables in order."""

from doudi.orchestration.dags import maintenance_dag

maintenance_dag()
