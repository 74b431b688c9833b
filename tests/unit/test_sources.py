"""sources.yml: what the page shows is what is read, and what is wrong is told by place."""

import re
from pathlib import Path

import pytest

from doudi.contracts import load_contracts
from doudi.settings import Settings
from doudi.sources import SourcesError, load_sources


def test_the_examples_of_the_page_are_read(settings: Settings, tmp_path: Path) -> None:
    page = (settings.project / "docs" / "sources.md").read_text(encoding="utf-8")
    path = tmp_path / "sources.yml"
    path.write_text("".join(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    sources = load_sources(path, feeds=load_contracts(settings.contracts))
    assert {source.kind for source in sources} == {"folder", "sftp", "object_store", "http", "database"}


SOUND = "{name: a, feed: disability, connection: c, kind: folder}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[{SOUND}, {SOUND}]", "sources.yml: more than one source is named a"),
        (f"[{SOUND.replace('disability', 'weather')}]", "sources.yml: there is no contract for a feed weather"),
        (f"[{SOUND.replace('}', ', host: h}')}]", "sources.yml: 0.folder.host: Extra inputs are not permitted"),
        (f"[{SOUND.replace('folder', 'ftp')}]", "sources.yml: 0: Input tag 'ftp' found"),
        ("- name: a\n  - b: [", "sources.yml: not YAML, line 2"),
    ],
)
def test_a_fault_is_told_by_place(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourcesError, match=re.escape(told)):
        load_sources(path, feeds=["disability"])


def test_no_file_is_no_source(tmp_path: Path) -> None:
    assert load_sources(tmp_path / "sources.yml", feeds=[]) == ()
