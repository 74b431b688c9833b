"""What outsiders are told: marts.public_summary and nothing else, in which small counts are hidden already."""

from doudi.reports import figures
from doudi.reports.document import Chart, Column, Document, Hidden, Section, Table, Text, Value, change
from doudi.reports.errors import ReportError
from doudi.reports.figures import Public
from doudi.reports.periodic import called, head
from doudi.reports.scope import Scope
from doudi.reports.words import word, words

Told = dict[str, dict[str, int | None]]  # counts by measure and category; None where a count was hidden

_ALL = "all"
_AUDIENCE = Text("可公开", "may be published")
_NOTE = Text(
    "“*”表示人数较少，或据此可推算较少人数，依规不予公开。",
    "* is not told: it is a small count, or a small one could be reckoned from it.",
)


def told(scope: Scope) -> Told:
    """What of the area itself is published."""
    counts: Told = {}
    for row in figures.public(scope):
        if row.area == scope.area:
            counts.setdefault(row.measure, {})[row.category] = row.value
    return counts


def public(scope: Scope, *, period: str | None, before: Told) -> Document:
    """The page, or with ``period`` the report, for anybody. ``before``: what was told at the end of the period before.

    That is not computed again: if other counts were hidden then, both together could tell a small one.
    Raises ReportError for a township, of which nothing is published, and for several provinces at once.
    """
    if scope.digits not in (2, 4, 6):
        raise ReportError(f"of {scope.area} nothing is published: name a county, prefecture or province by --area")
    rows = figures.public(scope)
    if not rows:
        raise ReportError(f"of {scope.area} nothing is published in the build of {scope.build.as_of}")
    about = figures.period_of(scope, period) if period else None
    if period and about is None:
        raise ReportError(f"the marts of {scope.build.as_of} report on no period {period}")
    day = scope.build.as_of
    when = (Text("统计日期", "As of"), Text(f"{day:%Y年%-m月%-d日}", f"{day}"))
    area = (Text("统计范围", "Area"), Text(f"{scope.name}（{scope.area}）", f"{scope.name} ({scope.area})"))
    own = {(row.measure, row.category): row for row in rows if row.area == scope.area}
    parts = [row for row in rows if row.area != scope.area]
    return Document(
        title=Text("社会救助兜底保障情况公报", "Social assistance: published figures"),
        subtitle=called(about) if about else Text(scope.name, scope.name),
        facts=head(scope, about, _AUDIENCE, is_compared=bool(before))
        if about
        else [area, when, (Text("使用范围", "For"), _AUDIENCE)],
        sections=[
            _benefits(own, before),
            _warnings(own, before),
            *_by_part(parts),
        ],
        as_of=day,
    )


def _shown(value: int | None) -> Value:
    return Hidden.SUPPRESSED if value is None else value


def _columns(first: Text, before: Told) -> list[Column]:
    if not before:
        return [Column(first, "text"), Column(Text("数量", "Count"))]
    return [
        Column(first, "text"),
        Column(Text("期末", "At the end")),
        Column(Text("上期末", "Before")),
        Column(Text("增减", "Change"), "change"),
    ]


def _row(name: Text, row: Public, before: Told) -> tuple[Value, ...]:
    now, counts = _shown(row.value), before.get(row.measure, {})
    then = _shown(counts[row.category]) if row.category in counts else Hidden.UNKNOWN
    return (name, now, then, change(now, then)) if before else (name, now)


def _table(*, caption: Text, unit: Text | None, columns: list[Column], rows: list[tuple[Value, ...]]) -> Table:
    """A table that says what * stands for, where it has one."""
    is_hidden = any(value is Hidden.SUPPRESSED for row in rows for value in row)
    return Table(caption=caption, unit=unit, columns=columns, rows=rows, note=_NOTE if is_hidden else None)


def _benefits(own: dict[tuple[str, str], Public], before: Told) -> Section:
    measure = "people_with_benefit"
    rows = [(word("benefit", code), own[measure, code]) for code in words("benefit") if (measure, code) in own]
    table = _table(
        caption=Text("享受救助人数", "People with a benefit"),
        unit=Text("人", "people"),
        columns=_columns(Text("救助项目", "Benefit"), before),
        rows=[_row(name, row, before) for name, row in rows],
    )
    chart = Chart(
        caption=Text("享受救助人数（不含未公开数）", "People with a benefit, as far as told"),
        kind="bars",
        unit=Text("人", "people"),
        series=[(name, Text("人数", "people"), row.value) for name, row in rows if row.value],
    )
    return Section(heading=Text("救助保障", "Benefits"), blocks=[*([chart] if chart.series else []), table])


def _warnings(own: dict[tuple[str, str], Public], before: Told) -> Section:
    measure = "open_warnings"
    total = own[measure, _ALL]
    rows = sorted(
        (row for (name, code), row in own.items() if name == measure and code != _ALL), key=lambda r: r.category
    )
    named = [(Text(f"{row.category} {row.category_name}", row.category), row) for row in rows]
    table = _table(
        caption=Text("未办结预警", "Open warnings"),
        unit=Text("件", "warnings"),
        columns=_columns(Text("指标", "Indicator"), before),
        rows=[_row(name, row, before) for name, row in [(Text("合计", "total"), total), *named]],
    )
    return Section(heading=Text("监测预警", "Warnings"), blocks=[table])


def _by_part(rows: list[Public]) -> list[Section]:
    if not rows:
        return []
    counts = {(row.area, row.measure, row.category): row.value for row in rows}

    def shown(*cell: str) -> Value:
        return _shown(counts[cell]) if cell in counts else Hidden.UNKNOWN

    areas = {row.area: row.area_name or row.area for row in rows}
    benefits = [code for code in words("benefit") if any(row.category == code for row in rows)]
    table = _table(
        caption=Text("各地区情况", "By area"),
        unit=Text("人", "people"),
        columns=[
            Column(Text("地区", "Area"), "text"),
            Column(Text("未办结预警（件）", "Open warnings")),
            *(Column(word("benefit", code)) for code in benefits),
        ],
        rows=[
            (
                Text(name, name),
                shown(area, "open_warnings", _ALL),
                *(shown(area, "people_with_benefit", code) for code in benefits),
            )
            for area, name in areas.items()
        ],
    )
    return [Section(heading=Text("分地区情况", "By area"), blocks=[table])]
