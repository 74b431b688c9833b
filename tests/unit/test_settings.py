"""Secrets come from a variable or from the file that another one names, and never from both."""

from pathlib import Path

import pytest

from doudi.settings import SettingsError, load_settings, read_secret

NAME = "DOUDI_DATABASE_URL"
URL = "postgresql://doudi:made-up@nowhere/doudi"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "url"))
    return tmp_path / "url"


def test_a_secret_is_read_from_the_file_that_is_named(file: Path) -> None:
    file.write_text(f"{URL}\n")
    assert load_settings().database_url == URL


def test_a_file_that_is_missing_or_empty_is_told_and_not_taken_for_none(file: Path) -> None:
    """Else an installation that lost its secret would quietly start an embedded server."""
    with pytest.raises(SettingsError, match=rf"^{NAME}_FILE=.* cannot be read: No such file"):
        read_secret(NAME)
    file.write_text("\n")
    with pytest.raises(SettingsError, match=rf"^{NAME}_FILE=.* is empty$"):
        read_secret(NAME)


def test_two_answers_are_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(URL)
    monkeypatch.setenv(NAME, "postgresql://doudi:another@nowhere/doudi")
    with pytest.raises(SettingsError, match="both set") as caught:
        read_secret(NAME)
    assert "another" not in str(caught.value)


def test_without_either_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.setenv(f"{NAME}_FILE", "")  # as `make run` sets it for its tasks
    assert read_secret(NAME) is None
