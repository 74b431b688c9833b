"""Extracts and explanations: what leaves the house is what was declared, whole, and can be told."""

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from doudi import extracts
from doudi.explain import UnknownWarning, explain
from doudi.extracts import Declaration, ExtractError
from doudi.settings import Settings
from doudi.warehouse.connection import connect

ROWS = [
    ("BL08-20200630-A", "某甲", "99000119700101002X", "red"),
    ("BL08-20200630-B", "=cmd()", "990001197001010038", "red"),
]


@pytest.fixture
def handing_out(installation: Settings, tmp_path: Path) -> Settings:
    """An installation with a small mart and one recipient who is entitled to part of it."""
    folder = tmp_path / "project" / "extracts"
    folder.mkdir(parents=True)
    _declare(folder, "housing")
    with connect(installation.database_url) as session:
        session.execute("create table marts.small (warning_id text, name text, citizen_id text, level text, area text)")
        for row in ROWS:
            session.execute("insert into marts.small values (%s, %s, %s, %s, 'here')", row)
        session.execute("insert into marts.small values ('elsewhere', '某乙', '', 'red', 'there')")
        session.execute("insert into ops.build (as_of, status) values ('2020-06-30', 'succeeded')")
    return replace(installation, project=folder.parent)


def _declare(folder: Path, name: str, *, column: str = "citizen_id") -> None:
    (folder / f"{name}.yml").write_text(
        f"""
recipient: {name}
title: 住建部门
purpose: inspect dangerous dwellings
legal_basis: the plan
source: marts.small
rows: {{area: here}}
columns:
  - {{name: warning_id, heading: 预警编号}}
  - {{name: name, heading: 姓名}}
  - {{name: {column}, heading: 身份证号}}
order_by: [warning_id]
formats: [csv, xlsx]
""",
        encoding="utf-8",
    )


def test_both_forms_hold_the_declared_rows_and_nothing_a_spreadsheet_would_run(handing_out: Settings) -> None:
    sent = extracts.send_all(settings=handing_out)
    assert [file.file_name for file in sent] == ["housing_20200630.csv", "housing_20200630.xlsx"]
    expected = [
        ["预警编号", "姓名", "身份证号"],
        ["BL08-20200630-A", "某甲", "99000119700101002X"],
        ["BL08-20200630-B", "'=cmd()", "990001197001010038"],
    ]
    content = Path(sent[0].path).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(content.decode("utf-8-sig").splitlines())) == expected
    sheet = openpyxl.load_workbook(sent[1].path).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == expected
    assert {cell.data_type for cell in sheet[2]} == {"s"}
    assert sheet.freeze_panes == "A2"


def test_the_manifest_agrees_with_the_files_and_the_ledger(handing_out: Settings, query: Callable) -> None:
    sent = extracts.send_all(settings=handing_out)
    folder = Path(sent[0].path).parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for file in manifest["files"]:
        assert file["sha256"] == hashlib.sha256((folder / file["file_name"]).read_bytes()).hexdigest()
        assert file["rows"] == 2
    assert (manifest["as_of"], manifest["build_id"]) == ("2020-06-30", 1)
    assert query("select recipient, rows from ops.extract") == [("housing", 2), ("housing", 2)]
    assert sorted(path.name for path in folder.iterdir()) == [
        "housing_20200630.csv",
        "housing_20200630.xlsx",
        "manifest.json",
    ]


def test_nothing_is_sent_twice_for_one_build(handing_out: Settings, query: Callable) -> None:
    extracts.send_all(settings=handing_out)
    assert extracts.send_all(settings=handing_out) == []
    assert query("select count(*) from ops.extract") == [(2,)]


def test_a_column_that_the_mart_does_not_have_stops_before_a_byte_is_written(handing_out: Settings) -> None:
    _declare(handing_out.extracts, "housing", column="income")
    with pytest.raises(ExtractError, match=r"housing\.yml: marts\.small has no income"):
        extracts.send_all(settings=handing_out)
    assert not handing_out.out.exists()


def test_a_declaration_is_closed_to_unknown_keys(handing_out: Settings) -> None:
    path = handing_out.extracts / "housing.yml"
    path.write_text(path.read_text(encoding="utf-8") + "extra: 1\n", encoding="utf-8")
    with pytest.raises(ExtractError, match=r"housing\.yml"):
        extracts.load_declarations(handing_out.extracts)


def test_only_marts_are_handed_out(project: Path) -> None:
    known = extracts.load_declaration(project / "extracts" / "housing.yml")
    with pytest.raises(ValueError, match="source"):
        Declaration.model_validate(known.model_dump() | {"source": "identity.person"})


def test_without_a_build_there_is_nothing_to_hand_out(installation: Settings) -> None:
    with pytest.raises(ExtractError, match="run doudi build first"):
        extracts.send_all(settings=installation, as_of=date(2020, 6, 30))


def test_an_unknown_warning_is_told(installation: Settings) -> None:
    with connect(installation.database_url) as session:
        session.execute("create table marts.warning (warning_id text, indicator_code text)")
        session.execute("create table reference.indicator (code text, name_en text, name_zh text, clause text)")
    with pytest.raises(UnknownWarning, match="there is no warning X"):
        explain("X", settings=installation)
