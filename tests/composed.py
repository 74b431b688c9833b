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
    return dict(pair.split("=", 1) for line in _instructions(project, "ENV") for pair in line.split())


def image_files(project: Path) -> dict[str, str]:
    """What is copied into the image ``doudi`` from the project, by its place there."""
    copied = [line.split() for line in _instructions(project, "COPY") if not line.startswith("--from")]
    return {
        f"{target}{Path(source).name}" if target.endswith("/") else target: source
        for *sources, target in copied
        for source in sources
    }


def _instructions(project: Path, kind: str) -> list[str]:
    """The arguments of these instructions in the Dockerfile's stage ``doudi``."""
    text = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (stage,) = [stage for stage in text.split("\nFROM ") if " AS doudi\n" in stage]
    return [line.removeprefix(f"{kind} ") for line in stage.splitlines() if line.startswith(f"{kind} ")]


def _with_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_defaults(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_defaults(part) for part in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found[2] if found[1] else "$", value)
    return value
