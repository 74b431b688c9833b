"""The situation page for inside: what stands, what is late, who is not covered, and whether the data can be trusted."""

from datetime import date
from pathlib import Path

from doudi.reports import figures
from doudi.reports.charts import LEVEL_COLOURS
from doudi.reports.document import Chart, Column, Document, Figures, Hidden, Section, Table, Text, Value
from doudi.reports.figures import LEVELS
from doudi.reports.scope import Scope
from doudi.reports.words import seed, word, words

WARNINGS, PEOPLE, YUAN = Text("件", "warnings"), Text("人", "people"), Text("元", "yuan")
_TOTAL = Text("合计", "total")
_MOST_PARTS = 12  # of areas in a chart; the table has them all


def situation(scope: Scope, *, seeds: Path) -> Document:
    """The page of an area on a day, exact; for those whose role reads these rows."""
    day = scope.build.as_of
    rows = figures.open_warnings(scope)
    sections = [
        _at_a_glance(scope, rows),
        _warnings(scope, rows, seeds),
        _trend(scope),
        coverage(scope),
        differences(scope, since=Text("本月", "this month")),
        _visits(rows, seeds),
        groups(scope, since=Text("本月", "this month")),
        *priority(scope),
        health(scope),
    ]
    return Document(
        title=Text("社会救助兜底保障监测形势", "Social assistance: the situation"),
        subtitle=Text(scope.name, scope.name),
        facts=[
            (Text("统计范围", "Area"), Text(f"{scope.name}（{scope.area}）", f"{scope.name} ({scope.area})")),
            (Text("统计日期", "As of"), Text(f"{day:%Y年%-m月%-d日}", f"{day}")),
            (Text("使用范围", "For"), Text("内部使用，不得外传", "internal use only")),
        ],
        sections=[section for section in sections if section.blocks],
        as_of=day,
    )


def _at_a_glance(scope: Scope, rows: list[figures.OpenWarnings]) -> Section:
    gaps = figures.funnel(scope)
    at_risk, uncovered = sum(row.at_risk for row in gaps), sum(row.uncovered for row in gaps)
    covered = sum(row.minimum_allowance + row.special_hardship for row in gaps)
    items: list[tuple[Text, Value]] = [
        (Text("在办预警（件）", "open warnings"), sum(row.standing for row in rows)),
        (Text("其中红色（件）", "of these red"), figures.summed(rows, lambda row: row.level)["red"]),
        (Text("逾期（件）", "overdue"), sum(row.overdue for row in rows)),
        (Text("监测对象（人）", "people at risk"), at_risk),
        (Text("未获救助（人）", "without aid"), uncovered),
        (
            Text("保障覆盖率", "share covered"),
            Text(*[f"{covered / at_risk:.1%}"] * 2) if at_risk else Hidden.UNKNOWN,
        ),
    ]
    return Section(heading=Text("要情速览", "At a glance"), blocks=[Figures(items=items)])


def _warnings(scope: Scope, rows: list[figures.OpenWarnings], seeds: Path) -> Section:
    if not rows:
        return Section(heading=Text("在办预警", "Open warnings"), blocks=[Text("没有在办预警。", "No warning stands.")])
    families = figures.summed(rows, lambda row: (row.indicator[:2], row.level))
    by_family = Chart(
        caption=Text("在办预警按类别和级别分布", "Open warnings by family and level"),
        kind="bars",
        unit=WARNINGS,
        series=[
            (name, word("level", level), families[code, level])
            for code, name in words("family").items()
            for level in LEVELS
            if families[code, level]
        ],
        colours=LEVEL_COLOURS,
    )
    names, of = seed(seeds, "indicator"), {row.indicator: row for row in rows}
    departments = seed(seeds, "department")
    standing = figures.summed(rows, lambda row: row.indicator)
    overdue = figures.summed(rows, lambda row: row.indicator, "overdue")
    new = figures.summed(rows, lambda row: row.indicator, "opened_this_month")
    by_indicator = Table(
        caption=Text("在办预警按指标", "Open warnings by indicator"),
        unit=WARNINGS,
        columns=[
            *(Column(heading, "text") for heading in (Text("指标", "Indicator"), Text("级别", "Level"))),
            Column(Text("牵头部门", "Lead"), "text"),
            *map(Column, (Text("在办", "Open"), Text("本月新增", "New this month"), Text("逾期", "Overdue"))),
        ],
        rows=[
            (_TOTAL, None, None, sum(standing.values()), sum(new.values()), sum(overdue.values())),
            *(
                (
                    Text(*(f"{code} {part}" for part in names.get(code, Text("", "")))),
                    word("level", of[code].level),
                    departments.get(of[code].department, Text(of[code].department, of[code].department)),
                    count,
                    new[code],
                    overdue[code],
                )
                for code, count in sorted(
                    standing.items(), key=lambda item: (LEVELS.index(of[item[0]].level), -item[1])
                )
            ),
        ],
    )
    return Section(heading=Text("在办预警", "Open warnings"), blocks=[by_family, *_by_part(scope, rows), by_indicator])


def _by_part(scope: Scope, rows: list[figures.OpenWarnings]) -> list[Chart | Table]:
    names = scope.part_names()
    counts = figures.summed(rows, lambda row: (row.part, row.level))
    overdue = figures.summed(rows, lambda row: row.part, "overdue")
    standing = figures.summed(rows, lambda row: row.part).most_common()
    if len(standing) < 2:
        return []
    called = {code: names.get(code, Text(code, code)) for code, _ in standing}
    chart = Chart(
        caption=Text(f"在办预警最多的{min(_MOST_PARTS, len(standing))}个下级地区", "Areas with the most open warnings"),
        kind="bars",
        unit=WARNINGS,
        series=[
            (called[code], word("level", level), counts[code, level])
            for code, _ in standing[:_MOST_PARTS]
            for level in LEVELS
            if counts[code, level]
        ],
        colours=LEVEL_COLOURS,
    )
    table = Table(
        caption=Text("在办预警按地区", "Open warnings by area"),
        unit=WARNINGS,
        columns=[
            Column(Text("地区", "Area"), "text"),
            Column(Text("在办", "Open")),
            *(Column(word("level", level)) for level in LEVELS),
            Column(Text("逾期", "Overdue")),
        ],
        rows=[
            (called[code], count, *(counts[code, level] for level in LEVELS), overdue[code]) for code, count in standing
        ],
    )
    return [chart, table]


def _trend(scope: Scope) -> Section:
    months = figures.warnings_by_month(scope)
    days = sorted({row.month for row in months})
    counts = {(row.month, row.level): row.standing for row in months}
    called = {day: Text(f"{day:%Y年%-m月}", f"{day:%Y-%m}") for day in days}
    chart = Chart(
        caption=Text("各月末在办预警", "Warnings that stood at the end of each month"),
        kind="lines",
        unit=WARNINGS,
        series=[(called[d], word("level", level), counts.get((d, level), 0)) for level in LEVELS for d in days],
        colours=LEVEL_COLOURS,
    )
    sums = {day: [sum(row[at] for row in months if row.month == day) for at in (2, 3, 4)] for day in days}
    table = Table(
        caption=Text("预警变化", "Warnings by month"),
        unit=WARNINGS,
        columns=[
            Column(Text("月份", "Month"), "text"),
            *map(Column, (Text("月末在办", "At the end"), Text("新增", "Opened"), Text("办结", "Closed"))),
        ],
        rows=[(called[day], *sums[day]) for day in days],
    )
    # of a single month there is nothing to draw a line through
    return Section(
        heading=Text("变化趋势", "Trend"), blocks=[*([chart] if days[1:] else []), *([table] if days else [])]
    )


def coverage(scope: Scope) -> Section:
    """The funnel of those at risk; also the periodic report's."""
    gaps = figures.funnel(scope)
    heading = Text("兜底保障缺口", "Coverage gaps")
    if not gaps:
        return Section(heading=heading, blocks=[])
    aid = {
        "minimum_allowance": Text("低保", "allowance"),
        "special_hardship": Text("特困供养", "special hardship"),
        "temporary": Text("仅临时救助", "temporary only"),
        "uncovered": Text("未获救助", "no aid"),
    }
    statuses = [(word("poverty_status", row.status), row) for row in gaps]
    table = Table(
        caption=Text("监测对象保障情况", "People at risk by the first aid they have"),
        unit=PEOPLE,
        columns=[
            Column(Text("登记状态", "Status"), "text"),
            Column(Text("监测对象", "At risk")),
            *map(Column, aid.values()),
            Column(Text("未纳入保障（户）", "Households not covered")),
        ],
        rows=[
            (_TOTAL, *(sum(row[at] for row in gaps) for at in (2, 3, 4, 5, 6, 8))),
            *((name, *row[2:7], row.uncovered_households) for name, row in statuses),
        ],
        note=Text(
            "每人只计入其享受的第一项救助；临时救助指近12个月内获得且未享受低保、特困供养。",
            "Each person once, by the first that applies; temporary assistance is of the last 12 months.",
        ),
    )
    chart = Chart(
        caption=Text("监测对象按保障情况", "People at risk by aid"),
        kind="bars",
        unit=PEOPLE,
        series=[(name, aid[kind], getattr(row, kind)) for name, row in statuses for kind in aid],
        colours={"未获救助": "#c0392b"},
    )
    return Section(heading=heading, blocks=[chart, table])


def differences(scope: Scope, *, since: Text, first_on: date | None = None) -> Section:
    """What the registers say differently; also the periodic report's."""
    rows = figures.differences(scope, first_on=first_on or scope.build.as_of.replace(day=1))
    table = _standing_table(
        rows,
        "difference",
        caption=Text("民政与扶贫登记信息比对", "Civil affairs' registers against the poverty register"),
        heading=Text("不一致情形", "Difference"),
        came=Text(f"{since.zh}新增", f"new {since.en}"),
        went=Text(f"{since.zh}消除", f"settled {since.en}"),
        note=Text("同一人可有多种不一致，故不作合计。", "A person may have several differences, so there is no total."),
    )
    return Section(heading=Text("登记信息比对", "Register comparison"), blocks=[table] if rows else [])


def groups(scope: Scope, *, since: Text, first_on: date | None = None) -> Section:
    """Groups with special difficulties; also the periodic report's."""
    rows = figures.special_groups(scope, first_on=first_on or scope.build.as_of.replace(day=1))
    table = _standing_table(
        rows,
        "group",
        caption=Text("特殊困难群体情况", "Special groups"),
        heading=Text("群体", "Group"),
        came=Text(f"{since.zh}新增", f"joined {since.en}"),
        went=Text(f"{since.zh}退出", f"left {since.en}"),
        note=Text("同一人可属多个群体，故不作合计。", "A person may be in several groups, so there is no total."),
    )
    return Section(heading=Text("特殊困难群体", "Special groups"), blocks=[table] if rows else [])


def _standing_table(
    rows: list[figures.Standing], kind: str, *, caption: Text, heading: Text, came: Text, went: Text, note: Text
) -> Table:
    order = list(words(kind))
    ordered = sorted(rows, key=lambda row: order.index(row.kind) if row.kind in order else len(order))
    was_known = any(row.before for row in rows)  # else the first list came in this time
    return Table(
        caption=caption,
        unit=PEOPLE,
        columns=[
            Column(heading, "text"),
            *map(Column, (Text("期初", "Before"), came, went, Text("期末", "Now"))),
        ],
        rows=[
            (word(kind, row.kind), row.before if was_known else Hidden.UNKNOWN, row.came, row.went, row.people)
            for row in ordered
        ],
        note=note,
    )


def _visits(rows: list[figures.OpenWarnings], seeds: Path) -> Section:
    departments = seed(seeds, "department")
    leads = [code for code, _ in figures.summed(rows, lambda row: row.department).most_common()]
    counted = ("standing", "not_visited", "visited", "referred", "resolved", "due_soon", "overdue")
    sums = {name: figures.summed(rows, lambda row: row.department, name) for name in counted}
    called = {code: departments.get(code, Text(code, code)) for code in leads}
    chart = Chart(
        caption=Text("各牵头部门在办预警是否逾期", "Open warnings by lead department: overdue or not"),
        kind="bars",
        unit=WARNINGS,
        series=[
            (called[code], name, count)
            for code in leads
            for name, count in (
                (Text("逾期", "overdue"), sums["overdue"][code]),
                (Text("未逾期", "in time"), sums["standing"][code] - sums["overdue"][code]),
            )
        ],
        colours={"逾期": "#c0392b", "未逾期": "#81a4cd"},
    )
    headings = (
        *(
            Text("在办", "Open"),
            Text("未走访", "Not visited"),
            Text("走访属实", "Confirmed"),
            Text("已转介", "Referred"),
        ),
        *(Text("已解决待消除", "Resolved"), Text("7日内到期", "Due in 7 days"), Text("逾期", "Overdue")),
    )
    table = Table(
        caption=Text("走访办理与期限", "Visits and deadlines"),
        unit=WARNINGS,
        columns=[Column(Text("牵头部门", "Lead"), "text"), *map(Column, headings)],
        rows=[
            (_TOTAL, *(sum(sums[name].values()) for name in counted)),
            *((called[code], *(sums[name][code] for name in counted)) for code in leads),
        ],
    )
    return Section(heading=Text("走访与期限", "Visits and deadlines"), blocks=[chart, table] if rows else [])


def priority(scope: Scope) -> list[Section]:
    """Counties of the three districts and three states; also the periodic report's."""
    rows = figures.priority_areas(scope)
    if not rows:
        return []
    headings = (
        *(Text("登记人口", "People"), Text("监测对象", "At risk"), Text("未获救助", "No aid")),
        *(Text("在办预警（件）", "Open warnings"), Text("逾期（件）", "Overdue")),
    )
    table = Table(
        caption=Text("“三区三州”各县（市）情况", "Counties of the three districts and three states"),
        unit=PEOPLE,
        columns=[
            Column(Text("次序", "Rank")),
            Column(Text("县（市）", "County"), "text"),
            *map(Column, headings),
            Column(Text("救助资金（元）", "Aid of 12 months (yuan)"), "money"),
        ],
        rows=[(row.rank, Text(*[row.name or row.code] * 2), *row[4:]) for row in rows],
        note=Text(
            "次序先看是否深度贫困县，再看未获救助人数、逾期预警和监测对象人数；救助资金为近12个月合计。",
            "Deep-poverty counties first, then by people without aid, warnings overdue and people at risk.",
        ),
    )
    return [Section(heading=Text("重点地区", "Priority areas"), blocks=[table])]


def health(scope: Scope) -> Section:
    """What has come from whom, and what of it waits."""
    rows = figures.feeds(scope)
    table = Table(
        caption=Text("数据报送情况", "Deliveries"),
        columns=[
            *(Column(heading, "text") for heading in (Text("数据源", "Feed"), Text("最近数据日期", "Last data date"))),
            *(Column(heading, "text") for heading in (Text("下次应报", "Next due"), Text("状态", "State"))),
            Column(Text("拒收批次（待处理）", "Refused deliveries")),
            Column(Text("隔离行数（待处理）", "Refused rows")),
        ],
        rows=[
            (Text(row.title, row.feed.replace("_", " ")), row.last_data_date or Hidden.UNKNOWN,
             row.due_on or Hidden.UNKNOWN, word("state", row.state), row.refused_deliveries or 0,
             row.open_refused_rows or 0)
            for row in rows
        ],
    )  # fmt: skip
    return Section(heading=Text("数据质量", "Data health"), blocks=[table] if rows else [])
