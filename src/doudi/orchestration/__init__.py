"""Airflow: the DAGs, and how it is set up, started, watched through a night and stopped."""
