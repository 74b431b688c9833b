"""Imports what tasks use, so that a process which forks them has paid for it: Great Expectations and dbt take seconds.

Celery's workers are told to import this module (docker-compose.yml), and so is the scheduler whose forks the tasks are.
"""

from importlib import import_module

_MODULES = (
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.sensor",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "great_expectations",
    "dbt.cli.main",
    "doudi.extracts",
    "doudi.loads",
    "doudi.transform",
)

for _module in _MODULES:
    import_module(_module)
