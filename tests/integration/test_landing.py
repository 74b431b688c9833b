"""A delivery goes in whole, or what is wrong with it is known to the row, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import as_csv, citizen_id, poverty_row, write

from doudi.contracts import Contract
from doudi.deliveries import DeliveryRefused

NAME = "poverty_register_513431_20200331.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_every_encoding_line_end_and_delimiter_gives_the_same(
    take: Callable, query: Callable, tmp_path: Path, encoding: str, newline: str, delimiter: str
) -> None:
    rows = [poverty_row(1, 姓名="阿·木䶮"), poverty_row(2, 姓名="𠀀某")]
    path = write(tmp_path, NAME, as_csv(rows, newline=newline, delimiter=delimiter), encoding=encoding)
    (result,) = take(path)
    assert (result.status, result.rows_read, result.rows_published) == ("published", 2, 2)
    assert query("select name from register.poverty_register order by household_no") == [("阿·木䶮",), ("𠀀某",)]


def test_headers_in_other_order_with_spaces_aliases_and_extra_columns(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    row = poverty_row(1)
    renamed = {
        "备注（不在合同中）": "x",
        "　劳动技能 ": row["劳动技能"],
        "证件号码": row["身份证号"],
        "所在区划": row["行政区划代码"],
        "人员姓名": row["姓名"],
        "户　编　号": row["户编号"],
        "status": row["户状态"],
        "与户主关系": "self",
        "家庭年人均纯收入（元）": "￥3,000.00",
    }
    (result,) = take(write(tmp_path, NAME, as_csv([renamed])))
    assert result.rows_published == 1
    found = query(
        """
        select household_no, citizen_id, relation_to_head, annual_income_per_capita::integer
        from register.poverty_register
        """
    )
    assert found == [("H001", citizen_id(1), "self", 3000)]


def test_each_rule_of_the_contract_is_told_with_line_column_and_rule(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    rows = [
        poverty_row(1),
        poverty_row(2, 姓名=" "),
        poverty_row(3, 身份证号="1.10105E+17"),
        poverty_row(4, 行政区划代码="513431"),
        poverty_row(5, 户状态="不详"),
        poverty_row(6, 家庭年人均纯收入="很多"),
        poverty_row(7, 脱贫年度="去年"),
        poverty_row(8, 是否外出务工="也许"),
        poverty_row(9, 脱贫年度="1900"),
        poverty_row(1),
        poverty_row(1, 家庭年人均纯收入="1"),
    ]
    rows = [{"脱贫年度": "", "是否外出务工": ""} | row for row in rows]
    (result,) = take(write(tmp_path, NAME, as_csv(rows)))
    assert (result.rows_read, result.rows_published, result.rows_quarantined) == (11, 1, 10)
    assert query("select line_no, column_name, rule from ops.quarantine order by row_no") == [
        (3, "name", "required"),
        (4, "citizen_id", "citizen_id.length"),
        (5, "division_code", "type.div"),
        (6, "status", "code"),
        (7, "annual_income_per_capita", "type.money"),
        (8, "lifted_year", "type.int"),
        (9, "migrant_work", "type.bool"),
        (10, "lifted_year", "minimum"),
        (11, None, "duplicate_key"),
        (12, None, "duplicate_key"),
    ]


def test_a_refused_row_keeps_its_text_under_its_own_headings(take: Callable, query: Callable, tmp_path: Path) -> None:
    row = poverty_row(1, 家庭年人均纯收入="很多")
    take(write(tmp_path, NAME, as_csv([row])))
    ((raw, faults),) = query("select raw, faults from ops.quarantine")
    assert raw == row
    assert [fault["rule"] for fault in faults] == ["type.money"]
    assert "家庭年人均纯收入" in faults[0]["reason"]
    assert "很多" not in faults[0]["reason"]


def test_a_row_with_several_faults_names_them_all(take: Callable, query: Callable, tmp_path: Path) -> None:
    take(write(tmp_path, NAME, as_csv([poverty_row(1, 姓名="", 户状态="?", 家庭年人均纯收入="?")])))
    ((faults,),) = query("select faults from ops.quarantine")
    assert [fault["rule"] for fault in faults] == ["required", "code", "type.money"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_only_the_bad_lines_of_a_file_that_copy_refuses_are_set_aside(
    take: Callable, query: Callable, tmp_path: Path, encoding: str
) -> None:
    lines = as_csv([poverty_row(n, 姓名=f"某“{n}”") for n in range(1, 8)], newline="\n").encode(encoding).split(b"\n")
    lines[2] = lines[2] + b",too,many"
    lines[3] = b"H003,broken"
    lines[4] = lines[4].replace(b"3000", b'"3000')
    lines[5] = lines[5].replace(b"3000", b"3000\xff\xff")
    lines[6] = lines[6].replace(b"3000", b"30\x0000")
    (result,) = take(write(tmp_path, NAME, b"\n".join(lines)))
    assert (result.rows_read, result.rows_published, result.rows_quarantined) == (7, 2, 5)
    assert query("select line_no, rule from ops.quarantine order by row_no") == [
        (3, "line.columns"), (4, "line.columns"), (5, "line.quote"), (6, "line.encoding"), (7, "line.nul"),
    ]  # fmt: skip
    assert query("select household_no from register.poverty_register order by 1") == [("H001",), ("H007",)]


@pytest.mark.parametrize("gap", [1, 3])
def test_records_between_two_unclosed_quotes_are_not_taken_for_one(
    take: Callable, query: Callable, tmp_path: Path, gap: int
) -> None:
    lines = as_csv([poverty_row(n) for n in range(1, 8)], newline="\n").splitlines()
    for number in (2, 2 + gap):
        lines[number] = lines[number].replace(",某", ',"某')
    (result,) = take(write(tmp_path, NAME, "\n".join(lines)))
    assert (result.rows_read, result.rows_published, result.rows_quarantined) == (7, 5, 2)
    assert query("select line_no, rule from ops.quarantine order by row_no") == [
        (3, "line.quote"),
        (3 + gap, "line.quote"),
    ]


@pytest.mark.parametrize(("broken", "rule"), [(b"30\x0000", "line.nul"), (b"3000\xff\xff", "line.encoding")])
def test_a_broken_line_between_two_unclosed_quotes_does_not_join_the_lines_around_it(
    take: Callable, query: Callable, tmp_path: Path, broken: bytes, rule: str
) -> None:
    lines = as_csv([poverty_row(n) for n in range(1, 8)], newline="\n").encode("utf-8-sig").split(b"\n")
    for number in (2, 5):
        lines[number] = lines[number].replace(",某".encode(), ',"某'.encode())
    lines[3] = lines[3].replace(b"3000", broken)
    (result,) = take(write(tmp_path, NAME, b"\n".join(lines)))
    assert (result.rows_read, result.rows_published, result.rows_quarantined) == (7, 4, 3)
    assert query("select line_no, rule from ops.quarantine order by row_no") == [
        (3, "line.quote"),
        (4, rule),
        (6, "line.quote"),
    ]


def test_a_record_over_two_lines_with_bytes_that_are_no_text_is_one_refused_row(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    rows = [poverty_row(1, 健康状况=""), poverty_row(2, 健康状况="一\n二"), poverty_row(3, 健康状况="")]
    content = as_csv(rows, newline="\n").encode("utf-8-sig").replace("二".encode(), b"\xff\xff")
    (result,) = take(write(tmp_path, NAME, content))
    assert (result.rows_read, result.rows_quarantined) == (3, 1)
    assert query("select line_no, rule from ops.quarantine") == [(3, "line.encoding")]


def test_line_numbers_stay_right_behind_fields_with_line_feeds(take: Callable, query: Callable, tmp_path: Path) -> None:
    rows = [
        poverty_row(1, 健康状况="一\n二\n三"),
        poverty_row(2, 健康状况="", 户状态="?"),
        poverty_row(3, 健康状况="好"),
    ]
    take(write(tmp_path, NAME, as_csv(rows, newline="\n")))
    assert query("select line_no from ops.quarantine") == [(5,)]


def test_blank_lines_and_rows_of_nothing_are_no_rows(take: Callable, tmp_path: Path) -> None:
    text = as_csv([poverty_row(1), poverty_row(2)], newline="\n")
    (result,) = take(write(tmp_path, NAME, text + "\n" + "," * 7 + "\n\n"))
    assert (result.rows_read, result.rows_quarantined) == (2, 0)


@pytest.mark.parametrize("blank", [",,,,,,,", '"",,,,,,,""'])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_a_row_of_nothing_is_seen_wherever_it_stands_and_the_file_is_cut(
    take: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: str, newline: str, piece_bytes: int
) -> None:
    monkeypatch.setattr("doudi.landing._PIECE_BYTES", piece_bytes)
    header, *rows = as_csv([poverty_row(number) for number in range(2)], newline="\n").splitlines()
    for month, lines in enumerate(([blank, *rows], [rows[0], blank, rows[1]], [*rows, blank]), start=1):
        text = header + "\n" + newline.join(lines)
        (result,) = take(write(tmp_path, f"poverty_register_513431_2020{month:02d}28.csv", text))
        assert (result.rows_read, result.rows_quarantined) == (2, 0)


def test_the_first_row_of_a_key_stands_in_a_first_list_without_other_faults(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    indexes = "select indexdef from pg_indexes where schemaname = 'register' order by indexname"
    before = query(indexes)
    rows = [poverty_row(1), poverty_row(2), poverty_row(1, 家庭年人均纯收入="1"), poverty_row(1)]
    # of the first county the table is filled without its indexes, of the second with them
    for area in ("513431", "510181"):
        home = {"行政区划代码": f"{area}001001"}
        (result,) = take(write(tmp_path, f"poverty_register_{area}_20200331.csv", as_csv([row | home for row in rows])))
        counts = (result.rows_read, result.rows_published, result.rows_quarantined)
        assert (result.status, counts) == ("published", (4, 2, 2))
        assert query("select line_no, rule from ops.quarantine where load_id = %s order by row_no", result.load_id) == [
            (4, "duplicate_key"),
            (5, "duplicate_key"),
        ]
        kept = query("select annual_income_per_capita::integer from register.poverty_register where _area_code like %s",
                     f"{area}%")  # fmt: skip
        assert kept == [(3000,), (3000,)]
    assert query(indexes) == before


def test_a_missing_required_column_refuses_the_delivery_and_names_it(
    take: Callable, query: Callable, tmp_path: Path
) -> None:
    row = poverty_row(1)
    del row["户状态"], row["姓名"]
    (result,) = take(write(tmp_path, NAME, as_csv([row])))
    assert (result.status, result.error_code) == ("refused", "header.missing")
    assert "户状态 (status)" in result.error
    assert "姓名 (name)" in result.error
    assert query("select count(*) from register.poverty_register") == [(0,)]


def test_an_empty_list_does_not_end_everybody(take: Callable, query: Callable, tmp_path: Path) -> None:
    text = as_csv([poverty_row(1)])
    take(write(tmp_path, NAME, text))
    (result,) = take(write(tmp_path, "poverty_register_513431_20200430.csv", text.splitlines()[0]))
    assert (result.status, result.error_code) == ("refused", "file.no_rows")
    assert query("select count(*) from register.poverty_register where _valid_to = 'infinity'") == [(1,)]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ('{"rows": 3}', "manifest.rows"),
        ('{"control_totals": {"annual_income_per_capita": 1.0}}', "manifest.control_totals"),
        ('{"data_date": "2020-04-01"}', "manifest.data_date"),
        ('{"mode": "events"}', "manifest.mode"),
        ('{"sha256": "00"}', "manifest.sha256"),
        ('{"row": 2}', "manifest"),
        ("not json", "manifest"),
    ],
)
def test_a_delivery_that_is_not_as_its_manifest_declares_is_refused(
    take: Callable, tmp_path: Path, manifest: str, code: str
) -> None:
    write(tmp_path, NAME + ".manifest.json", manifest)
    (result,) = take(write(tmp_path, NAME, as_csv([poverty_row(1), poverty_row(2)])))
    assert (result.status, result.error_code) == ("refused", code)


def test_a_true_manifest_is_kept_with_both_totals(take: Callable, query: Callable, tmp_path: Path) -> None:
    write(tmp_path, NAME + ".manifest.json", '{"rows": 2, "control_totals": {"annual_income_per_capita": 6000}}')
    (result,) = take(write(tmp_path, NAME, as_csv([poverty_row(1), poverty_row(2)])))
    assert result.status == "published"
    assert query("select control_totals_declared, control_totals_actual from ops.load") == [
        ({"annual_income_per_capita": 6000.0}, {"annual_income_per_capita": 6000.0})
    ]


@pytest.mark.parametrize(
    "name", ["poverty_register.csv", "poverty_register_5134311_20200331.csv", "unknown_513431_20200331.csv"]
)
def test_a_file_whose_name_says_nothing_is_told_by_name(take: Callable, tmp_path: Path, name: str) -> None:
    with pytest.raises(DeliveryRefused, match=name):
        take(write(tmp_path, name, "x"))


def test_totals_that_differ_are_both_kept_with_the_refusal(take: Callable, query: Callable, tmp_path: Path) -> None:
    write(tmp_path, NAME + ".manifest.json", '{"control_totals": {"annual_income_per_capita": 1}}')
    take(write(tmp_path, NAME, as_csv([poverty_row(1)])))
    assert query("select control_totals_declared, control_totals_actual, rows_read from ops.load") == [
        ({"annual_income_per_capita": 1.0}, {"annual_income_per_capita": 3000.0}, 1)
    ]


def test_nothing_of_a_load_stays_behind_in_landing(take: Callable, query: Callable, tmp_path: Path) -> None:
    take(write(tmp_path, NAME, as_csv([poverty_row(1)])), write(tmp_path, "poverty_register_513431_20200430.csv", "x"))
    assert query("select count(*) from pg_tables where schemaname = 'landing'") == [(0,)]


def test_headings_in_ascii_do_not_hide_that_one_broken_line_is_in_a_file_of_utf8(
    take: Callable, query: Callable, tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    names = {column.header: column.name for column in contracts["poverty_register"].columns}
    rows = [poverty_row(n, 姓名=name) for n, name in enumerate(("阿木甲", "阿木乙", "阿木丙", "阿木丁"), start=1)]
    lines = as_csv([{names[heading]: value for heading, value in row.items()} for row in rows], newline="\n").encode()
    path = tmp_path / NAME
    path.write_bytes(lines.replace("阿木乙".encode(), "阿木乙".encode("gb18030") + b"\xff"))
    (result,) = take(path)
    assert (result.encoding, result.rows_read, result.rows_published) == ("utf-8", 4, 3)
    assert query("select name from register.poverty_register order by 1") == [("阿木丁",), ("阿木丙",), ("阿木甲",)]
    assert query("select line_no, rule from ops.quarantine") == [(3, "line.encoding")]
