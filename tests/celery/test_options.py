"""The options of providers that only the image has: each that is set is one that the locked provider reads."""

import json
import subprocess

import yaml
from celery_machine import Machine
from composed import compose

_ASK = """
import json
from airflow.providers.celery import get_provider_info as celery
from airflow.providers.cncf.kubernetes import get_provider_info as kubernetes
found = {}
for provider in (celery, kubernetes):
    for name, section in provider.get_provider_info()["config"].items():
        found[name] = {key: bool(option.get("sensitive")) for key, option in section["options"].items()}
print(json.dumps(found))
"""


def test_options_of_the_executors_are_known(machine: Machine) -> None:
    python = machine.project / ".venv-cluster" / "bin" / "python"
    environment = machine.environment("worker")
    asked = subprocess.run([str(python), "-c", _ASK], env=environment, capture_output=True, text=True, check=True)
    known = json.loads(asked.stdout.splitlines()[-1])
    values = yaml.safe_load((machine.project / "deploy" / "values.yaml").read_text(encoding="utf-8"))
    names = {
        name for service in compose(machine.project)["services"].values() for name in service.get("environment", ())
    }
    given = [name.lower().split("__")[1:] for name in names if name.startswith("AIRFLOW__")]
    given += [[section, option] for section, options in values["config"].items() for option in options]
    of_providers = [(section, option) for section, option in given if section in known]
    assert len(of_providers) > 5
    for section, option in of_providers:
        plain = option.removesuffix("_cmd")
        assert plain in known[section], f"{section} has no option {plain}"
        assert plain == option or known[section][plain], f"{option}: a command is asked for secrets only"
