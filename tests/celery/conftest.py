"""Broker, databases and accounts for the services, made as the containers make them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from celery_machine import Machine

from doudi.settings import Settings
from doudi.warehouse import cluster

BROKERS = ("valkey-server", "redis-server")


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Iterator[str]:
    """A server as the container has it: its administrator is called postgres, and it holds nothing."""
    home = settings.home / "postgres-of-containers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "USER", "postgres")
        yield cluster.start(home)
        cluster.stop(home)


@pytest.fixture(scope="session")
def machine(settings: Settings, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Broker, databases and Airflow's tables ready, nothing started."""
    broker = next(filter(None, map(shutil.which, BROKERS)), None)
    if broker is None:
        pytest.skip(f"neither of {' and '.join(BROKERS)} is installed on this machine")
    if not (settings.project / ".venv-cluster" / "bin" / "airflow").exists():
        pytest.skip("there is no .venv-cluster: make test-celery makes it")
    machine = Machine(project=settings.project, folder=tmp_path_factory.mktemp("machine"), server_url=postgres)
    for folder in (machine.home, machine.folder / "airflow", machine.folder / "scratch", machine.folder / "logs"):
        folder.mkdir()
    machine.copy_what_the_image_holds()
    shutil.copytree(settings.project / "deploy", machine.folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
    _run("sh", str(machine.folder / "deploy" / "secrets.sh"))
    for path in machine.secrets.iterdir():
        path.write_text(machine.here(path.read_text()))
    with _broker(broker, machine):
        _make_databases(machine)
        yield machine


@contextmanager
def _broker(program: str, machine: Machine) -> Iterator[None]:
    configuration = machine.folder / "broker.conf"
    configuration.write_text(f"requirepass {machine.secret('redis_password')}\n")
    options = ("--port", str(machine.broker_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(machine.folder))
    log = (machine.folder / "logs" / "broker.log").open("w")
    with log, subprocess.Popen([program, str(configuration), *options], stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()


def _make_databases(machine: Machine) -> None:
    """By the script that the Postgres image runs on an empty volume."""
    url = urlsplit(machine.server_url)
    script = machine.folder / "postgres.sh"
    script.write_text(machine.here((machine.project / "deploy" / "postgres.sh").read_text()))
    given = {"PGHOST": url.hostname, "PGPORT": str(url.port), "PGPASSWORD": url.password, "POSTGRES_USER": url.username}
    _run("sh", str(script), env={"PATH": f"{cluster.binaries()}:{os.defpath}", **given})


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
