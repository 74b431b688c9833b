"""A document as PDF, set by Typst in the style of official Chinese documents, with its fonts embedded."""

import json
import tempfile
from importlib.resources import files
from pathlib import Path

import typst

from doudi.reports.charts import fonts_folder, svg
from doudi.reports.document import Chart, Document, Figures, Table, Text, on_two_lines, written


def pdf(document: Document) -> bytes:
    """A4, in Chinese; the same document gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        content = _content(document, root)
        (root / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        source = root / "report.typ"
        source.write_text(files("doudi.reports").joinpath("report.typ").read_text(encoding="utf-8"), encoding="utf-8")
        return typst.compile(source, root=root, format="pdf", font_paths=[fonts_folder()], ignore_system_fonts=True)


def _content(document: Document, root: Path) -> dict[str, object]:
    charts = iter(range(1, 1000))

    def block(each: Text | Table | Chart | Figures) -> dict[str, object]:
        if isinstance(each, Text):
            return {"kind": "text", "text": each.zh}
        if isinstance(each, Figures):
            return {"kind": "figures", "items": [[name.zh, written(value, "number")] for name, value in each.items]}
        if isinstance(each, Chart):
            name = f"chart{next(charts)}.svg"
            (root / name).write_text(svg(each), encoding="utf-8")
            return {"kind": "chart", "caption": each.caption.zh, "file": name}
        kinds = [column.kind for column in each.columns]
        return {
            "kind": "table",
            "caption": each.caption.zh,
            "unit": each.unit.zh if each.unit else "",
            "columns": [on_two_lines(column.heading.zh) for column in each.columns],
            "short": each.is_short,
            "numbers": [kind != "text" for kind in kinds],
            "rows": [[written(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in each.rows],
            "note": each.note.zh if each.note else "",
        }

    return {
        "title": document.title.zh,
        "subtitle": document.subtitle.zh,
        "facts": [[name.zh, value.zh] for name, value in document.facts],
        "date": [document.as_of.year, document.as_of.month, document.as_of.day],
        "sections": [
            {"heading": section.heading.zh, "blocks": [block(each) for each in section.blocks]}
            for section in document.sections
        ],
    }
