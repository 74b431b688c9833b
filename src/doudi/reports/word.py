"""A document as a Word file by python-docx, in the style of official Chinese documents."""

import io
import unicodedata
from collections.abc import Collection
from datetime import datetime, time

import docx
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.table import _Row
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from doudi.reports.charts import png
from doudi.reports.document import Chart, Document, Figures, Table, Text, on_two_lines, written

_BODY, _HEAD = "宋体", "黑体"  # on every Chinese office machine; another shows its own Chinese font
_WIDTH = 160  # mm of the text
_LEADING = 1.35  # of lines in a table; a font's own differs between machines
_BESIDE = 1.5  # characters that a cell keeps free beside its text
_DIGITS = "一二三四五六七八九十"


def word(document: Document) -> bytes:
    """A4, in Chinese, with page numbers, captions and headings that Word knows as such."""
    file = docx.Document()
    _prepare(file, document)
    _line(file.add_paragraph(), document.title.zh, size=22, font=_HEAD, centred=True)
    _line(file.add_paragraph(), document.subtitle.zh, size=15, centred=True)
    for name, value in document.facts:
        _line(file.add_paragraph(), f"{name.zh}：{value.zh}", size=11, centred=True)
    numbers = {"表": 0, "图": 0}
    for place, section in enumerate(document.sections):
        heading = file.add_heading(level=1)
        _line(heading, f"{_DIGITS[place]}、{section.heading.zh}", size=14, font=_HEAD)
        for block in section.blocks:
            if isinstance(block, Text):
                paragraph = file.add_paragraph()
                paragraph.paragraph_format.first_line_indent = Pt(24)
                _line(paragraph, block.zh, size=12)
            elif isinstance(block, Figures):
                _table(file, [[name.zh for name, _ in block.items], [written(v, "number") for _, v in block.items]])
            elif isinstance(block, Chart):
                _chart(file, block, numbers)
            else:
                _add(file, block, numbers)
    content = io.BytesIO()
    file.save(content)
    return content.getvalue()


def _prepare(file: object, document: Document) -> None:
    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(26), Mm(24)
    section.top_margin, section.bottom_margin = Mm(30), Mm(28)
    normal = file.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", Pt(12)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), _BODY)
    language = OxmlElement("w:lang")  # else a reader without 宋体 may take a Japanese font's shapes
    language.set(qn("w:eastAsia"), "zh-CN")
    normal.element.rPr.append(language)
    normal.paragraph_format.space_after = Pt(4)
    heading = file.styles["Heading 1"].paragraph_format
    heading.space_before, heading.space_after = Pt(16), Pt(6)
    properties = file.core_properties
    properties.title, properties.author, properties.language = document.title.zh, "", "zh-CN"
    properties.created = properties.modified = datetime.combine(document.as_of, time())
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer.add_run("— ")
    _field(footer.add_run(), "PAGE")
    footer.add_run(" —")


def _field(run: Run, code: str) -> None:
    """A field that Word fills in, such as the number of the page."""
    for kind, text in (("begin", None), (None, code), ("end", None)):
        element = OxmlElement("w:instrText" if text else "w:fldChar")
        if text:
            element.text = text
        else:
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _line(paragraph: Paragraph, text: str, *, size: float, font: str = _BODY, centred: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), False, "Times New Roman"
    run.font.color.rgb = RGBColor(0, 0, 0)  # a heading's style has another
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _chart(file: object, chart: Chart, numbers: dict[str, int]) -> None:
    paragraph = file.add_paragraph()
    picture = paragraph.add_run()
    picture.add_picture(io.BytesIO(png(chart)), width=Mm(155))
    paragraph.paragraph_format.space_after = Pt(12)
    picture.add_break()  # one paragraph with its caption, which no page parts
    _caption(paragraph, "图", chart.caption.zh, numbers)


def _caption(paragraph: Paragraph, kind: str, text: str, numbers: dict[str, int]) -> None:
    numbers[kind] += 1
    _line(paragraph, f"{kind} {numbers[kind]}　{text}", size=10.5, font=_HEAD, centred=True)


def _add(file: object, table: Table, numbers: dict[str, int]) -> None:
    caption = file.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_after = Pt(0)
    _caption(caption, "表", table.caption.zh, numbers)
    if table.unit:
        unit = file.add_paragraph()
        _line(unit, f"单位：{table.unit.zh}", size=9)
        unit.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        unit.paragraph_format.keep_with_next = True
        unit.paragraph_format.space_after = Pt(0)
    kinds = [column.kind for column in table.columns]
    rows = [[written(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table.rows]
    headings = [on_two_lines(column.heading.zh) for column in table.columns]
    _table(file, [headings, *rows], numeric=[kind != "text" for kind in kinds], held=_held(table))
    note = file.add_paragraph()
    if table.note:
        _line(note, f"注：{table.note.zh}", size=9)


def _held(table: Table) -> set[int]:
    """Rows, the headings being the first, that no page parts from what follows: all of a short table, three at the
    beginning and the end of a long one, and the last from its note."""
    last = len(table.rows)
    rows = set(range(last)) if table.is_short else {0, 1, 2, last - 2, last - 1}
    return rows | {last} if table.note else rows


def _table(
    file: object, rows: list[list[str]], *, numeric: list[bool] | None = None, held: Collection[int] = ()
) -> None:
    width = len(rows[0])
    made = file.add_table(rows=len(rows), cols=width)
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    _three_rules(made)
    for row in made.rows:
        _set(row, "cantSplit")
    _set(made.rows[0], "tblHeader")  # the headings stand again at the top of the next page
    size = 8.5 if width > 7 else 10
    numeric = numeric or [True] * width
    widths = _widths(rows, numeric, size)
    made.autofit = False
    for column, wide in zip(made.columns, widths, strict=True):
        column.width = wide
    for at, (cells, values) in enumerate(zip(made.rows, rows, strict=True)):
        for place, (cell, value) in enumerate(zip(cells.cells, values, strict=True)):
            cell.width = widths[place]
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = Pt(size * _LEADING)
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
            paragraph.paragraph_format.keep_with_next = at in held
            _line(paragraph, value, size=size, font=_BODY if at else _HEAD)
            if numeric[place]:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _widths(rows: list[list[str]], numeric: list[bool], size: float) -> list[Length]:
    """Of each column as its longest text needs it, in points of ``size``; what is left of the page is shared. Where it
    does not hold them all, columns of numbers are narrower, and their headings take more lines."""
    longest = [max(_ems(line) for cell in column for line in cell.split("\n")) for column in zip(*rows, strict=True)]
    needed = [Pt((ems + _BESIDE) * size) for ems in longest]
    left = Mm(_WIDTH) - sum(needed)
    if left < 0:
        numbers = sum(each for each, is_number in zip(needed, numeric, strict=True) if is_number)
        share = (numbers + left) / numbers
        return [
            Length(int(each * share)) if is_number else each for each, is_number in zip(needed, numeric, strict=True)
        ]
    return [Length(each + left // len(needed)) for each in needed]


def _ems(line: str) -> float:
    """How wide a line is: 1 for a Chinese character, about half for a letter or a digit."""
    return sum(1 if unicodedata.east_asian_width(letter) in "WF" else 0.55 for letter in line)


def _three_rules(table: WordTable) -> None:
    """A thick rule above and below, and a thin one under the headings."""
    borders = OxmlElement("w:tblBorders")
    for edge in ("top", "bottom"):
        borders.append(_rule(edge, 12))
    table._tbl.tblPr.append(borders)
    for cell in table.rows[0].cells:
        edges = OxmlElement("w:tcBorders")
        edges.append(_rule("bottom", 6))
        cell._tc.get_or_add_tcPr().append(edges)


def _rule(edge: str, eighths: int) -> OxmlElement:
    rule = OxmlElement(f"w:{edge}")
    for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "0"), ("color", "000000")):
        rule.set(qn(f"w:{name}"), value)
    return rule


def _set(row: _Row, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(f"w:{name}"))
