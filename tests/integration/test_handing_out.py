"""Extracts: what leaves the house is what was declared, treated as declared, whole, once, and can be told."""

import csv
import hashlib
import io
import json
import shutil
import stat
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from secrets import token_hex

import openpyxl
import pytest
from pyarrow import parquet
from recipients import ROWS, A, B, C, build, column, declare, open_office, put

from doudi import extracts
from doudi.explain import UnknownWarning, explain
from doudi.extracts import ExtractError, SentExtract, pseudonyms
from doudi.extracts.forms import workbook
from doudi.settings import Settings
from doudi.warehouse.connection import connect

NAMES = ["row_id", "name", "amount", "note"]


@pytest.fixture
def office(installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with a small mart and nobody declared; no connection is known."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    return open_office(installation, tmp_path / "project")


def send(office: Settings, recipient: str = "housing") -> list[SentExtract]:
    return extracts.send([recipient], settings=office)


def table(file: SentExtract, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(Path(file.path).read_bytes().decode(encoding))))


def values(
    office: Settings, *columns: dict[str, str], recipient: str = "housing", **changes: object
) -> list[list[str]]:
    """What the recipient gets of these columns of all rows, in a CSV."""
    declare(office, recipient, rows={}, columns=list(columns), **changes)
    return table(send(office, recipient)[0])[1:]


def left_behind(office: Settings) -> list[Path]:
    return [path for folder in (office.out, office.outgoing) for path in folder.rglob("*") if path.is_file()]


def test_every_form_holds_the_declared_rows_and_nothing_a_spreadsheet_would_run(office: Settings) -> None:
    put(office, ROWS[1] | {"name": "＝㐂cmd"})
    declare(office, formats=["csv", "csv_gb18030", "xlsx", "parquet", "jsonl"])
    utf8, gb18030, xlsx, arrow, lines = extracts.send_all(settings=office)
    assert [file.file_name for file in (utf8, gb18030, xlsx, arrow, lines)] == [
        f"housing_20200630{end}" for end in (".csv", "_gb18030.csv", ".xlsx", ".parquet", ".jsonl")
    ]
    assert {file.rows for file in (utf8, gb18030, xlsx, arrow, lines)} == {2}
    headings = ["编号", "姓名", "金额", "说明"]
    safe = [
        ["r1", "欧阳某甲", "1234.50", "'=HYPERLINK(1)"],
        ["r2", "'＝㐂cmd", "-7.00", 'a "quoted", line\nand ＋1'],
    ]
    assert Path(utf8.path).read_bytes().startswith(b"\xef\xbb\xbf")
    assert table(utf8) == table(gb18030, "gb18030") == [headings, *safe]
    sheet = openpyxl.load_workbook(xlsx.path).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        headings,
        *([row[0], row[1], float(row[2]), row[3]] for row in safe),
    ]
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "n", "s"]
    assert sheet.freeze_panes == "A2"
    # for programs: as it is, typed, under the columns' names
    bare = [["r1", "欧阳某甲", 1234.5, "=HYPERLINK(1)"], ["r2", "＝㐂cmd", -7.0, 'a "quoted", line\nand ＋1']]
    assert [json.loads(line) for line in Path(lines.path).read_text(encoding="utf-8").splitlines()] == [
        dict(zip(NAMES, row, strict=True)) for row in bare
    ]
    read = parquet.read_table(arrow.path)
    assert read.to_pylist() == [dict(zip(NAMES, [*row[:2], Decimal(row[2]), row[3]], strict=True)) for row in bare]
    assert str(read.schema.field("amount").type) == "decimal128(12, 2)"


def test_no_cell_begins_as_a_formula_does(office: Settings) -> None:
    starts = "=+-@\t\r\n＝＋－＠"
    for number, start in enumerate(starts):
        put(office, ROWS[0] | {"row_id": f"s{number:02}", "note": f"{start}1+1"})
    declare(office, formats=["csv", "xlsx"])
    utf8, xlsx = send(office)
    assert [row[3] for row in table(utf8) if row[0].startswith("s")] == [f"'{start}1+1" for start in starts]
    cells = [cell for cell in openpyxl.load_workbook(xlsx.path).active["D"] if str(cell.value).endswith("1+1")]
    assert len(cells) == len(starts)
    assert all(cell.data_type == "s" and cell.value.startswith("'") for cell in cells)


def test_treatments_leave_what_they_say_of_each_kind_of_personal_data(office: Settings) -> None:
    names = ("name", "citizen_id", "phone", "card")
    assert values(office, *(column(name, "masked") for name in names)) == [
        ["欧**", "9900**********002X", "138****1234", "****5678"],
        ["**", "*" * 18, "****", "****"],  # too short to leave anything of it
        ["某**", "9900**********0038", "", ""],
    ]
    bands = values(office, column("row_id"), column("born_on", "age_band"), column("citizen_id", "age_band"))
    assert bands == [["r1", "16-17", "45-59"], ["r2", "", ""], ["r3", "80+", "80+"]]
    kept = values(office, column("row_id"), column("citizen_id", "none"), people=[])
    assert kept == [["r1"], ["r2"], ["r3"]]


def test_an_age_band_begins_on_the_birthday(office: Settings) -> None:
    bands = {
        "2020-06-30": "0-5", "2014-07-01": "0-5", "2014-06-30": "6-15", "2004-07-01": "6-15", "2004-06-30": "16-17",
        "2002-06-30": "18-44", "1960-07-01": "45-59", "1960-06-30": "60-79", "1940-06-30": "80+", "2020-07-01": "",
    }  # fmt: skip
    for born in bands:
        put(office, ROWS[0] | {"row_id": f"born {born}", "born_on": born})
    told = dict(values(office, column("row_id"), column("born_on", "age_band")))
    assert {born: told[f"born {born}"] for born in bands} == bands


def test_a_pseudonym_is_the_same_for_one_recipient_and_never_for_two(
    office: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(office, ROWS[2] | {"person_id": A})
    columns = (column("person_id", "pseudonym"), column("citizen_id", "pseudonym"))
    first = values(office, *columns, recipient="housing")
    assert first[0][0] == first[2][0] != first[1][0]  # one person in two rows
    assert all(value.startswith("1-") for row in first for value in row)
    other = values(office, *columns, recipient="education")
    assert not {value for row in first for value in row} & {value for row in other for value in row}
    file = office.keys / "pseudonyms.yml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(office.keys.stat().st_mode) & 0o077 == 0

    assert pseudonyms.rotate("housing", folder=office.keys) == 2
    build(office, "2020-07-01")
    rotated = values(office, *columns, recipient="housing")
    assert all(value.startswith("2-") for row in rotated for value in row)
    assert {row[0][2:] for row in rotated}.isdisjoint({row[0][2:] for row in first})

    shared = token_hex(32)
    build(office, "2020-07-02")
    for name in ("HOUSING", "EDUCATION"):
        monkeypatch.setenv(f"DOUDI_PSEUDONYM_KEY_{name}", f"7:{shared}")
    ours, theirs = (values(office, *columns, recipient=name) for name in ("housing", "education"))
    assert ours[0][0].startswith("7-")
    assert ours[0] != theirs[0]  # even by the same key
    monkeypatch.setenv("DOUDI_PSEUDONYM_KEY_HOUSING", shared)
    build(office, "2020-07-03")
    with pytest.raises(ExtractError, match="DOUDI_PSEUDONYM_KEY_HOUSING: write") as caught:
        send(office)
    assert shared not in str(caught.value)


REFUSED = [
    ({"columns": [column("income")]}, "columns: the contract of marts.small has no income"),
    ({"columns": [column("undeclared")]}, "columns: the contract of marts.small has no undeclared"),
    ({"columns": [column("promised")]}, "columns: marts.small has no promised"),
    ({"columns": [column("name")]}, r"name is personal \(name\) and needs a treatment"),
    ({"columns": [column("name", "pseudonym")]}, "pseudonym does not fit name"),
    ({"columns": [column("note", "masked")]}, r"masked does not fit note \(not personal\)"),
    ({"columns": [column("name", "blurred")]}, "columns.0.treatment"),
    ({"columns": [column("name", "none")]}, "none is handed out"),
    ({"columns": [column("row_id"), column("row_id")]}, "one is named twice"),
    ({"columns": [{"name": "row_id", "heading": "=编号"}]}, "would take it for a formula"),
    ({"rows": {"town": "x"}}, "rows: the contract of marts.small has no town"),
    ({"rows": {"area": "here"}}, "area is the beginning of a division code"),
    ({"order_by": ["place"]}, "order_by: the contract of marts.small has no place"),
    ({"split": {"file": "village"}}, "split: the contract of marts.small has no village"),
    ({"split": {"file": "name"}}, "split: name holds more than codes of areas"),
    ({"people": ["somebody"]}, "people: the contract of marts.small has no somebody"),
    ({"people": ["row_id"]}, "people: row_id is no person_id"),
    ({"people": []}, "people: whose name is handed out must be known"),
    ({"source": "marts.unknown"}, "marts.unknown has no contract"),
    ({"source": "identity.person"}, "source: "),
    ({"encrypt": "required"}, "has no age_recipient"),
    ({"content": "changes", "columns": [column("note")]}, "changes are told by row_id, which is not handed out"),
    ({"content": "changes", "split": {"file": "township_code"}}, "changes cannot be split"),
    ({"extra": 1}, "extra: "),
]  # fmt: skip


def test_what_is_not_promised_or_not_there_stops_before_a_byte_is_written(office: Settings, query: Callable) -> None:
    for changes, rule in REFUSED:
        declare(office, **changes)
        with pytest.raises(ExtractError, match=rf"extracts/housing\.yml: .*{rule}"):
            extracts.send_all(settings=office)
    assert left_behind(office) == []
    assert query("select count(*) from ops.extract") == query("select count(*) from ops.disclosure") == [(0,)]


def test_one_recipient_s_fault_keeps_nobody_else_waiting(office: Settings) -> None:
    declare(office, "education", columns=[column("income")])
    declare(office, "housing")
    with pytest.raises(ExtractError, match=r"education\.yml"):
        extracts.send_all(settings=office)
    assert {path.parts[-3] for path in left_behind(office)} == {"housing"}


def test_the_manifest_agrees_with_the_files_the_ledger_and_the_disclosure(office: Settings, query: Callable) -> None:
    declare(office, formats=["csv", "xlsx"])
    sent = extracts.send_all(settings=office)
    folder = Path(sent[0].path).parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for file in manifest["files"]:
        assert file["sha256"] == hashlib.sha256((folder / file["file_name"]).read_bytes()).hexdigest()
        assert file["rows"] == 2
    assert (manifest["as_of"], manifest["build_id"]) == ("2020-06-30", 1)
    assert manifest["columns"][1] == {"name": "name", "heading": "姓名", "treatment": "plain"}
    told = [(file["file_name"], 2, file["sha256"], "delivered") for file in manifest["files"]]
    assert query("select file_name, rows, sha256, state from ops.extract order by 1") == told
    disclosed = query("select disclosure_id, hash from ops.disclosure order by 1")
    assert disclosed == [(file["disclosure_id"], file["disclosure_hash"]) for file in manifest["files"]]
    assert query("select distinct person_id::text from ops.disclosed_person order by 1") == [(A,), (B,)]
    assert sorted(path.name for path in folder.iterdir()) == [*(file.file_name for file in sent), "manifest.json"]
    assert left_behind(office) == list(folder.iterdir())  # nothing stays where it lay ready
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o007 == 0 for path in (folder, *folder.iterdir()))


def test_nothing_is_sent_twice_for_one_build_and_declaration(office: Settings, query: Callable) -> None:
    declare(office)
    (first,) = extracts.send_all(settings=office)
    assert extracts.send_all(settings=office) == []
    assert send(office) == [first]  # asked for by name it is told where it lies
    assert query("select count(*) from ops.disclosure") == [(1,)]
    declare(office, purpose="another")
    (second,) = extracts.send_all(settings=office)
    assert [Path(file.path).parent.name for file in (first, second)] == ["2020-06-30", "2020-06-30-2"]


def test_rows_are_those_of_the_area_and_of_all_values_declared(office: Settings) -> None:
    def rows(**wanted: object) -> list[str]:
        declare(office, rows=wanted, columns=[column("row_id")])
        return [row[0] for row in table(send(office)[0])[1:]]

    assert rows(area="5134") == ["r1", "r2", "r3"]
    assert rows(area="513431", is_open=True) == ["r1"]
    assert rows(township_code=["513431002", "513401001"]) == ["r2", "r3"]


def test_each_area_has_its_file_and_its_sheet(office: Settings, query: Callable) -> None:
    put(office, ROWS[0] | {"row_id": "r0", "division_code": "513431001002"})
    declare(
        office, rows={}, formats=["xlsx", "csv"], split={"file": "township_code", "sheet": "division_code"},
        people=["household_members"],
    )  # fmt: skip
    sent = send(office)
    assert [(file.file_name, file.rows) for file in sent] == [
        (f"housing_{area}_20200630.{form}", rows)
        for area, rows in (("513401001", 1), ("513431001", 2), ("513431002", 1))
        for form in ("xlsx", "csv")
    ]
    book = openpyxl.load_workbook(sent[2].path)
    assert book.sheetnames == ["513431001001", "513431001002"]
    assert [book[name]["A2"].value for name in book.sheetnames] == ["r1", "r0"]
    by_file = query(
        """
        select file_name, array_agg(person_id::text order by person_id)
        from ops.disclosure inner join ops.disclosed_person using (disclosure_id)
        where file_name like '%.csv' group by file_name order by file_name
        """
    )
    assert [people for _, people in by_file] == [[C], [A, B], [B]]


def test_more_rows_than_a_sheet_holds_go_onto_further_sheets(office: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 2)
    declare(office, rows={}, formats=["xlsx"])
    book = openpyxl.load_workbook(send(office)[0].path)
    assert {sheet.title: [cell.value for cell in sheet["A"]] for sheet in book} == {
        "2020-06-30": ["编号", "r1", "r2"],
        "2020-06-30 (2)": ["编号", "r3"],
    }


def test_nobody_to_tell_of_is_a_file_with_headings(office: Settings) -> None:
    declare(office, rows={"name": "nobody"}, formats=["csv", "csv_gb18030", "xlsx", "parquet", "jsonl"])
    files = send(office)
    assert [file.rows for file in files] == [0] * 5
    headings = ["编号", "姓名", "金额", "说明"]
    assert table(files[0]) == table(files[1], "gb18030") == [headings]
    (sheet,) = openpyxl.load_workbook(files[2].path).worksheets
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [headings]
    assert parquet.read_table(files[3].path).column_names == NAMES


def test_changes_tell_what_is_new_changed_and_gone_since_the_last(office: Settings, query: Callable) -> None:
    declare(office, content="changes", rows={})
    assert [row[:2] for row in table(send(office)[0])] == [["变更", "编号"], *(["新增", f"r{n}"] for n in (1, 2, 3))]
    build(office, "2020-07-01")
    put(office, ROWS[1] | {"note": "moved"})
    put(office, ROWS[0] | {"row_id": "r4", "card": "not handed out"})
    with connect(office.database_url) as session:
        session.execute("delete from marts.small where row_id = 'r1'")
        session.execute("update marts.small set card = 'changed' where row_id = 'r3'")  # not a column of theirs
    assert [row for row in table(send(office)[0])[1:] if row[1] != "r4"] == [
        ["变更", "r2", "𠮷", "-7.00", "moved"],
        ["删除", "r1", "", "", ""],
    ]
    assert query("select max(rows) from ops.extract where as_of = '2020-07-01'") == [(3,)]
    assert query("select count(*) from ops.disclosed_person where disclosure_id = 2") == [(2,)]
    build(office, "2020-07-02")
    assert table(send(office)[0])[1:] == []


def test_what_was_prepared_under_a_declaration_that_has_changed_never_goes_out(
    office: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(office, content="changes")
    monkeypatch.setattr("doudi.extracts.delivering.FolderPlace.put", _break_down)
    with pytest.raises(OSError, match="full"):
        send(office)
    monkeypatch.undo()
    declare(office, content="changes", columns=[column("row_id"), column("name", "masked")])
    assert table(send(office)[0]) == [["变更", "row_id", "name"], ["新增", "r1", "欧**"], ["新增", "r2", "**"]]
    assert query("select state from ops.extract order by extract_id") == [("withdrawn",), ("delivered",)]
    assert not any(office.outgoing.rglob("*.csv"))


def test_what_was_prepared_and_is_gone_is_made_anew_and_tells_all(
    office: Settings, query: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(office, content="changes")
    monkeypatch.setattr("doudi.extracts.delivering.FolderPlace.put", _break_down)
    with pytest.raises(OSError, match="full"):
        send(office)
    monkeypatch.undo()
    shutil.rmtree(office.outgoing)
    (file,) = extracts.send_all(settings=office)
    assert [row[:2] for row in table(file)[1:]] == [["新增", "r1"], ["新增", "r2"]]
    assert query("select state from ops.extract order by extract_id") == [("lost",), ("delivered",)]


def _break_down(*_: object) -> None:
    raise OSError("the disk is full")


def test_what_lies_with_us_is_removed_when_its_time_is_over(office: Settings, query: Callable) -> None:
    declare(office, retention_days=30)
    (old,) = extracts.send_all(settings=office)
    (office.outgoing / "housing" / "2020-06-29.part").mkdir()
    with connect(office.database_url) as session:
        session.execute("update ops.extract set delivered_at = now() - interval '29 days'")
    build(office, "2020-07-01")
    (new,) = extracts.send_all(settings=office)
    assert Path(old.path).exists()
    assert not any(office.outgoing.glob("*/*"))  # what a cut left behind
    with connect(office.database_url) as session:
        session.execute("update ops.extract set delivered_at = now() - interval '31 days' where as_of = '2020-06-30'")
    extracts.send_all(settings=office)
    assert not Path(old.path).parent.exists()
    assert Path(new.path).exists()
    assert query("select state from ops.extract order by extract_id") == [("removed",), ("delivered",)]


def test_a_day_that_is_past_is_not_told_from_the_marts_of_another(office: Settings) -> None:
    declare(office)
    build(office, "2020-07-01")
    assert extracts.send_all(settings=office, as_of=date(2020, 6, 30)) == []
    with pytest.raises(ExtractError, match="the marts are those of 2020-07-01 now"):
        extracts.send(["housing"], settings=office, as_of=date(2020, 6, 30))


def test_without_a_build_there_is_nothing_to_hand_out(installation: Settings) -> None:
    with pytest.raises(ExtractError, match="run doudi build first"):
        extracts.send_all(settings=installation, as_of=date(2020, 6, 30))


def test_an_unknown_warning_is_told(installation: Settings) -> None:
    with connect(installation.database_url, role="transformer") as session:
        session.execute("create table marts.warning (warning_id text, indicator_code text)")
        session.execute("create table reference.indicator (code text, name_en text, name_zh text, clause text)")
    with pytest.raises(UnknownWarning, match="there is no warning X"):
        explain("X", settings=installation)
