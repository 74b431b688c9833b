"""docker-compose.yml as Docker reads it: anchors merged, variables with their defaults."""

import re
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}|\$\$")


def compose(project: Path) -> dict[str, Any]:
    """The whole file, with no variable of the environment set."""
    return _with_defaults(yaml.safe_load((project / "docker-compose.yml").read_text(encoding="utf-8")))


def image_environment(project: Path) -> dict[str, str]:
    """What the image ``doudi`` sets by ENV."""
    return dict(pair.split("=", 1) for line in _instructions(project, "ENV", "doudi") for pair in line.split())


def image_files(project: Path, *, stage: str) -> dict[str, str]:
    """What a stage of the Dockerfile copies from the project, by its place in the image."""
    copied = [line.split() for line in _instructions(project, "COPY", stage) if not line.startswith("--from")]
    return {
        f"{target}{Path(source).name}" if target.endswith("/") else target: source
        for *sources, target in copied
        for source in sources
    }


def _instructions(project: Path, kind: str, stage: str) -> list[str]:
    """The arguments of these instructions in a stage of the Dockerfile."""
    text = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (found,) = [each for each in text.split("\nFROM ") if f" AS {stage}\n" in each]
    return [line.removeprefix(f"{kind} ") for line in found.splitlines() if line.startswith(f"{kind} ")]


def _with_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_defaults(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_defaults(part) for part in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found[2] if found[1] else "$", value)
    return value
