"""Whatever form a department's list comes in, it lands as the same list in CSV does, or is refused by name."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import pyzipper
import xlwt
from made_up import as_csv, poverty_row, visit_row, write

from doudi import loads
from doudi.ledger import LoadResult
from doudi.settings import Limits, Settings

STEM = "poverty_register_513431_20200331"
ROWS = [poverty_row(n, 脱贫年度="2019", 健康状况="好, 一\n二" if n == 2 else "") for n in range(1, 4)]
TABLE = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]


def xlsx(tables: dict[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in tables.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return _bytes(book)


def _bytes(book: object) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def xls(rows: list[list[object]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名单")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value)
    return _bytes(book)


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def zipped_in_gbk(name: str, member: bytes) -> bytes:
    """An archive as a Chinese Windows writes it: the name's bytes are GBK, and no flag says what they are."""
    placeholder = "N" * len(name.encode("gbk"))
    return zipped({placeholder: member}).replace(placeholder.encode(), name.encode("gbk"))


def encrypted(members: dict[str, bytes], password: bytes) -> bytes:
    content = io.BytesIO()
    with pyzipper.AESZipFile(content, "w", pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password)
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def as_lines(rows: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


TEXT = as_csv(ROWS)
CSV = TEXT.encode()
TITLED = f"某县建档立卡名单,,,\r\n填报日期：2020年3月31日\r\n\r\n{TEXT}"
NUMBERS = [
    TABLE[0],
    *([float(v) if k in ("脱贫年度", "家庭年人均纯收入") else v for k, v in row.items()] for row in ROWS),
]
FORMS: dict[str, tuple[str, bytes]] = {
    "utf-16 with BOM": ("csv", TEXT.encode("utf-16")),
    "utf-16-le without BOM": ("csv", TEXT.encode("utf-16-le")),
    "utf-16-be, tabs": ("tsv", as_csv(ROWS, delimiter="\t").encode("utf-16-be")),
    "text": ("txt", TEXT.encode("gb18030")),
    "titles above": ("csv", TITLED.encode("gb18030")),
    "a title with an open quote": ("csv", ('"某县名单\n' + TEXT).encode()),
    "workbook": ("xlsx", xlsx({"名单": TABLE})),
    "workbook, numbers as numbers": ("xlsx", xlsx({"名单": NUMBERS})),
    "workbook, titles above": ("xlsx", xlsx({"名单": [["某县名单"], [], ["", "2020年"], *TABLE]})),
    "old workbook": ("xls", xls(TABLE)),
    "new workbook under the old name": ("xls", xlsx({"名单": TABLE})),
    "text under a workbook's name": ("xls", CSV),
    "json lines": ("jsonl", as_lines(ROWS)),
    "json lines, English keys, numbers, nulls": (
        "jsonl",
        as_lines(
            [
                {
                    "household_no": row["户编号"],
                    "name": row["姓名"],
                    "citizen_id": row["身份证号"],
                    "division_code": int(row["行政区划代码"]),
                    "relation_to_head": "self",
                    "status": "not_lifted",
                    "annual_income_per_capita": 3000.0,
                    "labour": "ordinary",
                    "lifted_year": 2019,
                    "cause": None,
                    "health": row["健康状况"] or None,
                }
                for row in ROWS
            ]
        ),
    ),
    "json array": ("json", b"\xef\xbb\xbf" + json.dumps(ROWS, ensure_ascii=False, indent=1).encode()),
    "json array in utf-16": ("json", json.dumps(ROWS).encode("utf-16")),
    "gzip": ("csv.gz", gzip.compress(CSV)),
    "gzip of a workbook": ("xlsx.gz", gzip.compress(xlsx({"名单": TABLE}))),
    "zip": ("csv.zip", zipped({"__MACOSX/._a.csv": b"x", ".DS_Store": b"x", "说明.txt": b"x", "数据/名单.csv": CSV})),
    "zip of a workbook": ("xlsx.zip", zipped({"名单.xlsx": xlsx({"一": TABLE})})),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_lands_as_the_same_csv(take: Callable, query: Callable, tmp_path: Path, form: str) -> None:
    extension, content = FORMS[form]
    (result,) = take(write(tmp_path, f"{STEM}.{extension}", content))
    assert (result.status, result.rows_read, result.rows_published) == ("published", 3, 3), result.error
    numbers = "select household_no, _row_no from register.poverty_register order by household_no"
    assert query(numbers) == [("H001", 1), ("H002", 2), ("H003", 3)]
    (again,) = take(write(tmp_path, "poverty_register_513431_20200430.csv", CSV))
    assert (again.rows_published, again.rows_unchanged, again.rows_ended) == (0, 3, 0)


def test_parts_land_in_one_table_and_each_keeps_its_own_headings_and_lines(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    bad = {"户状态": "?"}
    first = as_csv([poverty_row(1), poverty_row(2, **bad)])
    second = as_csv([dict(reversed(poverty_row(n, **(bad if n == 4 else {}), 备注="x").items())) for n in (3, 4)])
    third = as_csv([poverty_row(5), poverty_row(6)]).replace("H006", '"H006').encode("gb18030")
    sheet = [TABLE[0], [], [*poverty_row(7, **bad, 脱贫年度="2019", 健康状况="").values()]]
    members = {"一.csv": first.encode(), "二.csv": second.encode(), "三.csv": third, "四.xlsx": xlsx({"甲": sheet})}
    (result,) = take(write(tmp_path, f"{STEM}.csv.zip", zipped(members)))
    assert (result.status, result.rows_read, result.rows_published) == ("published", 7, 3), result.error
    kept = query("select part, row_no, line_no, rule, raw ->> '户编号' from ops.quarantine order by row_no")
    assert kept == [
        ("一.csv", 2, 3, "code", "H002"),
        ("二.csv", 4, 3, "code", "H004"),
        ("三.csv", 6, 3, "line.quote", None),
        ("四.xlsx › 甲", 7, 3, "code", "H007"),
    ]
    ((headings,),) = query("select array(select jsonb_object_keys(raw)) from ops.quarantine where row_no = 4")
    assert set(headings) == {*poverty_row(1), "备注"}


def test_half_a_character_in_utf_16_sets_aside_its_line_only(take: Callable, query: Callable, tmp_path: Path) -> None:
    lines = as_csv([poverty_row(n) for n in (1, 2, 3)], newline="\n").splitlines(keepends=True)
    content = b"".join(line.encode("utf-16-le") for line in lines[:2])
    content += lines[2].replace("某2", "某X").encode("utf-16-le").replace(b"X\0", struct.pack("<H", 0xD800))
    content += lines[3].encode("utf-16-le") + b"x"
    (result,) = take(write(tmp_path, f"{STEM}.csv", content))
    assert (result.encoding, result.rows_read, result.rows_published) == ("utf-16", 4, 2)
    assert query("select line_no, rule from ops.quarantine order by row_no") == [
        (3, "line.encoding"),
        (5, "line.encoding"),
    ]


def test_sheets_of_a_workbook(take: Callable, query: Callable, tmp_path: Path) -> None:
    """Two townships on two sheets, a note, a hidden sheet with rows that are not meant, and an empty one."""
    book = openpyxl.load_workbook(
        io.BytesIO(
            xlsx({"说明": [["填表说明"]], "甲乡": TABLE[:3], "乙乡": [TABLE[0], TABLE[3]], "旧": TABLE, "空": []})
        )
    )
    book["旧"].sheet_state = "hidden"
    (result,) = take(write(tmp_path, f"{STEM}.xlsx", _bytes(book)))
    assert (result.status, result.rows_read, result.rows_published) == ("published", 3, 3)
    assert query("select _row_no from register.poverty_register order by household_no") == [(1,), (2,), (3,)]


def test_a_header_over_two_rows_with_merged_groups(take: Callable, query: Callable, tmp_path: Path) -> None:
    """户主 stands over 姓名 and 身份证号, which are the head's then; what has no second row is merged downward."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["低保金发放名册"])
    sheet.append(
        ["低保证编号", "户主", None, "成员", None, "与户主关系", "城乡类别", "行政区划代码", "家庭人口数", "保障人口数",
         "家庭月人均收入", "月保障金额", "是否单人户", "保障开始日期"]
    )  # fmt: skip
    sheet.append([None, "姓名", "身份证号", "姓名", "身份证号"])
    sheet.merge_cells("A1:N1")
    sheet.merge_cells("B2:C2")
    sheet.merge_cells("D2:E2")
    for column in "AFGHIJKLMN":
        sheet.merge_cells(f"{column}2:{column}3")
    one, two = ROWS[0], ROWS[1]
    sheet.append(
        ["D1", one["姓名"], one["身份证号"], two["姓名"], two["身份证号"], "配偶", "农村", one["行政区划代码"], 2, 2,
         150.5, 400, False, date(2020, 1, 1)]
    )  # fmt: skip
    (result,) = take(write(tmp_path, "minimum_allowance_513431_20200331.xlsx", _bytes(book)))
    assert (result.status, result.rows_published) == ("published", 1), (result.error, query("table ops.quarantine"))
    assert query(
        """
        select head_name, head_citizen_id, name, citizen_id, monthly_income_per_capita::text, household_size,
            single_person_household, start_date
        from register.minimum_allowance
        """
    ) == [(one["姓名"], one["身份证号"], two["姓名"], two["身份证号"], "150.50", 2, False, date(2020, 1, 1))]


def test_cells_that_were_damaged_in_the_workbook_are_told_and_never_guessed(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    header = list(poverty_row(1, 健康状况="", 脱贫年度=""))
    rows: list[list[object]] = [[*poverty_row(n, 健康状况="好", 脱贫年度="2019").values()] for n in range(1, 7)]
    rows[1][header.index("身份证号")] = int(ROWS[1]["身份证号"][:17] + "0")
    rows[2][header.index("户编号")] = 9900010000000012345
    rows[3][header.index("健康状况")] = "#N/A"
    rows[4][header.index("脱贫年度")] = "=1/0"
    rows[5][header.index("户编号")] = 123456789012345
    book = openpyxl.load_workbook(io.BytesIO(xlsx({"名单": [header, *rows]})))
    cell = book.active.cell(row=6, column=header.index("脱贫年度") + 1)
    cell.value, cell.data_type = "#DIV/0!", "e"
    (result,) = take(write(tmp_path, f"{STEM}.xlsx", _bytes(book)))
    assert (result.rows_read, result.rows_published) == (6, 2)
    assert query("select part, line_no, column_name, rule from ops.quarantine order by row_no") == [
        ("名单", 3, "citizen_id", "cell.number"),
        ("名单", 4, "household_no", "cell.number"),
        ("名单", 5, "health", "cell.error"),
        ("名单", 6, "lifted_year", "cell.error"),
    ]
    ((number, told),) = query("select raw ->> '户编号', reason from ops.quarantine where column_name = 'household_no'")
    assert number == "9.90001E+18"
    assert "format the column as text" in told
    assert query("select household_no from register.poverty_register order by 1") == [("123456789012345",), ("H001",)]


def test_a_record_whose_row_is_damaged_in_the_workbook_does_not_end(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    take(write(tmp_path, f"{STEM}.xlsx", xlsx({"名单": TABLE})))
    rows = [list(row) for row in TABLE]
    rows[1][2] = 990001197001010020
    (result,) = take(write(tmp_path, "poverty_register_513431_20200430.xlsx", xlsx({"名单": rows})))
    assert (result.rows_unchanged, result.rows_quarantined, result.rows_ended) == (2, 1, 0)
    assert query("select count(*) from register.poverty_register where _valid_to = 'infinity'") == [(3,)]


def test_bad_lines_of_json_are_set_aside_each_by_its_rule(take: Callable, query: Callable, tmp_path: Path) -> None:
    lines = as_lines([poverty_row(n) for n in range(1, 9)]).split(b"\n")
    lines[1] = lines[1][:-1]
    lines[2] = lines[2][:-1] + b', "\xe5\xa7\x93\xe5\x90\x8d": "x"}'
    lines[3] = lines[3].replace("某4".encode(), b"\xff")
    lines[4] = b"[1]"
    lines[5] = lines[5].replace("某6".encode(), rb"\u0000")
    lines[6] = lines[6].replace("某7".encode(), rb"\ud800")
    (result,) = take(write(tmp_path, f"{STEM}.jsonl", b"\n\n" + b"\n".join(lines)))
    assert (result.rows_read, result.rows_published) == (8, 2)
    assert query("select line_no, rule from ops.quarantine order by row_no") == [
        (4, "line.json"), (5, "line.keys"), (6, "line.encoding"), (7, "line.json"), (8, "line.nul"),
        (9, "line.encoding"),
    ]  # fmt: skip


def test_an_array_tells_the_line_of_each_object_and_takes_no_number_for_less_than_it_is(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    rows = [poverty_row(1, 户编号="X"), poverty_row(2, 户状态="?", 健康状况=["甲", 1.50]), poverty_row(3)]
    text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
    (result,) = take(write(tmp_path, f"{STEM}.json", text.replace('"X"', "990001197001011234567")))
    assert (result.rows_read, result.rows_published) == (3, 2), result.error
    assert query("select line_no, rule, raw ->> '健康状况' from ops.quarantine") == [(3, "code", '["甲", 1.5]')]
    assert query("select min(household_no) from register.poverty_register") == [("990001197001011234567",)]


BROKEN_XLSX = xlsx({"名单": TABLE})[:-900]
NO_STATUS = as_csv([{k: v for k, v in ROWS[0].items() if k != "户状态"}]).encode()
LINK = zipfile.ZipInfo("a.csv")
LINK.external_attr = 0o120777 << 16
ZIP = zipped({"a.csv": CSV})
REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "html": ("xls", b"\n<html><table><tr><td>x</td></tr></table></html>", "file.html", "web page"),
    "7z": ("zip", b"7z\xbc\xaf\x27\x1c..", "file.form", "7z"),
    "another Office file": ("xlsx", zipped({"[Content_Types].xml": b"x", "word/d.xml": b"x"}), "file.form", "workbook"),
    "unknown form": ("ods", CSV, "file.form", ".ods"),
    "broken workbook": ("xlsx", BROKEN_XLSX, "archive.broken", STEM),
    "broken old workbook": ("xls", xls(TABLE)[:600], "workbook.broken", STEM),
    "workbook without a header": ("xlsx", xlsx({"甲": [["x"]]}), "header.missing", "sheet 甲, row 1"),
    "empty workbook": ("xlsx", xlsx({"甲": []}), "header.missing", "no visible sheet"),
    "one sheet lacks a column": (
        "xlsx", xlsx({"甲": TABLE, "乙": [["题"], TABLE[0][:3]]}), "header.missing", "sheet 乙, row 2",
    ),
    "broken array": ("json", b'[\n{"a": 1},\n{"a": }\n]', "json.array", "line 3"),
    "array cut off": ("json", b'[\n{"a": 1},\n', "json.array", "line 3"),
    "something after the array": ("json", b"[]\nx", "json.array", "line 2"),
    "json without known keys": ("jsonl", b'{"a": 1}', "header.missing", "keys"),
    "gzip cut off": ("csv.gz", gzip.compress(CSV)[:-9], "archive.broken", STEM),
    "gzip of a zip": ("csv.gz", gzip.compress(zipped({"a.csv": CSV})), "archive.nested", STEM),
    "zip of a zip": ("csv.zip", zipped({"a.zip": zipped({"a.csv": CSV})}), "archive.nested", "a.zip"),
    "zip cut off": ("csv.zip", ZIP[:-30], "archive.broken", STEM),
    "zip with a bad sum": (
        "csv.zip", ZIP.replace(ZIP[60:64], b"\0\0\0\0"), "archive.broken", "a.csv",
    ),
    "member leaves the folder": ("csv.zip", zipped({"../a.csv": CSV}), "archive.path", "../a.csv"),
    "member with a drive": ("csv.zip", zipped({"C:\\a.csv": CSV}), "archive.path", "a.csv"),
    "member is a link": ("csv.zip", zipped({LINK: b"/etc/passwd"}), "archive.path", "a.csv"),
    "two members of one name": (
        "csv.zip", zipped({"a.csv": CSV, "b.csv": CSV}).replace(b"b.csv", b"a.csv"), "archive.repeated", STEM,
    ),
    "no member": ("csv.zip", zipped({"说明.txt": b"x"}), "archive.empty", STEM),
    "member lacks a column": ("csv.zip", zipped({"好.csv": CSV, "坏.csv": NO_STATUS}), "header.missing", "坏.csv"),
    "empty member": ("csv.zip", zipped({"空.csv": b""}), "file.empty", "空.csv"),
    "GBK name": ("csv.zip", zipped_in_gbk("名单.csv", NO_STATUS), "header.missing", "名单.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_in_is_refused_by_code_and_place(
    take: Callable, installation: Settings, tmp_path: Path, case: str
) -> None:
    extension, content, code, place = REFUSED[case]
    (result,) = take(write(tmp_path, f"{STEM}.{extension}", content))
    assert (result.status, result.error_code) == ("refused", code), result.error
    assert place in result.error
    assert not list(installation.work.iterdir())


FAR_APART = xls([TABLE[0], *[[]] * 65_534, [""] * 255 + ["x"]])


@pytest.mark.parametrize(
    ("limits", "name", "content", "code"),
    [
        (Limits(expanded_bytes=10_000), "csv.gz", gzip.compress(CSV + b" " * 20_000), "archive.expanded"),
        (Limits(expanded_bytes=10_000), "csv.zip", zipped({"a.csv": CSV, "b.csv": b" " * 20_000}), "archive.expanded"),
        (Limits(expanded_bytes=3_000), "xlsx", xlsx({"甲": TABLE}), "workbook.size"),
        (Limits(members=2), "csv.zip", zipped({f"{n}.csv": CSV for n in range(3)}), "archive.members"),
        (Limits(workbook_cells=10), "xlsx", xlsx({"甲": TABLE}), "workbook.size"),
        (Limits(workbook_bytes=256 << 20), "xls", FAR_APART, "workbook.broken"),
    ],
)
def test_what_unfolds_beyond_its_bounds_is_refused(
    installation: Settings, without_suite: None, tmp_path: Path, limits: Limits, name: str, content: bytes, code: str
) -> None:
    path = write(tmp_path, f"{STEM}.{name}", content)
    (result,) = loads.land_files([path], settings=replace(installation, limits=limits))
    assert (result.status, result.error_code) == ("refused", code)
    assert not list(installation.work.iterdir())


def test_two_cells_far_apart_do_not_fill_the_memory(take: Callable, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "x", "x"
    (result,) = take(write(tmp_path, f"{STEM}.xlsx", _bytes(book)))
    assert (result.status, result.error_code) == ("refused", "workbook.size")


def test_an_encrypted_archive_is_opened_by_its_connection(
    installation: Settings, without_suite: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, f"{STEM}.csv.zip", encrypted({"名单.csv": CSV}, b"geheim"))

    def land_with(**passwords: str) -> LoadResult:
        monkeypatch.setattr(
            "doudi.connectors.connections.password", lambda *ids: next(filter(None, map(passwords.get, ids)), None)
        )
        return loads.land_files([path], settings=installation)[0]

    assert land_with().error_code == "archive.password"
    assert land_with(doudi_archive="other").error_code == "archive.password"
    result = land_with(doudi_archive="other", doudi_archive_poverty_register="geheim")
    assert (result.status, result.rows_published) == ("published", 3)
    assert "geheim" not in repr(result)


def test_what_a_killed_load_left_unpacked_goes_with_the_next(
    take: Callable, installation: Settings, tmp_path: Path
) -> None:
    left = installation.work / "poverty_register" / "000000"
    left.parent.mkdir(parents=True)
    left.write_bytes(CSV)
    take(write(tmp_path, f"{STEM}.csv.gz", gzip.compress(CSV)))
    assert not list(installation.work.iterdir())


def test_columns_the_contract_wants_noted_are_kept_out_and_on_the_ledger(
    installation: Settings, without_suite: None, query: Callable, tmp_path: Path
) -> None:
    contracts = tmp_path / "project" / "contracts"
    contracts.mkdir(parents=True)
    for source in installation.contracts.glob("*.yml"):
        text = source.read_text(encoding="utf-8")
        (contracts / source.name).write_text(text.replace("value: ignore", "value: note"), encoding="utf-8")
    (contracts.parent / "expectations").symlink_to(installation.expectations)
    path = write(tmp_path, "household_visit_513431_20200331.csv", as_csv([visit_row("W1", "2020-03-30", 天气="晴")]))
    (result,) = loads.land_files([path], settings=replace(installation, project=contracts.parent))
    assert result.status == "published"
    assert query("select notes from ops.load") == [({"columns_kept_out": ["天气"]},)]
