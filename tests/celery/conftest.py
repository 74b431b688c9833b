"""Broker, databases and accounts for the services, made as the containers make them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery_machine import Machine, postgres_of_containers

from doudi.settings import Settings

BROKERS = ("valkey-server", "redis-server")


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Iterator[str]:
    with postgres_of_containers(settings.home / "postgres-of-containers") as url:
        yield url


@pytest.fixture(scope="session")
def machine(settings: Settings, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Broker, databases and Airflow's tables ready, nothing started."""
    broker = next(filter(None, map(shutil.which, BROKERS)), None)
    if broker is None:
        pytest.skip(f"neither of {' and '.join(BROKERS)} is installed on this machine")
    if not (settings.project / ".venv-cluster" / "bin" / "airflow").exists():
        pytest.skip("there is no .venv-cluster: make test-celery makes it")
    machine = Machine(project=settings.project, folder=tmp_path_factory.mktemp("machine"), server_url=postgres)
    machine.make("doudi")
    with _broker(broker, machine):
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
