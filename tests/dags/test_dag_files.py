"""The DAG files as Airflow reads them: what is there, how it is wired, and that reading them is cheap."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doudi.contracts import Contract

Read = Callable[..., dict[str, Any]]
ALERTS = ["doudi.orchestration.failures.tell"]


def test_every_file_is_read_without_errors(all_dags: dict[str, Any], project: Path) -> None:
    assert all_dags["errors"] == {}
    files = {dag["file"] for dag in all_dags["dags"].values()}
    assert files == {path.name for path in (project / "dags").glob("*.py")}


def test_reading_is_cheap(all_dags: dict[str, Any]) -> None:
    assert all_dags["heavy"] == []


def test_one_dag_per_feed_and_those_that_follow(all_dags: dict[str, Any], contracts: dict[str, Contract]) -> None:
    following = {"build_marts", "maintenance", "periodic_report", "send_extracts", "watch_night"}
    assert set(all_dags["dags"]) == following | {f"feed_{name}" for name in contracts}


def test_every_dag_says_whose_it_is_and_what_to_do(all_dags: dict[str, Any]) -> None:
    for dag in all_dags["dags"].values():
        assert dag["tags"]
        assert "When it fails at night" in dag["doc"]
        assert not dag["catchup"]
        assert dag["max_active_runs"] == 1
        assert dag["cron"]
        assert dag["zone"] == "Asia/Shanghai"
        for task in dag["tasks"].values():
            assert task["owner"] != "airflow"
            assert task["doc"]
            assert task["timeout"]
            assert task["callbacks"] == ALERTS


def test_feeds_follow_their_contracts(all_dags: dict[str, Any], contracts: dict[str, Contract]) -> None:
    for name, contract in contracts.items():
        dag = all_dags["dags"][f"feed_{name}"]
        assert {"feed", contract.department} <= set(dag["tags"])
        assert all(column.header in dag["doc"] and f"`{column.name}`" in dag["doc"] for column in contract.columns)
        load, refusals = dag["tasks"]["load"], dag["tasks"]["refusals"]
        assert load["owner"] == contract.department
        assert load["outlets"] == [f"x-doudi://register/{name}"]
        assert load["retries"] == 2
        assert refusals["retries"] == 0
        assert refusals["upstream"] == ["load"]
        assert refusals["trigger_rule"] == "none_failed"  # where load is skipped, a refusal is still told


def test_marts_follow_any_feed_and_extracts_follow_marts(
    all_dags: dict[str, Any], contracts: dict[str, Contract]
) -> None:
    marts, extracts = all_dags["dags"]["build_marts"], all_dags["dags"]["send_extracts"]
    assert marts["assets"] == sorted(f"x-doudi://register/{name}" for name in contracts)
    assert marts["condition"] == "AssetAny"
    assert marts["tasks"]["wait"]["mode"] == "reschedule"
    assert marts["tasks"]["build"]["upstream"] == ["wait"]
    assert marts["tasks"]["build"]["outlets"] == ["marts_built"]
    assert marts["tasks"]["data_docs"]["upstream"] == ["wait"]  # beside the build, which neither fails nor waits by it
    assert extracts["assets"] == ["x-doudi://marts"]
    assert marts["params"] == extracts["params"] == ["as_of"]


def test_the_watch_follows_the_marts_and_comes_each_morning_without_them(all_dags: dict[str, Any]) -> None:
    watch = all_dags["dags"]["watch_night"]
    assert watch["assets"] == ["x-doudi://marts"]
    assert watch["cron"] == "0 7 * * *"  # after the extracts have gone out
    assert watch["tasks"]["tell_alerts"]["upstream"] == ["health_page"]


def test_the_report_comes_when_the_plan_wants_it(all_dags: dict[str, Any]) -> None:
    report = all_dags["dags"]["periodic_report"]
    assert report["cron"] == "0 8 L 6,9,12 *"
    assert report["tasks"]["write"]["upstream"] == ["wait"]
    assert report["tasks"]["wait"]["mode"] == "reschedule"
    assert report["params"] == ["area", "as_of"]


def test_maintenance_is_weekly_and_neither_of_its_tasks_waits_for_the_other(all_dags: dict[str, Any]) -> None:
    maintenance = all_dags["dags"]["maintenance"]
    assert maintenance["cron"] == "0 14 * * 6"  # in the day, apart from all nights
    assert {name: task["upstream"] for name, task in maintenance["tasks"].items()} == {
        "maintain": [], "airflow_history": [],
    }  # fmt: skip
    assert maintenance["assets"] == []


def test_a_feed_is_added_by_its_contract_alone(read_dags: Read, project: Path, tmp_path: Path) -> None:
    shutil.copytree(project / "contracts", tmp_path / "contracts")
    text = (project / "contracts" / "left_behind.yml").read_text(encoding="utf-8")
    (tmp_path / "contracts" / "new_feed.yml").write_text(text.replace("left_behind", "new_feed"), encoding="utf-8")
    facts = read_dags(DOUDI_PROJECT=str(tmp_path))
    assert facts["errors"] == {}
    assert "feed_new_feed" in facts["dags"]
    assert "x-doudi://register/new_feed" in facts["dags"]["build_marts"]["assets"]


def test_a_task_reads_its_own_feed_only(read_dags: Read) -> None:
    facts = read_dags(_AIRFLOW_PARSING_CONTEXT_DAG_ID="feed_disability")
    assert {dag_id for dag_id in facts["dags"] if dag_id.startswith("feed_")} == {"feed_disability"}


def test_a_broken_contract_is_an_import_error(read_dags: Read, project: Path, tmp_path: Path) -> None:
    shutil.copytree(project / "contracts", tmp_path / "contracts")
    (tmp_path / "contracts" / "broken.yml").write_text("kind: DataContract\nsurprise: 1\n")
    facts = read_dags(DOUDI_PROJECT=str(tmp_path))
    assert any("broken.yml" in error for error in facts["errors"].values())
    assert "send_extracts" in facts["dags"]
