"""The services of docker-compose.yml's profiles celery and superset as processes of this machine.

Each gets the command and the environment that the file gives it, with folders, hosts and ports of this machine in the
place of the containers'; Airflow's run on what requirements-cluster.txt locks, as the image does. Nothing here repeats
a setting: what the file gets wrong fails here.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest
from composed import compose, image_environment, image_files

from doudi.ports import free_port
from doudi.warehouse import cluster

_END_SECONDS = 30


@dataclass(kw_only=True)
class Machine:
    """Where the services run: ``places`` says what stands for each folder and host of the containers."""

    project: Path
    folder: Path
    server_url: str
    port: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def image(self) -> Path:
        """What the image holds of the project, and nothing else of it."""
        return self.folder / "image"

    @property
    def secrets(self) -> Path:
        return self.folder / "deploy" / "secrets"

    @property
    def places(self) -> dict[str, str]:
        postgres = urlsplit(self.server_url)
        return {
            "/run/secrets": str(self.secrets),
            "/var/lib/doudi": str(self.home),
            "/var/lib/airflow": str(self.folder / "airflow"),
            "/var/log/airflow": str(self.folder / "logs"),
            "/var/tmp/doudi": str(self.folder / "scratch"),  # noqa: S108 (the container's)
            "/opt/doudi": str(self.image),
            "api-server:8080": f"127.0.0.1:{self.port}",
            "@postgres:5432": f"@{postgres.hostname}:{postgres.port}",
            "@redis:6379": f"@127.0.0.1:{self.broker_port}",
        }

    def make(self, *stages: str) -> None:
        """The volumes, what these stages of the image hold, the secrets, and the databases on an empty server."""
        for folder in (self.home, self.folder / "airflow", self.folder / "scratch", self.folder / "logs"):
            folder.mkdir()
        for stage in stages:
            self._copy_what_it_holds(stage)
        without = shutil.ignore_patterns("secrets")
        shutil.copytree(self.project / "deploy", self.folder / "deploy", ignore=without)
        _run("sh", str(self.folder / "deploy" / "secrets.sh"))
        for path in self.secrets.iterdir():
            path.write_text(self.here(path.read_text()))
        self._make_databases()

    def _make_databases(self) -> None:
        """By the script that the Postgres image runs on an empty volume."""
        url = urlsplit(self.server_url)
        script = self.folder / "postgres.sh"
        script.write_text(self.here((self.project / "deploy" / "postgres.sh").read_text()))
        given = {
            "PGHOST": url.hostname, "PGPORT": str(url.port), "PGPASSWORD": url.password, "POSTGRES_USER": url.username,
        }  # fmt: skip
        _run("sh", str(script), env={"PATH": f"{cluster.binaries()}:{os.defpath}", **given})

    def _copy_what_it_holds(self, stage: str) -> None:
        for there, source in image_files(self.project, stage=stage).items():
            place = Path(self.here(there))
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (self.project / source).is_dir() else shutil.copy
            copy(self.project / source, place)

    def here(self, text: str) -> str:
        for there, place in self.places.items():
            text = text.replace(there, place)
        return text

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def log(self, name: str) -> str:
        """The end of what a service has written."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")[-3000:]

    @property
    def owner_url(self) -> str:
        """The warehouse as the server's own account sees it, which is bound by nothing."""
        return urlunsplit(urlsplit(self.server_url)._replace(path="/doudi"))

    def command(self, service: str) -> list[str]:
        words = [self.here(str(word)) for word in compose(self.project)["services"][service]["command"]]
        return [str(self.port) if word == "8080" else word for word in words]

    def environment(self, service: str, **changed: str) -> dict[str, str]:
        """What the container would have, and no more: nothing of the shell that runs the tests."""
        image, given = image_environment(self.project), compose(self.project)["services"][service]["environment"]
        binaries = self.project / ".venv-cluster" / "bin"
        of_a_machine = {
            "PATH": f"{binaries}:{os.defpath}",
            "HOME": str(self.folder),
            "AIRFLOW_HOME": str(self.folder / "airflow" / service),  # of each container its own
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.health_port),
        }
        return {name: self.here(str(value)) for name, value in (image | given | of_a_machine | changed).items()}

    @contextmanager
    def running(self, service: str, *more: str, name: str = "", **changed: str) -> Iterator[subprocess.Popen]:
        """The service in a session of its own, as a container has its own processes."""
        name = name or service
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "logs" / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                [*self.command(service), *more],
                env=self.environment(service, **changed),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            kill_session(process.pid)


@contextmanager
def postgres_of_containers(home: Path) -> Iterator[str]:
    """A server as the container has it: its administrator is called postgres, and it holds nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "USER", "postgres")
        yield cluster.start(home)
        cluster.stop(home)


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def kill_session(session: int) -> int:
    """Kill -9 all processes of a service at once, as when its machine is lost. Returns how many there were."""
    found = [process for process in psutil.process_iter() if _session(process.pid) == session]
    for process in found:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(found, _END_SECONDS)
    return len(found)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
