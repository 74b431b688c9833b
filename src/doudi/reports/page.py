"""A document as one HTML file: charts as SVG in it, no script, nothing loaded from anywhere."""

from importlib.resources import files

import jinja2
from markupsafe import Markup

from doudi.reports.charts import svg
from doudi.reports.document import LANGUAGES, Chart, Document, Figures, Table, Text, written


def page(document: Document) -> bytes:
    """The whole page, in Chinese; a switch without a script shows it in English."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(both=_both, written=_written, drawn=_drawn)
    environment.tests.update(
        figures=lambda block: isinstance(block, Figures),
        table=lambda block: isinstance(block, Table),
        short=lambda block: block.is_short,
        chart=lambda block: isinstance(block, Chart),
    )
    template = environment.from_string(files("doudi.reports").joinpath("page.html.j2").read_text(encoding="utf-8"))
    return template.render(document=document).encode()


def _both(text: Text) -> Markup:
    if text.zh == text.en:
        return Markup.escape(text.zh)
    return Markup('<span class="zh">{}</span><span class="en" lang="en">{}</span>').format(text.zh, text.en)


def _written(value: object, kind: str) -> Markup:
    return _both(value) if isinstance(value, Text) else Markup.escape(written(value, kind))


def _drawn(chart: Chart) -> Markup:
    # what vl-convert draws holds no markup of ours: names go through Vega's own escaping
    parts = (f'<div class="{language}">{svg(chart, language)}</div>' for language in LANGUAGES)
    return Markup("".join(parts))  # noqa: S704
