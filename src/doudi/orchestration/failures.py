"""What may be tried again, what is told of a failure, and to whom; never a value of a row."""

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from doudi.private import append_line
from doudi.settings import TIME_ZONE, Settings, load_settings
from doudi.side_by_side import WorkerLost
from doudi.warehouse.connection import WarehouseError

log = logging.getLogger(__name__)


class TaskFailed(AirflowFailException):
    """A task failed for good: trying again would not help. The message is fit for logs and alerts."""


class RefusalsFound(TaskFailed):
    """Deliveries were refused. The message names files and headings: for logs on this machine, not to be sent."""


@contextmanager
def retrying_only_what_may_pass() -> Iterator[None]:
    """Let through errors that may pass, for Airflow to try again; turn all others into TaskFailed.

    Errors of other people's making may quote what they choked on, so that only their class and place are told.
    """
    try:
        yield
    except (AirflowException, OSError, WorkerLost):
        raise
    except Exception as error:
        if isinstance(error, WarehouseError) and error.transient:
            raise
        raise TaskFailed(describe(error)) from None


def describe(error: BaseException) -> str:
    """An error's class with, of our own errors, the first line, and of others, where it came from."""
    name = type(error).__name__
    if _is_ours(error):
        return f"{name}: {_first_line(error)}"
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return f"{name} at {' > '.join(f'{Path(frame.filename).name}:{frame.lineno}' for frame in frames)}"


def tell(context: Mapping[str, Any]) -> None:
    """The failure callback of every task: one line in DOUDI_HOME/alerts.jsonl, and in the log.

    Refusals are told by the watch, which asks the ledger for them: once, and without names of files.
    """
    task, error = context["ti"], context.get("exception")
    write = _keep if isinstance(error, RefusalsFound) else alert
    write(
        dag=task.dag_id,
        task=task.task_id,
        run=task.run_id,
        attempt=task.try_number,
        error=type(error).__name__ if isinstance(error, BaseException) else "ended from outside",
        message=_first_line(error) if isinstance(error, BaseException) and _is_ours(error) else "",
    )


def alert(**facts: Any) -> None:
    """Write one alert, as a JSON object on a line of its own, and tell those who are set up to be told.

    The first of a night goes out at once, the others together with what else watch_night finds.
    """
    _keep(**facts)
    _pass_on(facts)


def _keep(**facts: Any) -> None:
    """Beside the machine's other files, since what is wrong may be the warehouse."""
    line = json.dumps({"at": datetime.now(TIME_ZONE).isoformat(timespec="seconds"), **facts}, ensure_ascii=False)
    log.error("alert: %s", line)
    append_line(load_settings().home / "alerts.jsonl", line)


def _pass_on(facts: Mapping[str, Any]) -> None:
    """An alert that cannot be told is in the log and in alerts.jsonl; it makes nothing else fail."""
    from doudi import alerts

    noted = {"run": "", "attempt": 1, "error": "notice", "message": ""} | facts
    try:
        settings = load_settings()
        alerts.note_failure(settings, facts=noted)
        alerts.tell(settings, kinds=[alerts.FAILURE], quiet_for=alerts.NIGHT, places=places(settings))
    except Exception as error:
        log.error("alerts cannot be told: %s", describe(error))


def places(settings: Settings) -> list[str]:
    """Where an alert has people look."""
    from airflow.sdk.configuration import conf

    return [
        f"Airflow: {conf.get('api', 'base_url', fallback='')}",
        f"数据健康 / data health: {settings.health / 'index.html'}",
    ]


def _is_ours(error: BaseException) -> bool:
    """Whether the error's class is Doudi's; their messages hold no values of rows."""
    return type(error).__module__.split(".")[0] == "doudi"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "")
