"""A township's visit list goes out, is filled in with a spreadsheet program, comes back and answers its warnings."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from databases import copied
from made_up import VILLAGE, citizen_id
from made_up_county import County, opened, person
from openpyxl.worksheet.worksheet import Worksheet
from spreadsheet_program import SpreadsheetProgram, Typed

from doudi import extracts, loads
from doudi.extracts.forms.visit_texts import GUIDE, GUIDE_SHEET, Titles
from doudi.ledger import LoadResult
from doudi.settings import Settings

MAY, JUNE, JULY = date(2020, 5, 31), date(2020, 6, 30), date(2020, 7, 31)
TOWNSHIP = "513431100"
ELSEWHERE = VILLAGE[:9]
SEEN, OTHER = f"{TOWNSHIP}004", f"{TOWNSHIP}003"  # 伊乌社区居民委员会, 城北社区居民委员会
FILE = f"household_visit_{TOWNSHIP}_20200630.xlsx"
HEADER_ROW = 3
ANSWERS = ("走访日期", "走访人", "核实结果", "转介部门", "帮扶措施", "备注")
Fill = Callable[[Path, Path, list[Typed]], None]


def _fill(county: County) -> None:
    """Four households: one with four warnings, two with one each in two villages, one in another township."""
    for feed in county.contracts:
        if feed != "household_visit":
            county.deliver(feed, MAY)
    home = {"household_no": "H1", "status": "not_lifted", "annual_income_per_capita": 12000, "division_code": SEEN}
    county.file(
        "poverty_register",
        person(1, **home, relation_to_head="self"),
        person(2, **home, relation_to_head="child"),
        day=MAY,
    )
    county.file(
        "medical_assistance",
        person(2, settlement_no="S2", settled_on=date(2020, 4, 1), self_paid=10000.01, division_code=SEEN),
        day=MAY,
    )
    for number, where in ((7, OTHER), (8, SEEN), (9, VILLAGE)):
        county.file(
            "housing_assistance",
            {"head_citizen_id": citizen_id(number), "head_name": f"=某{number}", "safety_grade": "D", "only_home": True,
             "works": "listed", "division_code": where},
            day=MAY,
        )  # fmt: skip


@pytest.fixture(scope="module")
def in_june(server_url: str, template: str, settings: Settings) -> Iterator[str]:
    """The name of a database that was built as of the end of June, for each test to copy."""
    with copied(server_url, template=template) as name:
        with opened(server_url, name, settings) as county:
            _fill(county)
            county.build(JUNE)
        yield name


@pytest.fixture
def county(server_url: str, in_june: str, settings: Settings, tmp_path: Path) -> Iterator[County]:
    own = replace(settings, home=tmp_path, inbox=tmp_path / "inbox", out=tmp_path / "out")
    own.inbox.mkdir()
    with copied(server_url, template=in_june) as name, opened(server_url, name, own) as county:
        yield replace(county, settings=replace(own, database_url=county.url))


@pytest.fixture
def lists(county: County) -> dict[str, Path]:
    """The workbooks that go out, by their names."""
    sent = extracts.send(["township"], settings=county.settings, out=county.settings.out)
    return {file.file_name: Path(file.path) for file in sent}


def _headings(sheet: Worksheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[HEADER_ROW] if cell.value}


def _lines(sheet: Worksheet) -> list[dict[str, object]]:
    """The lines of a sheet that hold anything, by heading."""
    headings = _headings(sheet)
    rows = sheet.iter_rows(min_row=HEADER_ROW + 1, values_only=True)
    return [{name: row[column - 1] for name, column in headings.items()} for row in rows if any(row)]


def _typed_into(path: Path, target: Path, typed: list[Typed]) -> None:
    """As a spreadsheet program does it: what is typed into a locked cell is lost."""
    book = openpyxl.load_workbook(path)
    for sheet, place, text in typed:
        cell = book[sheet][place]
        if not cell.protection.locked:
            cell.value = text or None
    book.save(target)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> SpreadsheetProgram | None:
    return SpreadsheetProgram.started(tmp_path_factory.mktemp("office"))


@pytest.fixture
def fill_in(request: pytest.FixtureRequest) -> Fill:
    if not getattr(request, "param", False):
        return _typed_into
    program: SpreadsheetProgram | None = request.getfixturevalue("program")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    return program.fill_in


def test_a_township_gets_one_line_per_household_and_one_sheet_per_village(lists: dict[str, Path]) -> None:
    assert set(lists) == {FILE, f"household_visit_{ELSEWHERE}_20200630.xlsx"}
    book = openpyxl.load_workbook(lists[FILE])
    assert book.sheetnames == [GUIDE_SHEET, "城北社区", "伊乌社区"]
    first, second = _lines(book["伊乌社区"])
    assert (first["级别"], first["户主"], first["人口"]) == ("红色", "某1", 2)
    assert [code[:4] for code in first["预警编号"].split("；\n")] == ["BL01", "MR01", "RP05", "RP03"]
    assert first["身份证号"].split("；\n") == [citizen_id(2), citizen_id(1)]
    assert len(first["情况说明"].split("；\n")) == len(first["预警编号"].split("；\n"))
    assert (second["户主"], second["预警编号"][:5]) == ("'=某8", "BL08-")
    assert all(line[heading] is None for line in (first, second) for heading in ANSWERS)


def test_a_sheet_leads_the_hand(lists: dict[str, Path]) -> None:
    sheet = openpyxl.load_workbook(lists[FILE])["伊乌社区"]
    headings = _headings(sheet)
    assert (sheet.protection.sheet, sheet.protection.password) == (True, None)
    assert (sheet.freeze_panes, sheet.auto_filter.ref.split(":")[0]) == (f"{_letter(headings['户主'] + 1)}4", "A3")
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)
    assert sheet.print_title_rows == "$1:$3"
    line, spare = 4, 6
    assert [sheet.cell(line, column).protection.locked for column in headings.values()] == (
        [name not in ANSWERS for name in headings]
    )
    assert not any(sheet.cell(spare, column).protection.locked for column in headings.values())
    assert all(sheet.cell(HEADER_ROW, headings[name]).comment for name in ANSWERS)
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    lists_of = {name: rules[f"{_letter(headings[name])}4"].formula1 for name in ("核实结果", "转介部门")}
    assert lists_of == {"核实结果": '"属实,不属实,已解决,需转介"', "转介部门": '"民政,扶贫,残联,教育,住建,医保"'}
    assert rules[f"{_letter(headings['走访日期'])}4"].type == "date"
    assert all(choice in GUIDE for choice in ("属实", "不属实", "已解决", "需转介"))


def _letter(column: int) -> str:
    return openpyxl.utils.get_column_letter(column)


def _found(sheet: str, row: int, day: str, visitor: str, finding: str, *others: str) -> list[Typed]:
    typed = zip("MNOPQR", (day, visitor, finding, *others), strict=False)
    return [(sheet, f"{column}{row}", text) for column, text in typed]


def _answers(county: County) -> list[Typed]:
    """What was found in three homes, and of one warning by itself; and a slip of the hand."""
    return [
        *_found("伊乌社区", 4, "2020-07-02", "某甲", "属实", "", "已联系医院"),
        *_found("伊乌社区", 5, "2020/7/3", "某甲", "需转介", "住建"),
        ("伊乌社区", "L6", county.warning_id(1, "RP03").lower()),
        *_found("伊乌社区", 6, "2020-07-02", "某甲", "已解决"),
        *_found("城北社区", 4, "2020年7月3日", "某乙", "不属实"),
        ("城北社区", "L4", "写错了地方"),
    ]


def _send_back(county: County, path: Path) -> LoadResult:
    shutil.copy(path, county.settings.inbox)
    (load,) = loads.take_in("household_visit", settings=county.settings)
    assert (load.status, load.file_name) == ("published", path.name)
    return load


@pytest.mark.parametrize("fill_in", [False, True], indirect=True, ids=["alone", "libreoffice"])
def test_findings_arrive_on_their_warnings(
    county: County, lists: dict[str, Path], tmp_path: Path, fill_in: Fill
) -> None:
    fill_in(lists[FILE], tmp_path / FILE, _answers(county))
    load = _send_back(county, tmp_path / FILE)
    assert (load.rows_read, load.rows_published, load.rows_quarantined) == (4, 4, 0)
    assert county.query("select rule from ops.check_result where not success") == []

    asked = county.query("select unnest(warning_ids) from marts.household_visit_list where signals > 1")
    by_itself = county.warning_id(1, "RP03")
    for feed in county.contracts:
        if feed != "household_visit":
            county.deliver(feed, JULY)
    county.build(JULY)
    found = dict(county.query("select warning_id, status from marts.warning where opened_on = %s", JUNE))
    assert [found[name] for (name,) in asked if name != by_itself] == ["visited"] * 3
    assert found[by_itself] == "resolved"
    assert county.query("select referred_to, visited_on from marts.warning where status = 'referred'") == [
        ("housing", date(2020, 7, 3))
    ]
    assert county.warning(7, "BL08") == [("not_confirmed", JUNE, JULY)]
    assert county.query("select muted_until - closed_on from marts.warning where status = 'not_confirmed'") == [(90,)]
    assert county.warning(9, "BL08") == [("open", JUNE, None)]
    # who was visited and is still in need stays on the list, with the day; what is resolved or closed is off it
    listed = county.query(
        "select signals, open_signals, visited_on from marts.household_visit_list order by signals desc, open_signals"
    )
    assert listed == [(3, 0, date(2020, 7, 2)), (1, 0, date(2020, 7, 3)), (1, 1, None)]


@pytest.mark.parametrize("fill_in", [True], indirect=True, ids=["libreoffice"])
def test_an_old_workbook_is_as_good(county: County, lists: dict[str, Path], tmp_path: Path, fill_in: Fill) -> None:
    old = (tmp_path / FILE).with_suffix(".xls")
    fill_in(lists[FILE], old, _answers(county))
    load = _send_back(county, old)
    assert (load.rows_read, load.rows_published, load.rows_quarantined) == (4, 4, 0)
    answers = "select visited_on::text, visitor, finding, refer_to, measure from register.household_visit order by 1, 3"
    assert county.query(answers) == [
        ("2020-07-02", "某甲", "confirmed", None, "已联系医院"),
        ("2020-07-02", "某甲", "resolved", None, None),
        ("2020-07-03", "某乙", "not_confirmed", None, None),
        ("2020-07-03", "某甲", "refer", "housing", None),
    ]


def test_the_list_comes_back_as_it_grows(county: County, lists: dict[str, Path], tmp_path: Path) -> None:
    first, again = tmp_path / FILE, tmp_path / "again" / FILE
    again.parent.mkdir()
    load = _send_back(county, lists[FILE])
    assert (load.rows_read, load.rows_quarantined) == (0, 0)

    _typed_into(
        lists[FILE],
        first,
        [
            ("城北社区", "N4", "某乙"),  # who is to go, and has not been there yet
            *_found("伊乌社区", 4, "2020-07-02", "某甲", "属实"),
            ("伊乌社区", "R5", "家中无人"),
        ],
    )
    load = _send_back(county, first)
    assert (load.rows_read, load.rows_published, load.rows_quarantined) == (2, 1, 1)

    corrected = [("伊乌社区", "O4", "不属实"), *_found("伊乌社区", 5, "2020-07-04", "某甲", "属实", "", "", "")]
    _typed_into(first, again, corrected)
    load = _send_back(county, again)
    assert (load.rows_read, load.rows_published, load.rows_quarantined) == (2, 2, 0)
    unfilled = county.query("select notes ->> 'lines_not_filled_in' from ops.load where notes <> '{}' order by load_id")
    assert unfilled == [("3",), ("1",), ("1",)]
    findings = "select finding from register.household_visit where _valid_to = 'infinity' order by visited_on"
    assert county.query(findings) == [("not_confirmed",), ("confirmed",)]


def test_a_sheet_is_called_as_its_village_in_every_spreadsheet_program() -> None:
    titles = Titles(taken=[GUIDE_SHEET])
    assert titles.of("伊乌社区居民委员会", "513431100004") == "伊乌社区"
    assert titles.of("大/村*村民委员会", "1") == "大 村"
    assert titles.of("大 村", "513431100005") == "大 村 513431100005"
    assert titles.of("", "513431100006") == "513431100006"
    assert titles.of("History", "7") == "History 7"
    long = titles.of("长" * 40, "513431100008")
    assert long == "长" * 31
    assert titles.of("长" * 40, "513431100009") == "长" * 18 + " 513431100009"
