"""One component of Airflow as a process: ``python -m doudi.orchestration.component scheduler``, or another's name.

Airflow's own command, with its start and its end made short. Collecting garbage again and again while thousands of
modules and routes are made costs a quarter of the start, and once more at the end two seconds. And where tasks are
forks of the scheduler, what it has imported they have too: Great Expectations and dbt, a few seconds each, are paid for
once a night and not once a task.
"""

import atexit
import gc
import sys
from importlib import import_module

ARGUMENTS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],  # the web server reads task logs from the same disk; the port stays free
}
_FORKS = sys.platform != "darwin"  # on macOS Airflow starts a new interpreter for each task


def main(name: str) -> None:
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    if name == "scheduler" and _FORKS:
        import_module("doudi.orchestration.used_by_tasks")
    from airflow.__main__ import main as airflow

    sys.argv = ["airflow", name, *ARGUMENTS[name]]
    airflow()


if __name__ == "__main__":
    main(sys.argv[1])
