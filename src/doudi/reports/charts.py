"""Charts by Vega-Altair, turned into SVG or PNG by vl-convert: no browser, no network, and our own font."""

import math
from functools import cache

import altair
import pylopdf_fonts_zh_cn
import vl_convert

from doudi.reports.document import Chart, Language, Text

FONT = "Noto Sans SC"  # what the package of fonts brings; a page falls back on the reader's own
LEVEL_COLOURS = {"红色": "#c0392b", "橙色": "#e08e2b", "黄色": "#e6c229", "核查": "#7f8c8d"}
_PLAIN = ["#2f6690", "#3a9d8f", "#e08e2b", "#8e5572", "#7f8c8d", "#81a4cd", "#c0392b", "#b8b42d"]
_WIDTH, _LETTERS = 520, 14  # pixels: letters as high as a table's on A4, and to be read on a phone


@cache
def fonts_folder() -> str:
    """The folder of the fonts, made known to vl-convert once."""
    folder = str(pylopdf_fonts_zh_cn.sans_path().parent)
    vl_convert.register_font_directory(folder)
    return folder


def svg(chart: Chart, language: Language = "zh") -> str:
    """The chart as SVG, its text as text."""
    fonts_folder()
    return vl_convert.vegalite_to_svg(_drawn(chart, language).to_dict(), vl_version=_version())


def png(chart: Chart, language: Language = "zh") -> bytes:
    """The chart as PNG, sharp enough for A4."""
    fonts_folder()
    return vl_convert.vegalite_to_png(_drawn(chart, language).to_dict(), vl_version=_version(), scale=3)


def _version() -> str:
    return ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _drawn(chart: Chart, language: Language) -> altair.Chart:
    rows = [
        {"category": category.in_(language), "series": series.in_(language), "number": number}
        for category, series, number in chart.series
    ]
    names = _in_order(series for _, series, _ in chart.series)
    categories = [name.in_(language) for name in _in_order(category for category, _, _ in chart.series)]
    colours = [(chart.colours or {}).get(name.zh, _PLAIN[place % len(_PLAIN)]) for place, name in enumerate(names)]
    series = altair.Color(
        "series:N",
        sort=[name.in_(language) for name in names],
        scale=altair.Scale(domain=[name.in_(language) for name in names], range=colours),
        legend=altair.Legend(title=None, orient="top") if len(names) > 1 else None,
    )
    highest = max((row["number"] for row in rows), default=0)
    numbers = altair.Axis(
        title=chart.unit.in_(language), tickMinStep=1, format=",d", tickCount=min(6, math.ceil(highest) or 1)
    )
    base = altair.Chart(altair.Data(values=rows))
    if chart.kind == "lines":
        drawn = base.mark_line(point=True, strokeWidth=2).encode(
            x=altair.X("category:N", sort=categories, title=None, axis=altair.Axis(labelAngle=0, labelOverlap=True)),
            y=altair.Y("number:Q", axis=numbers),
            color=series,
        )
        height: int | altair.Step = 200
    else:
        drawn = (
            base.transform_calculate(place=f"indexof({[name.in_(language) for name in names]!r}, datum.series)")
            .mark_bar()
            .encode(
                y=altair.Y("category:N", sort=categories, title=None, axis=altair.Axis(labelLimit=240)),
                x=altair.X("number:Q", axis=numbers, stack="zero"),
                color=series,
                order=altair.Order("place:Q"),
            )
        )
        height = altair.Step(24)
    return drawn.properties(width=_WIDTH, height=height).configure(
        font=FONT,
        background="white",
        axis=altair.AxisConfig(labelFontSize=_LETTERS, titleFontSize=_LETTERS, titleFontWeight="normal"),
        legend=altair.LegendConfig(labelFontSize=_LETTERS),
        view=altair.ViewConfig(stroke=None),
    )


def _in_order(names: "list[Text] | object") -> list[Text]:
    return list(dict.fromkeys(names))
