"""Files that people write, read into frozen models that know every key; and what is told where one does not fit."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML has it: ten times as fast


class Closed(BaseModel):
    """A frozen model that refuses unknown keys, so that a misspelt one is an error and not a silent no."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def faults_of(error: ValidationError) -> str:
    """Where in the file each fault is and what it is, without the value that was found there."""
    faults = error.errors(include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)


def read_yaml(path: Path) -> Any:
    """What the file holds, None where it holds nothing. Raises YAMLError or UnicodeDecodeError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (both are safe)
