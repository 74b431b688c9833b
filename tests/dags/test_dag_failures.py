"""What is told of a failure: where and what kind, to whoever keeps alerts.jsonl, and never a value of a row."""

import json
import stat
from types import SimpleNamespace
from typing import Any

import pytest

from doudi.contracts import ContractError
from doudi.orchestration.failures import TaskFailed, describe, retrying_only_what_may_pass, tell
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost

CITIZEN_ID = "99000119800101001X"  # belongs to nobody


def context(error: object) -> dict[str, Any]:
    task = SimpleNamespace(dag_id="feed_disability", task_id="load", run_id="manual__1", try_number=3)
    return {"ti": task, "exception": error, "params": {"name": CITIZEN_ID}}


def alerts(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (settings.home / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]


def test_an_alert_says_where_and_what(installation: Settings) -> None:
    tell(context(TaskFailed("1 refused of disability: load 7\nand more")))
    (alert,) = alerts(installation)
    assert alert.pop("at").endswith("+08:00")
    assert alert == {
        "dag": "feed_disability", "task": "load", "run": "manual__1", "attempt": 3, "error": "TaskFailed",
        "message": "1 refused of disability: load 7",
    }  # fmt: skip
    assert stat.S_IMODE((installation.home / "alerts.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "error", [ValueError(f"bad {CITIZEN_ID}"), KeyError(CITIZEN_ID), f"killed by {CITIZEN_ID}", None]
)
def test_an_alert_holds_no_personal_data(
    installation: Settings, caplog: pytest.LogCaptureFixture, error: object
) -> None:
    tell(context(error))
    (alert,) = alerts(installation)
    assert alert["message"] == ""
    assert CITIZEN_ID not in (installation.home / "alerts.jsonl").read_text(encoding="utf-8") + caplog.text


def test_alerts_add_up(installation: Settings) -> None:
    for _ in range(3):
        tell(context(None))
    assert [alert["error"] for alert in alerts(installation)] == ["ended from outside"] * 3


def test_errors_of_ours_are_described_in_words_others_by_their_place() -> None:
    assert (
        describe(ContractError("disability.yml: no primaryKey\ndetails"))
        == "ContractError: disability.yml: no primaryKey"
    )
    with pytest.raises(TaskFailed, match=r"^KeyError at .*test_dag_failures.py:\d+$"), retrying_only_what_may_pass():
        raise KeyError(CITIZEN_ID)


@pytest.mark.parametrize("error", [OSError("no space"), WorkerLost("housing: its process ended in the middle")])
def test_what_may_pass_is_left_to_airflow_to_try_again(error: Exception) -> None:
    with pytest.raises(type(error)), retrying_only_what_may_pass():
        raise error
