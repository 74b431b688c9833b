"""The workbook that goes back to a sender: the refused rows as they were sent, and what is wrong with each."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from doudi.contracts import Contract
from doudi.forms.book import Book, width_of
from doudi.quarantine.headings import SentHeadings
from doudi.quarantine.listing import KeptRow, Origin
from doudi.quarantine.numbers import QuarantineError
from doudi.rules import RETURN_NUMBER

# What stands left of the sender's columns; the last holds the text of a line that is no record.
OWN_COLUMNS = (RETURN_NUMBER, "行号", "问题列", "退回原因", "Reason", "原始行")
GUIDE_SHEET = "说明"
CELL_CHARACTERS = 32767  # more a cell does not hold
_SHEET_ROWS = 1_000_000
_WIDTHS = (12, 8, 18, 44, 44, 60)

_GUIDE = """\
兜底预警 退回数据更正说明 / Rows returned for correction

报送文件 / Delivery: {file_name}
数据 / Feed: {title} ({feed})
数据日期 / Data date: {data_date}
退回行数 / Rows returned: {rows}

各行“退回原因”说明问题所在，有问题的单元格以黄底标出；“原始行”有内容的，是无法读取的行。
Each row's reason says what is wrong; the cells concerned are yellow. A line that could not be read stands in 原始行.
本文件含个人信息，请按规定保管，用后删除。
This file holds personal data: keep it as the rules demand and delete it afterwards.

"""
_HOW_TO_RETURN_ROWS = """\
1. 请直接在单元格中改正，保持“文本”格式；不要改动“退回编号”列和表头。
   Correct the cells in place and keep them as text. Leave the column 退回编号 and the headings as they are.
2. 无法读取的行，请把“原始行”的内容逐列填入右侧空格。
   Of a line that could not be read, fill the values into the empty columns on the right.
3. 可以只改一部分：未改动的行、删去的行仍按未更正保留。
   You need not correct all: rows that are unchanged or deleted stay on the list as they are.
4. 改好后将本文件（.xlsx）交回发送人，不要放入报送目录。
   Send this file (.xlsx) back to whom you have it from; do not put it among your deliveries.
"""
_HOW_TO_SEND_AGAIN = """\
本批数据问题过多，已整份退回：请在原系统中改正后重新整份报送，本文件只用于查找问题，不要交回。
Too much was wrong, so the delivery as a whole was refused: correct it at its source and send it again as a whole. This
file only shows what is wrong; do not return it.
"""


def write(
    path: Path, *, origin: Origin, contract: Contract, headings: SentHeadings, read: Callable[[], Iterator[KeptRow]]
) -> int:
    """Write the rows that ``read`` gives, twice over, to ``path``, for its owner's eyes only; returns how many.

    The file appears under its name only when it is whole. Raises QuarantineError where one of that name is there
    already, or a sheet would hold more rows than a workbook can.
    """
    if path.exists():
        raise QuarantineError(f"{path} is there already: move it away, it may hold corrections")
    content = _Content.of(read(), headings)
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, Book(file, beside=path.parent) as book:
        _write_guide(book, origin, contract, content)
        styles = _Styles.of(book)
        sheets = {
            sent: _Sheet(book.add_worksheet(title), sent, headings, styles) for sent, title in content.titles.items()
        }
        for row in read():
            sheets[_sent(row, headings)].add(row)
        for sheet in sheets.values():
            sheet.finish()
    partial.replace(path)
    return content.rows


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What goes into a workbook: a title for each sheet, by the headings on it; the files the rows came in first."""

    titles: dict[tuple[str, ...], str]
    file_names: list[str]
    rows: int

    @classmethod
    def of(cls, rows: Iterable[KeptRow], headings: SentHeadings) -> "_Content":
        sheets: Counter[tuple[str, ...]] = Counter()
        file_names: dict[str, None] = {}
        for row in rows:
            sheets[_sent(row, headings)] += 1
            file_names[row.file_name] = None
        if max(sheets.values()) > _SHEET_ROWS:
            raise QuarantineError(f"more rows than a sheet holds ({_SHEET_ROWS}): have the whole delivery sent again")
        titles = {sent: f"退回{n}" if len(sheets) > 1 else "退回" for n, sent in enumerate(sheets, start=1)}
        return cls(titles=titles, file_names=list(file_names), rows=sheets.total())


def _sent(row: KeptRow, headings: SentHeadings) -> tuple[str, ...]:
    """The headings of a row; of a line that is no record those of its part."""
    return headings.of_part(row.own_part) if row.line is not None else headings.ordered(row.cells)


@dataclass(frozen=True)
class _Styles:
    heading: Format
    text: Format
    wrong: Format
    wrapped: Format

    @classmethod
    def of(cls, book: Book) -> "_Styles":
        text = {"num_format": "@", "valign": "top"}
        return cls(
            heading=book.add_format({"num_format": "@", "bold": True, "bottom": 1, "bg_color": "#E7E6E6"}),
            text=book.add_format(text),
            wrong=book.add_format(text | {"bg_color": "#FFF2A8"}),
            wrapped=book.add_format(text | {"text_wrap": True}),
        )


class _Sheet:
    """One sheet of text cells, written row by row."""

    def __init__(self, sheet: Worksheet, sent: tuple[str, ...], headings: SentHeadings, styles: _Styles) -> None:
        self._sheet = sheet
        self._headings = sent
        self._columns = [headings.column(heading) for heading in sent]
        self._styles = styles
        self._count = 0
        self._sheet.freeze_panes(1, 1)
        for column, width in enumerate(_WIDTHS):
            self._sheet.set_column(column, column, width, styles.text)
        for column, heading in enumerate(sent, start=len(OWN_COLUMNS)):
            self._sheet.set_column(column, column, _width(heading), styles.text)
        for column, heading in enumerate([*OWN_COLUMNS, *sent]):
            self._sheet.write_string(0, column, heading, styles.heading)

    def add(self, row: KeptRow) -> None:
        self._count += 1
        chinese, english = _reasons(row)
        names = self._names_at_fault(row)
        styles, cells = self._styles, row.cells
        own = (str(row.number), str(row.line_no), "、".join(names), chinese, english, row.line or "")
        for column, text in enumerate(own):
            style = styles.wrong if column == 5 and text else styles.wrapped if column in (3, 4, 5) else styles.text
            self._sheet.write_string(self._count, column, text[:CELL_CHARACTERS], style)
        for column, heading in enumerate(self._headings, start=len(OWN_COLUMNS)):
            text = cells.get(heading, "")[:CELL_CHARACTERS]
            style = styles.wrong if heading in names else styles.text
            if text:
                self._sheet.write_string(self._count, column, text, style)
            else:
                self._sheet.write_blank(self._count, column, None, style)

    def _names_at_fault(self, row: KeptRow) -> list[str]:
        """The sender's headings over what is wrong; a column that was not sent is called as in the contract."""
        columns = dict.fromkeys(fault["column"] for fault in row.faults if fault["column"])
        sent = dict(zip(self._columns, self._headings, strict=True))
        return [sent.get(column, column) for column in columns]

    def finish(self) -> None:
        if self._count:
            self._sheet.autofilter(0, 0, self._count, len(OWN_COLUMNS) + len(self._headings) - 1)


def _reasons(row: KeptRow) -> tuple[str, str]:
    """All faults of a row, in Chinese and in English; a reason is told as ``<Chinese>。<English>.``"""
    told = [fault["reason"].rpartition("。") for fault in row.faults]
    chinese = "\n".join(f"{zh}。" for zh, _, _ in told if zh)
    return chinese, "\n".join(english.strip() for _, _, english in told)


def _width(heading: str) -> int:
    """Wide enough for the heading, and for an ID of 18 digits."""
    return min(max(width_of(heading) + 2, 20), 40)


def _write_guide(book: Book, origin: Origin, contract: Contract, content: _Content) -> None:
    text = (_GUIDE + (_HOW_TO_SEND_AGAIN if origin.status == "refused" else _HOW_TO_RETURN_ROWS)).format(
        file_name="、".join(content.file_names), title=contract.title, feed=origin.feed, data_date=origin.data_date,
        rows=content.rows,
    )  # fmt: skip
    sheet, wrapped = book.add_worksheet(GUIDE_SHEET), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 100, wrapped)
    for position, line in enumerate(text.splitlines()):
        sheet.write_string(position, 0, line, wrapped)
