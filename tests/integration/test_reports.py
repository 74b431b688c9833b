"""Reports of a made-up county: what stands in the files is what the marts hold, and nobody is in them."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import docx
import pdfplumber
import psycopg
import pytest
from synthetic_county import taken_in

from doudi.reports import ReportError, making
from doudi.settings import Settings
from doudi.transform import build
from doudi.warehouse import schema

MARCH, DAY = date(2020, 3, 31), date(2020, 6, 30)
COUNTY = "513431"
ID = re.compile(r"99\d{15}[\dXx]")


@dataclass(frozen=True)
class Made:
    """The county built in March and in June, and its reports of both editions on each day."""

    settings: Settings
    march: dict[str, making.Report]
    reports: dict[str, making.Report]
    rows: Callable[..., list[tuple]]


@pytest.fixture(scope="module")
def made(
    server_url: str, template: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("reports")
    with taken_in(server_url, template=template, settings=settings, home=home, persons=400, as_of=DAY) as own:
        schema.initialise(own.database_url, own)
        reports: list[dict[str, making.Report]] = []
        for day in (MARCH, DAY):
            build(url=own.database_url, settings=own, as_of=day)
            reports.append({})
            for edition in ("internal", "public"):
                for each in making.make(settings=own, out=own.out, area=COUNTY, edition=edition):
                    reports[-1][f"{edition}{each.path.suffix}"] = each

        def rows(statement: str, *values: object) -> list[tuple]:
            with psycopg.connect(own.database_url) as session:
                return session.execute(statement, values or None).fetchall()

        yield Made(own, *reports, rows)


class _Cells(HTMLParser):
    """The cells of a page's tables as the Chinese reader sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._text, self._skips, self._takes = "", False, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th", "caption"):
            self._text, self._takes = "", True
        elif tag == "small":
            self._takes = False
        elif tag == "span" and ("class", "en") in attrs:
            self._skips = True

    def handle_data(self, data: str) -> None:
        if self._takes and not self._skips:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._skips = False
        elif tag in ("td", "th"):
            self._rows[-1].append(self._text)
        elif tag == "caption":
            self._caption = self._text
        elif tag == "table":
            self.tables[self._caption] = self._rows


def _page_tables(report: making.Report) -> dict[str, list[list[str]]]:
    parser = _Cells()
    parser.feed(report.path.read_text(encoding="utf-8"))
    return parser.tables


def _word_tables(report: making.Report) -> dict[str, list[list[str]]]:
    file = docx.Document(io.BytesIO(report.path.read_bytes()))
    captions = [p.text.split("　")[1] for p in file.paragraphs if p.text.startswith("表 ")]
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in file.tables]
    return dict(zip(captions, tables, strict=True))


@cache
def _pages(path: Path) -> list[str]:
    with pdfplumber.open(path) as file:
        return [page.extract_text() for page in file.pages]


def _pdf_text(report: making.Report) -> str:
    return "\n".join(_pages(report.path))


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_page_tells_what_the_marts_hold(made: Made) -> None:
    tables = _page_tables(made.reports["internal.html"])
    by_indicator = {row[0].split()[0]: [int(_number(cell)) for cell in row[3:]] for row in tables["在办预警按指标"][1:]}
    expected = made.rows(
        "select indicator_code, open_warnings, overdue_warnings from marts.area_summary"
        " where division_code = %s and open_warnings > 0", COUNTY
    )  # fmt: skip
    assert len(expected) > 10
    assert {code: (row[0], row[2]) for code, row in by_indicator.items() if code != "合计"} == {
        code: (standing, overdue) for code, standing, overdue in expected
    }
    assert by_indicator["合计"][0] == sum(standing for _, standing, _ in expected)
    funnel = [[int(_number(cell)) for cell in row[1:]] for row in tables["监测对象保障情况"][1:]]
    assert sorted(map(tuple, funnel[1:])) == sorted(made.rows(
        "select at_risk_people, minimum_allowance_people, special_hardship_people, temporary_people, uncovered_people,"
        " uncovered_households from marts.coverage_gap where division_code = %s", COUNTY
    ))  # fmt: skip
    assert funnel[0] == [sum(column) for column in zip(*funnel[1:], strict=True)]


def test_word_and_pdf_tell_the_quarter_as_the_mart_has_it(made: Made) -> None:
    money = _word_tables(made.reports["internal.docx"])["救助资金"]
    expected = made.rows(
        "select amount from marts.quarterly_report"
        " where period = 'quarter' and division_code = %s and measure = 'money'", COUNTY
    )  # fmt: skip
    assert sorted(_number(row[1]) for row in money[1:]) == sorted(float(amount) for (amount,) in expected)
    handled = {row[0]: row[1:3] for row in _word_tables(made.reports["internal.docx"])["预警发现与处置情况"][1:]}
    for label, measure in (
        ("新增预警", "warnings_opened"),
        ("期末在办", "warnings_standing"),
        ("期末逾期", "warnings_overdue"),
    ):
        sums = made.rows(
            "select coalesce(sum(amount), 0), coalesce(sum(amount_before), 0) from marts.quarterly_report"
            " where period = 'quarter' and division_code = %s and measure = %s", COUNTY, measure
        )  # fmt: skip
        assert [_number(cell) for cell in handled[label]] == [float(value) for value in sums[0]]
    assert _number(handled["期末在办"][1]) > 0
    paper = _pdf_text(made.reports["internal.pdf"])
    for table in _word_tables(made.reports["internal.docx"]).values():
        for row in table[1:]:
            assert all(cell in paper for cell in row[1:]), "the PDF tells other numbers than the Word file"


def test_nothing_is_held_against_a_time_in_which_nobody_watched(made: Made) -> None:
    tables = _word_tables(made.march["internal.docx"])
    assert _number({row[0]: row[1] for row in tables["预警发现与处置情况"]}["期末在办"]) > 0
    assert {cell for row in tables["预警发现与处置情况"][1:] for cell in row[2:]} == {"—"}
    assert {row[1] for row in tables["民政与扶贫登记信息比对"][1:]} == {"—"}


def test_outsiders_are_told_of_the_period_before_what_they_were_told_then(made: Made) -> None:
    assert made.rows("select to_regclass('marts_as_of_20200331.public_summary')") == [(None,)]
    then, now = (_word_tables(each["public.docx"]) for each in (made.march, made.reports))
    seen = set()
    for caption in ("享受救助人数", "未办结预警"):
        before = dict(then[caption][1:])
        assert {row[0]: row[2] for row in now[caption][1:]} == before
        for _, count, was, change in now[caption][1:]:
            if "*" in (count, was):
                assert change == "*"
            else:
                assert _number(change) == _number(count) - _number(was)
            seen.add((count == "*", was == "*"))
    assert (False, False) in seen
    assert seen & {(True, True), (False, True)}


def test_no_page_ends_where_something_begins(made: Made) -> None:
    for key in ("internal.pdf", "public.pdf"):
        for page in _pages(made.reports[key].path):
            *_, last, number = page.splitlines()
            assert re.fullmatch(r"— \d+ —", number)
            assert not re.match(r"[一二三四五六七八九十]+、|表 \d|单位：", last), f"{last} stands alone"


@pytest.mark.parametrize("suffix", [".html", ".docx", ".pdf"])
def test_hidden_counts_cannot_be_had(made: Made, suffix: str) -> None:
    report = made.reports[f"public{suffix}"]
    told = {
        (measure, name): value
        for measure, name, value in made.rows(
            "select measure, category_name, value from marts.public_summary where division_code = %s", COUNTY
        )
    }
    assert None in told.values()
    assert any(told.values()), "a table in which nothing is told would prove nothing"
    if suffix == ".pdf":
        lines = [line.split() for line in _pdf_text(report).splitlines()]
        warnings = {line[1]: line[2] for line in lines if len(line) == 5 and re.fullmatch(r"[A-Z]{2}\d\d", line[0])}
    else:
        tables = _page_tables(report) if suffix == ".html" else _word_tables(report)
        warnings = {row[0].split()[-1]: row[1] for row in tables["未办结预警"][1:] if row[0] != "合计"}
    assert warnings
    for name, cell in warnings.items():
        value = told["open_warnings", name]
        assert cell == ("*" if value is None else f"{value:,}")


def test_nobody_is_in_any_report(made: Made) -> None:
    names = {name for (name,) in made.rows("select name from identity.person where length(name) > 1")}
    assert len(names) > 100
    for key, report in made.reports.items():
        if key.endswith(".pdf"):
            text = _pdf_text(report)
        elif key.endswith(".docx"):
            file = docx.Document(io.BytesIO(report.path.read_bytes()))
            cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
            text = "\n".join([*(paragraph.text for paragraph in file.paragraphs), *cells])
        else:
            text = report.path.read_text(encoding="utf-8")
        assert not ID.search(text), key
        assert not [name for name in names if name in text], key


def test_the_page_asks_for_nothing_from_anywhere(made: Made) -> None:
    text = made.reports["internal.html"].path.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|url\(|@import|<script", text.replace('xlink:href="#', ""))


def test_every_file_is_on_record_as_about_nobody(made: Made) -> None:
    recorded = made.rows("select file_name, recipient, persons from ops.disclosure where recipient ^@ 'report_'")
    files = [*made.march.items(), *made.reports.items()]
    assert {(report.path.name, f"report_{key.split('.')[0]}", 0) for key, report in files} == set(recorded)


def test_a_report_reads_no_more_than_its_area(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="hold nothing of area 110101"):
        making.make(settings=made.settings, out=tmp_path, area="110101", edition="internal")
    [(township,)] = made.rows("select min(division_code) from marts.area_summary where division_level = 'township'")
    with pytest.raises(ReportError, match="nothing is published"):
        making.make(settings=made.settings, out=tmp_path, area=township)
    assert list(tmp_path.iterdir()) == []
