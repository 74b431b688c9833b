"""What outsiders are told: marts.public_summary and nothing else, in which small counts are hidden already."""

from doudi.reports import figures
from doudi.reports.document import Chart, Column, Document, Hidden, Section, Table, Text, Value, change
from doudi.reports.errors import ReportError
from doudi.reports.figures import Period, Public
from doudi.reports.periodic import called, head
from doudi.reports.scope import Build, Scope
from doudi.reports.words import word, words

_ALL = "all"
_AUDIENCE = Text("可公开", "may be published")
_NOTE = Text(
    "“*”表示人数较少，或据此可推算较少人数，依规不予公开。",
    "* is not told: it is a small count, or a small one could be reckoned from it.",
)


def public(scope: Scope, *, period: str | None, earlier: Build | None) -> Document:
    """The page, or with ``period`` the report, for anybody. ``earlier``: a build of the end of the period before.

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
    before = _before(scope, earlier)
    day = scope.build.as_of
    when = (Text("统计日期", "As of"), Text(f"{day:%Y年%-m月%-d日}", f"{day}"))
    area = (Text("统计范围", "Area"), Text(f"{scope.name}（{scope.area}）", f"{scope.name} ({scope.area})"))
    own = {(row.measure, row.category): row for row in rows if row.area == scope.area}
    parts = [row for row in rows if row.area != scope.area]
    return Document(
        title=Text("社会救助兜底保障情况公报", "Social assistance: published figures"),
        subtitle=called(about) if about else Text(scope.name, scope.name),
        facts=head(scope, about, _AUDIENCE) if about else [area, when, (Text("使用范围", "For"), _AUDIENCE)],
        sections=[
            _benefits(own, before, about),
            _warnings(own, before, about),
            *_by_part(parts),
        ],
        as_of=day,
    )


def _before(scope: Scope, earlier: Build | None) -> dict[tuple[str, str], Public]:
    """What was published of the area on the earlier day; nothing where it was not built."""
    if earlier is None:
        return {}
    then = Scope(session=scope.session, build=earlier, area=scope.area, name=scope.name)
    return {(row.measure, row.category): row for row in figures.public(then) if row.area == scope.area}


def _told(row: Public | None) -> Value:
    if row is None:
        return Hidden.UNKNOWN
    return Hidden.SUPPRESSED if row.value is None else row.value


def _columns(first: Text, about: Period | None) -> list[Column]:
    if about is None:
        return [Column(first, "text"), Column(Text("本期", "Count"))]
    return [
        Column(first, "text"),
        Column(Text("期末", "At the end")),
        Column(Text("上期末", "Before")),
        Column(Text("增减", "Change"), "change"),
    ]


def _row(name: Text, row: Public, before: Public | None, about: Period | None) -> tuple[Value, ...]:
    now, then = _told(row), _told(before)
    return (name, now, then, change(now, then)) if about else (name, now)


def _table(*, caption: Text, unit: Text | None, columns: list[Column], rows: list[tuple[Value, ...]]) -> Table:
    """A table that says what * stands for, where it has one."""
    is_hidden = any(value is Hidden.SUPPRESSED for row in rows for value in row)
    return Table(caption=caption, unit=unit, columns=columns, rows=rows, note=_NOTE if is_hidden else None)


def _benefits(
    own: dict[tuple[str, str], Public], before: dict[tuple[str, str], Public], about: Period | None
) -> Section:
    measure = "people_with_benefit"
    rows = [
        (word("benefit", code), own[measure, code], before.get((measure, code)))
        for code in words("benefit")
        if (measure, code) in own
    ]
    table = _table(
        caption=Text("享受救助人数", "People with a benefit"),
        unit=Text("人", "people"),
        columns=_columns(Text("救助项目", "Benefit"), about),
        rows=[_row(name, row, then, about) for name, row, then in rows],
    )
    chart = Chart(
        caption=Text("享受救助人数（不含未公开数）", "People with a benefit, as far as told"),
        kind="bars",
        unit=Text("人", "people"),
        series=[(name, Text("人数", "people"), row.value) for name, row, _ in rows if row.value is not None],
    )
    return Section(heading=Text("救助保障", "Benefits"), blocks=[*([chart] if chart.series else []), table])


def _warnings(
    own: dict[tuple[str, str], Public], before: dict[tuple[str, str], Public], about: Period | None
) -> Section:
    measure = "open_warnings"
    total = own[measure, _ALL]
    rows = sorted(
        (row for (name, code), row in own.items() if name == measure and code != _ALL), key=lambda r: r.category
    )
    named = [(Text(f"{row.category} {row.category_name}", row.category), row) for row in rows]
    table = _table(
        caption=Text("未办结预警", "Open warnings"),
        unit=Text("件", "warnings"),
        columns=_columns(Text("指标", "Indicator"), about),
        rows=[
            _row(name, row, before.get((measure, row.category)), about)
            for name, row in [(Text("合计", "total"), total), *named]
        ],
    )
    return Section(heading=Text("监测预警", "Warnings"), blocks=[table])


def _by_part(rows: list[Public]) -> list[Section]:
    if not rows:
        return []
    told = {(row.area, row.measure, row.category): row for row in rows}
    areas = {row.area: row.area_name or row.area for row in rows}
    benefits = [code for code in words("benefit") if any(row.category == code for row in rows)]
    table = _table(
        caption=Text("各地区情况", "By area"),
        unit=None,
        columns=[
            Column(Text("地区", "Area"), "text"),
            Column(Text("未办结预警（件）", "Open warnings")),
            *(Column(Text(f"{word('benefit', code).zh}（人）", word("benefit", code).en)) for code in benefits),
        ],
        rows=[
            (
                Text(name, name),
                _told(told.get((area, "open_warnings", _ALL))),
                *(_told(told.get((area, "people_with_benefit", code))) for code in benefits),
            )
            for area, name in areas.items()
        ],
    )
    return [Section(heading=Text("分地区情况", "By area"), blocks=[table])]
