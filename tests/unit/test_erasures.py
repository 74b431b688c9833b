"""Who was erased, as the file beside the database has it, and in which forms an ID is looked for."""

from pathlib import Path

import pytest
from made_up import erasure

from doudi.erasing.removing import Person
from doudi.erasures import ErasureError
from doudi.erasures.record import in_file, keep_in_file


def test_what_was_put_together_of_two_copies_is_each_once(tmp_path: Path) -> None:
    path = tmp_path / "erasures.jsonl"
    assert in_file(path) == []
    one = erasure()
    keep_in_file(path, [one])
    path.write_text(path.read_text() * 2 + "\n")
    assert in_file(path) == [one]


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"erasure_id": 1}'])
def test_a_line_that_is_no_erasure_is_told_and_not_passed_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "erasures.jsonl"
    path.write_text(erasure().as_line() + line)
    with pytest.raises(ErasureError, match=r"erasures\.jsonl, line 2"):
        in_file(path)


def test_an_id_is_looked_for_with_a_small_x_too() -> None:
    person = Person(citizen_ids=("99066819830312455X", "990261198009186358"), person_ids=(), key="")
    forms = person.stand_ins
    assert set(forms) == {"99066819830312455X", "99066819830312455x", "990261198009186358"}
    assert forms["99066819830312455x"] == forms["99066819830312455X"]
