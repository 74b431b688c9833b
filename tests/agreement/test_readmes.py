"""The READMEs in English and Chinese against each other, the command, the Makefile and the files they name."""

import re

from typer.main import get_command

from doudi.cli import app
from doudi.settings import load_settings

PROJECT = load_settings().project
ENGLISH, CHINESE = (
    (PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
)  # fmt: skip
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_TRANSLATED = {"mermaid"}


def _blocks(text: str) -> list[str]:
    """What stands in blocks of code, without comments and drawings, which are in the reader's language."""
    return [re.sub(r" +# .*", "", block) for kind, block in _BLOCK.findall(text) if kind not in _TRANSLATED]


def _code(text: str) -> set[str]:
    """Words of code within sentences, but for places to fill in."""
    return {word for word in re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text)) if "<" not in word}


def _links(text: str) -> set[str]:
    return {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)} - {
        "README.md",
        "README.zh-CN.md",
    }


def _shape(text: str) -> list[str]:
    """Headings, rows of tables and pictures in their order."""
    return re.findall(r"^(#+ |\||!\[)", _BLOCK.sub("", text), re.MULTILINE)


def test_both_say_the_same() -> None:
    assert _blocks(CHINESE) == _blocks(ENGLISH)
    assert _code(CHINESE) == _code(ENGLISH)
    assert _links(CHINESE) == _links(ENGLISH)
    assert _shape(CHINESE) == _shape(ENGLISH)


def test_what_they_name_exists() -> None:
    commands = get_command(app).commands
    named = set(re.findall(r"`doudi ([a-z-]+)", ENGLISH))
    assert named == set(commands)
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert (
        set(re.findall(r"\bmake ([a-z-]+)(?=[ `\n])", "\n".join([*_code(ENGLISH), *_blocks(ENGLISH), ""]))) <= targets
    )
    assert {target for target in _links(ENGLISH) if "://" not in target and not (PROJECT / target).exists()} == set()
