"""Airflow reads this file: the DAG periodic_report, to write what the plan wants at the ends of its periods."""

from doudi.orchestration.dags import reports_dag

reports_dag()
