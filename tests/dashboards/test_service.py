"""Superset as docker-compose.yml has it: its tables on PostgreSQL, prepared by one service and served by another."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from celery_machine import Machine, postgres_of_containers
from superset_browser import browser, chromium, logged_in

from doudi.dashboards import server
from doudi.dashboards.declaration import load_declared
from doudi.dashboards.installation import Installation, locate
from doudi.settings import Settings

COUNTY = "513431"
PREPARE_SECONDS, START_SECONDS = 900, 300  # of a busy machine

pytestmark = [
    pytest.mark.dashboards,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def machine(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with postgres_of_containers(settings.home / "postgres-of-superset") as postgres:
        machine = Machine(project=settings.project, folder=tmp_path_factory.mktemp("service"), server_url=postgres)
        machine.make("doudi", "superset")
        (machine.image / ".venv-superset").symlink_to(settings.project / ".venv-superset")
        yield machine


def _given(machine: Machine) -> dict[str, str]:
    """The programs of the image, and no other computer let in."""
    return {"PATH": f"{machine.project / '.venv' / 'bin'}:{os.defpath}", "DOUDI_SUPERSET_LISTEN": "127.0.0.1"}


def _wait_until_it_answers(machine: Machine, settings: Settings) -> Installation:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = locate(settings)
        if (found.home / "port").exists() and server.answers(found.port):
            return found
        time.sleep(0.5)
    raise AssertionError(machine.log("superset"))


def test_prepared_with_the_warehouses_account_and_served_without(machine: Machine, settings: Settings) -> None:
    own = replace(settings, project=machine.image, home=machine.home)
    with machine.running("superset", **_given(machine)) as process:
        assert process.wait(START_SECONDS) == 1
    assert "is not prepared" in machine.log("superset")
    with machine.running("superset-initialise", **_given(machine)) as process:
        assert process.wait(PREPARE_SECONDS) == 0, machine.log("superset-initialise")
    machine.secrets.rename(machine.folder / "taken away")
    assert not (own.home / "superset" / "superset.db").exists(), "its tables are in PostgreSQL"
    with machine.running("superset", **_given(machine)), browser() as opened:
        installation = _wait_until_it_answers(machine, own)
        for user in ("bi", f"bi_{COUNTY}"):
            with logged_in(opened, installation, user) as person:
                status, dashboards = person.call("GET", "/api/v1/dashboard/")
                assert (status, dashboards["count"]) == (200, len(load_declared(own.project / "dashboards").dashboards))
                status, databases = person.call("GET", "/api/v1/database/")
                body = {
                    "database_id": databases["result"][0]["id"],
                    "sql": f"select pg_has_role('superset_{user}', 'usage') as is_own",
                    "runAsync": False,
                    "schema": None,
                }
                status, answer = person.call("POST", "/api/v1/sqllab/execute/", body)
                assert status == 200, answer
                assert answer["data"] == [{"is_own": True}]
