"""Contracts are closed: what they do not know they refuse, by file and place."""

from pathlib import Path

import pytest

from doudi.contracts import Contract, ContractError, accepted_headers, load_contract, normalise_header


@pytest.fixture
def copy(tmp_path: Path, project: Path):
    """A copy of the disability contract with one text replaced."""

    def copy(old: str, new: str) -> Path:
        text = (project / "contracts" / "disability.yml").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "disability.yml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return copy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: active", "status: active\nstatuss: active", "statuss"),
        ("        required: true", "        requird: true", "requird"),
        ("property: mode", "property: mod", "mod"),
        ("value: snapshot", "value: weekly", "snapshot or events"),
        ("physicalType: date", "physicalType: text", "physicalType of date is date"),
        ("          - property: codes", "          - property: cods", "cods"),
        ("name: disability", "name: disabled", "its name says disabled"),
        ("apiVersion: v3.1.0", "apiVersion: v2.0", "apiVersion"),
    ],
)
def test_a_wrong_contract_is_refused_with_file_and_place(copy, old: str, new: str, said: str) -> None:
    with pytest.raises(ContractError, match=rf"disability\.yml: .*{said}"):
        load_contract(copy(old, new))


@pytest.mark.parametrize("header", ["身份证号", "证件号码", "公民身份号码", "citizen_id"])
def test_synonyms_and_the_column_s_own_name_are_accepted(
    contracts: dict[str, Contract], project: Path, header: str
) -> None:
    column = contracts["disability"].column("citizen_id")
    assert normalise_header(header) in accepted_headers(column, folder=project / "contracts")


def test_a_synonym_holds_inside_a_longer_header(contracts: dict[str, Contract], project: Path) -> None:
    column = contracts["minimum_allowance"].column("head_citizen_id")
    assert "户主证件号码" in accepted_headers(column, folder=project / "contracts")


@pytest.mark.parametrize(
    "header", [" 月保障金额 ", "月保障金额（元）", "月　保障金额", "月保障金额(元)", "\ufeff月保障金额"]
)
def test_headers_are_compared_without_spaces_width_and_unit(header: str) -> None:
    assert normalise_header(header) == "月保障金额"
