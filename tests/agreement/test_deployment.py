"""What is deployed against what reads it: compose file, Dockerfile and Helm values, the code and Airflow's options."""

import ipaddress
import re
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from composed import compose, image_environment

from doudi.dashboards.installation import PORT
from doudi.settings import load_settings

PROJECT = load_settings().project
COMPOSE = compose(PROJECT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VALUES = yaml.safe_load((PROJECT / "deploy" / "values.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("doudi:"))
ONCE = {"initialise", "superset-initialise", "citus-join"}  # they end, and what waits for them waits for that
CITUS_NODES = ("citus-coordinator", "citus-worker-1", "citus-worker-2")
CITUS_HBA = PROJECT / "deploy" / "citus_hba.conf"
# Of providers that only the image has; tests/celery asks these for their options.
OF_PROVIDERS = {"celery", "celery_broker_transport_options", "kubernetes_executor"}
# What the container's own programs read.
OF_OTHERS = {"AIRFLOW_ADMIN_PASSWORD_FILE", "TMPDIR", "TZ"}
SECRETS = ("DOUDI_DATABASE_URL", "DOUDI_IDENTIFIER_KEY", "DOUDI_SUPERSET_DATABASE_URL")  # also read from files
NEEDED = {
    "DOUDI_DATABASE_URL_FILE", "DOUDI_IDENTIFIER_KEY_FILE", "DOUDI_HOME", "DOUDI_INBOX", "DOUDI_OUT",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__FERNET_KEY_CMD",
    "AIRFLOW__CORE__AUTH_MANAGER", "AIRFLOW__API_AUTH__JWT_SECRET_CMD", "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
}  # fmt: skip
NEEDED_BY_DATABASE = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC_CMD"}
NEEDED_BY_CELERY = {"AIRFLOW__CELERY__BROKER_URL_CMD", "AIRFLOW__CELERY__RESULT_BACKEND_CMD"}


def _read_by_the_code() -> set[str]:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "src").rglob("*.py"))
    plain = set(re.findall(r'"(DOUDI_[A-Z_]+)"', source))
    return plain | {f"{name}_FILE" for name in SECRETS}


def _airflow_options() -> dict[tuple[str, str], dict[str, Any]]:
    """Airflow's own options, of the version that is locked, without an import of Airflow, which would set up a home."""
    package = find_spec("airflow.providers.standard")  # any of it: finding it imports nothing heavy
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parents[2] / "config_templates"
    sections = yaml.safe_load((folder / "config.yml").read_text(encoding="utf-8"))
    return {(name, key): option for name, section in sections.items() for key, option in section["options"].items()}


OPTIONS = _airflow_options()


def _fault(variable: str) -> str | None:
    """What is wrong with an AIRFLOW__SECTION__OPTION, None where nothing is."""
    _, section, option = variable.lower().split("__")
    if section in OF_PROVIDERS or (section, option) in OPTIONS:
        return None
    secret = OPTIONS.get((section, option.removesuffix("_cmd")), {})
    return None if option.endswith("_cmd") and secret.get("sensitive") else f"{variable}: Airflow has no such option"


def _environment(service: str) -> dict[str, str]:
    return SERVICES[service].get("environment", {})


def _mentioned(service: str) -> set[str]:
    told = yaml.safe_dump([SERVICES[service].get(part) for part in ("command", "environment", "healthcheck")])
    scripts = {"postgres": "postgres.sh", "citus-join": "citus.sh"}
    if service in scripts:
        told += (PROJECT / "deploy" / scripts[service]).read_text(encoding="utf-8")
        told = told.replace("${account}", "doudi").replace("for account in doudi airflow superset", "\n".join(
            f"/run/secrets/{account}_password" for account in ("doudi", "airflow", "superset")
        ))  # fmt: skip
    return set(re.findall(r"/run/secrets/(\w+)", told))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_variable_is_one_that_is_read(service: str) -> None:
    known = _read_by_the_code() | OF_OTHERS
    names = {name for name in _environment(service) if not name.startswith("POSTGRES_")}
    airflow = {name for name in names if name.startswith("AIRFLOW__")}
    assert [fault for fault in map(_fault, sorted(airflow)) if fault] == []
    assert names - airflow - known == set()


@pytest.mark.parametrize("service", OURS)
def test_every_part_of_airflow_is_told_what_it_needs(service: str) -> None:
    needed = set(NEEDED)
    if service != "worker":  # it asks the API server, and has no way into the database
        needed |= NEEDED_BY_DATABASE
    if "celery" in SERVICES[service]["command"] or service == "celery-scheduler":
        needed |= NEEDED_BY_CELERY
    assert needed - set(_environment(service)) == set()
    assert any(volume.startswith("home:") for volume in SERVICES[service]["volumes"])


def test_parts_that_must_agree_do() -> None:
    """One value of each option everywhere, but for the executor, which a profile chooses."""
    for name in {name for service in OURS for name in _environment(service)} - {"AIRFLOW__CORE__EXECUTOR"}:
        assert len({_environment(service)[name] for service in OURS if name in _environment(service)}) == 1, name
    executors = {service: _environment(service)["AIRFLOW__CORE__EXECUTOR"] for service in OURS}
    assert {name for name, executor in executors.items() if executor == "CeleryExecutor"} == {
        "celery-scheduler", "worker",
    }  # fmt: skip


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_may_do_no_more_than_it_must(service: str) -> None:
    given = SERVICES[service]
    assert re.fullmatch(r"[1-9]\d*:\d+", given["user"])
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert not given.get("privileged")
    assert {"mem_limit", "cpus", "pids_limit"} <= set(given)
    assert (given["restart"] == "no") == (service in ONCE)
    assert ("healthcheck" in given) == (service not in ONCE)
    assert given["profiles"]
    assert all(port.startswith("127.0.0.1:") for port in given.get("ports", ()))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_images_are_pinned(service: str) -> None:
    _, _, tag = SERVICES[service]["image"].partition(":")
    assert re.search(r"\d+\.\d+", tag), f"{SERVICES[service]['image']} may change under its name"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_gets_the_secrets_that_it_reads(service: str) -> None:
    granted = set(SERVICES[service].get("secrets", ()))
    assert _mentioned(service) <= granted
    unread = granted - _mentioned(service)
    # Airflow's options are common to its parts
    assert unread <= {"airflow_api_secret", "airflow_fernet_key", "airflow_jwt_secret", "airflow_database_url"}


def test_every_secret_is_declared_made_and_kept_out_of_sight() -> None:
    granted = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert set(COMPOSE["secrets"]) == granted
    script = (PROJECT / "deploy" / "secrets.sh").read_text(encoding="utf-8")
    assert {name for name in granted if not re.search(rf"\b{name}\b", script)} == set()
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {f"deploy/secrets/{name}" for name in granted}
    assert "deploy/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    told = yaml.safe_dump(SERVICES) + yaml.safe_dump(VALUES)
    assert not re.search(r"://\w+:[^$@\s]+@", told), "a password is written down"


def test_what_waits_waits_for_what_its_profile_starts() -> None:
    for name, service in SERVICES.items():
        for other, condition in service.get("depends_on", {}).items():
            assert set(service["profiles"]) <= set(SERVICES[other]["profiles"]), f"{name} waits for {other}"
            ends = condition["condition"] == "service_completed_successfully"
            assert ends == (other in ONCE)
    for kind in ("volumes", "networks"):
        declared = set(COMPOSE[kind])
        used = {part.split(":")[0] for service in SERVICES.values() for part in service.get(kind, ())}
        assert {name for name in used if not name.startswith(".")} == declared


def test_nodes_of_the_cluster_and_nobody_else_need_no_password() -> None:
    """They are trusted by their addresses, which Docker gives to nothing else, and call one another by their names."""
    nodes = {name: service["networks"]["citus"] for name, service in SERVICES.items() if name in CITUS_NODES}
    (pool,) = COMPOSE["networks"]["citus"]["ipam"]["config"]
    fixed = {ipaddress.ip_address(node["ipv4_address"]) for node in nodes.values()}
    gateway = next(ipaddress.ip_network(pool["subnet"]).hosts())
    lines = [line.partition("#")[0].split() for line in CITUS_HBA.read_text(encoding="utf-8").splitlines()]
    *trusted, everybody = [line[3:] for line in lines if line[:3] == ["host", "all", "all"]]
    assert {ipaddress.ip_network(network): how for network, how in trusted} == {
        ipaddress.ip_network(address): "trust" for address in (*fixed, "127.0.0.1")
    }
    assert everybody == ["all", "scram-sha-256"]
    assert gateway not in fixed
    assert fixed.isdisjoint(ipaddress.ip_network(pool["ip_range"]))
    assert {name for name, service in SERVICES.items() if "citus" in service["networks"]} == {*nodes, "citus-join"}
    script = (PROJECT / "deploy" / "citus.sh").read_text(encoding="utf-8")
    (asked,) = re.findall(r"^for node in (.+); do", script, re.MULTILINE)
    assert asked.split() == [alias for node in nodes.values() for alias in node["aliases"]]


def test_nodes_of_the_cluster_are_set_as_the_documentation_says() -> None:
    (block,) = re.findall(r"```ini\n(.+?)```", (PROJECT / "docs" / "scale.md").read_text(encoding="utf-8"), re.DOTALL)
    said = dict(re.findall(r"^(\S+) = '?([^'\s]+)", block, re.MULTILINE))
    for name in CITUS_NODES:
        told = dict(option.removeprefix("-c").split("=") for option in SERVICES[name]["command"] if "=" in option)
        target = f":{told.pop('hba_file')}:ro"
        assert f"./deploy/{CITUS_HBA.name}{target}" in SERVICES[name]["volumes"]
        assert told | {"listen_addresses": "*"} == said


def test_superset_is_served_without_a_way_to_more_than_readers_see() -> None:
    """One service has the warehouse's account and prepares, the other serves what was prepared, and shares a volume."""
    prepares, serves = SERVICES["superset-initialise"], SERVICES["superset"]
    assert serves["depends_on"] == {"superset-initialise": {"condition": "service_completed_successfully"}}
    assert "secrets" not in serves
    assert not {name for name in _environment("superset") if name.removesuffix("_FILE") in SECRETS}
    assert {f"{name}_FILE" for name in SECRETS} <= set(_environment("superset-initialise"))
    for same in ("image", "volumes", "user"):
        assert serves[same] == prepares[same]
    (volume,) = (volume.split(":")[0] for volume in serves["volumes"])
    assert {name for name, service in SERVICES.items() if f"{volume}:" in str(service.get("volumes"))} == {
        "superset-initialise", "superset",
    }  # fmt: skip
    assert _environment("superset")["DOUDI_HOME"] == _environment("superset-initialise")["DOUDI_HOME"]
    called = (PROJECT / "src" / "doudi" / "dashboards" / "__main__.py").read_text(encoding="utf-8")
    for service in (prepares, serves):
        assert service["command"][:-1] == ["python", "-m", "doudi.dashboards"]
        assert f'add_parser("{service["command"][-1]}"' in called
    (port,) = serves["ports"]
    assert port.endswith(f":{PORT}")
    assert f"127.0.0.1:{PORT}/" in serves["healthcheck"]["test"][-1]


def test_superset_has_the_driver_of_its_own_database() -> None:
    script = (PROJECT / "deploy" / "secrets.sh").read_text(encoding="utf-8")
    (driver,) = re.findall(r'superset_database_url "postgresql\+(\w+)://superset:', script)
    locked = (PROJECT / "requirements-superset.txt").read_text(encoding="utf-8")
    assert re.search(rf"^{driver}(-binary)?==", locked, re.MULTILINE)


def test_the_broker_gives_no_running_task_away() -> None:
    """Redelivered while it runs, a task would be begun a second time: the timeout is longer than the longest task."""
    dags = (PROJECT / "src" / "doudi" / "orchestration" / "dags.py").read_text(encoding="utf-8")
    longest = max(int(hours) for hours in re.findall(r"execution_timeout=timedelta\(hours=(\d+)\)", dags))
    environment = _environment("worker")
    assert int(environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]) > longest * 3600
    assert int(environment["AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME"]) > longest * 3600


def test_the_dockerfile_copies_what_there_is_and_the_context_holds_it() -> None:
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert {source for source in sources if not (PROJECT / source).exists()} == set()
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert let_in == set(sources)


def test_images_are_made_from_locks_and_run_as_nobody_special() -> None:
    assert re.findall(r"^ARG PYTHON=(.+)$", DOCKERFILE, re.MULTILINE) == ["python:3.11.15-slim-bookworm"]
    installs = re.findall(r"(?:pip install|uv pip sync|uv pip install)[^&\n]*(?:\\\n[^&\n]*)*", DOCKERFILE)
    assert len(installs) == 4
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE):
        if stage.startswith("${PYTHON} AS ") and not stage.startswith("${PYTHON} AS uv"):
            assert stage.index("\nUSER 50000:0") < stage.index("\nCMD ")
    environment = image_environment(PROJECT)
    assert {name for name in environment if name.startswith("DOUDI_")} <= _read_by_the_code()
    assert [fault for fault in map(_fault, (n for n in environment if n.startswith("AIRFLOW__"))) if fault] == []


def test_versions_agree() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"apache-airflow=={VALUES['airflowVersion']}" in project["dependencies"]
    assert VALUES["images"]["airflow"]["tag"] == project["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"doudi:{project['version']}"}
    locked = (PROJECT / "requirements-cluster.txt").read_text(encoding="utf-8")
    assert f"apache-airflow=={VALUES['airflowVersion']} " in locked


def test_the_charts_values_set_options_and_variables_that_are_read() -> None:
    options = {(section, name) for section, values in VALUES["config"].items() for name in values}
    assert {each for each in options if each not in OPTIONS and each[0] not in OF_PROVIDERS} == set()
    names = {variable["name"] for variable in VALUES["env"]} | {secret["envName"] for secret in VALUES["secret"]}
    assert names - _read_by_the_code() - OF_OTHERS == set()
    told = {name.removesuffix("_FILE") for name in NEEDED if name.startswith("DOUDI_")}
    assert told <= names
    assert not VALUES["dags"]["gitSync"]["enabled"]
    assert not VALUES["createUserJob"]["enabled"]
    for part in ("apiServer", "scheduler", "dagProcessor", "triggerer", "workers", "migrateDatabaseJob"):
        assert {"requests", "limits"} == set(VALUES[part]["resources"])
    assert VALUES["securityContexts"]["pod"]["runAsNonRoot"] is True


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_the_compose_file_is_one_that_compose_reads() -> None:
    profiles = sorted({name for service in SERVICES.values() for name in service["profiles"]})
    options = [word for profile in profiles for word in ("--profile", profile)]
    read = subprocess.run(
        [str(shutil.which("docker-compose")), *options, "config"], cwd=PROJECT, capture_output=True, text=True
    )
    assert read.returncode == 0, read.stderr
    assert set(yaml.safe_load(read.stdout)["services"]) == set(SERVICES)
