"""The plan's periodic report for inside: how the four tasks are carried out, against the period before."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from doudi.reports import figures, situation
from doudi.reports.charts import LEVEL_COLOURS
from doudi.reports.document import Chart, Column, Document, Hidden, Section, Table, Text, Value, change
from doudi.reports.errors import ReportError
from doudi.reports.figures import LEVELS, Period, Reported
from doudi.reports.scope import Scope
from doudi.reports.situation import PEOPLE, WARNINGS, YUAN
from doudi.reports.words import word, words

_QUARTERS = "一二三四"
_TEN_THOUSAND = Text("万元", "10,000 yuan")


def periodic(scope: Scope, *, period: str, seeds: Path) -> Document:
    """The report of an area and a period, exact. Raises ReportError where the marts know no such period."""
    about = figures.period_of(scope, period)
    if about is None:
        raise ReportError(f"the marts of {scope.build.as_of} report on no period {period}")
    told = figures.reported(scope, period)
    warnings = _Warnings(told, was_watched=figures.was_watched(scope, about.before_last_on))
    since = Text("本期", "in the period")
    sections = [
        Section(heading=Text("总体情况", "Overall"), blocks=_overall(scope, about, told, warnings)),
        _early_warning(scope, about, warnings),
        situation.differences(scope, since=since, first_on=about.first_on.replace(day=1)),
        _aid(told),
        situation.coverage(scope),
        situation.groups(scope, since=since, first_on=about.first_on.replace(day=1)),
        *situation.priority(scope),
        situation.health(scope),
        Section(heading=Text("统计说明", "Notes"), blocks=_notes()),
    ]
    return Document(
        title=Text("社会救助兜底脱贫行动落实情况报告", "Report on the Action Plan for social assistance"),
        subtitle=called(about),
        facts=head(scope, about, Text("内部使用，不得外传", "internal use only")),
        sections=[section for section in sections if section.blocks],
        as_of=scope.build.as_of,
    )


def called(period: Period) -> Text:
    """The second quarter of 2020 is 2020年第二季度; other periods go by the mart's name of them."""
    if period.code != "quarter":
        return Text(f"{period.last_on.year}年{period.name_zh}", f"{period.last_on.year}, {period.name_en}")
    number = (period.first_on.month + 2) // 3
    return Text(f"{period.first_on.year}年第{_QUARTERS[number - 1]}季度", f"quarter {number} of {period.first_on.year}")


def head(scope: Scope, period: Period, audience: Text, *, is_compared: bool = True) -> list[tuple[Text, Text]]:
    """Area, period, the one before, and for whom."""

    def days(first: object, last: object) -> Text:
        return Text(f"{first:%Y年%-m月%-d日}至{last:%Y年%-m月%-d日}", f"{first} to {last}")

    before = days(period.before_first_on, period.before_last_on)
    return [
        (Text("统计范围", "Area"), Text(f"{scope.name}（{scope.area}）", f"{scope.name} ({scope.area})")),
        (Text("报告期间", "Period"), days(period.first_on, period.last_on)),
        (Text("对比期间", "Against"), before if is_compared else Text("上期未发布，不作对比", "nothing was published")),
        (Text("使用范围", "For"), audience),
    ]


@dataclass(frozen=True)
class _Warnings:
    """What the period's figures say of warnings, by measure and level."""

    told: dict[tuple[str, str], Reported]
    was_watched: bool = field(kw_only=True)  # before the period; else zeros of then say nothing

    def of(self, measure: str, level: str | None = None) -> Reported:
        """Of a level or of all."""
        rows = [row for (name, item), row in self.told.items() if name == measure and level in (None, item)]
        return Reported(
            amount=sum((row.amount for row in rows), Decimal(0)),
            before=sum((row.before for row in rows), Decimal(0)),
            is_comparable=self.was_watched,
        )


def _overall(scope: Scope, about: Period, told: dict[tuple[str, str], Reported], warnings: _Warnings) -> list[Text]:
    opened, standing = warnings.of("warnings_opened"), warnings.of("warnings_standing")
    overdue, visited = warnings.of("warnings_overdue"), warnings.of("warnings_visited")
    gaps = figures.funnel(scope)
    at_risk, uncovered = sum(row.at_risk for row in gaps), sum(row.uncovered for row in gaps)
    money = sum(row.amount for (measure, _), row in told.items() if measure == "money")
    trend = _than(opened)
    return [
        Text(
            f"{about.last_on:%Y年%-m月%-d日}，{scope.name}在办预警{standing.amount:,.0f}件，其中逾期{overdue.amount:,.0f}件。"
            f"报告期内新增预警{opened.amount:,.0f}件，{trend.zh}；已走访{visited.amount:,.0f}件。",
            f"On {about.last_on} {standing.amount:,.0f} warnings stood, {overdue.amount:,.0f} of them overdue. "
            f"In the period {opened.amount:,.0f} were opened, {trend.en}; {visited.amount:,.0f} were visited.",
        ),
        Text(
            f"监测对象{at_risk:,}人，其中未获低保、特困供养和临时救助的{uncovered:,}人。"
            f"报告期内各类救助资金（按登记应发口径）{money:,.2f}元。",
            f"Of {at_risk:,} people at risk {uncovered:,} have neither allowance, special hardship support nor "
            f"temporary assistance. Aid of all kinds, as registered, came to {money:,.2f} yuan.",
        ),
    ]


def _than(row: Reported) -> Text:
    if not row.is_comparable:
        return Text("上期尚未开展监测", "with no watch kept in the period before")
    more = row.amount - row.before
    if more == 0:
        return Text("与上期持平", "as many as in the period before")
    return Text(
        f"比上期{'增加' if more > 0 else '减少'}{abs(more):,.0f}件",
        f"{abs(more):,.0f} {'more' if more > 0 else 'fewer'} than before",
    )


_COMPARED = [
    Column(Text("本期", "Period")),
    Column(Text("上期", "Before")),
    Column(Text("增减", "Change"), "change"),
]


def _compared(row: Reported) -> tuple[Value, Value, Value]:
    before: Value = row.before if row.is_comparable else Hidden.UNKNOWN
    return row.amount, before, change(row.amount, before)


def _early_warning(scope: Scope, about: Period, warnings: _Warnings) -> Section:
    measures = words("measure")
    all_levels = Table(
        caption=Text("预警发现与处置情况", "Warnings found and handled"),
        unit=WARNINGS,
        columns=[Column(Text("项目", "Measure"), "text"), *_COMPARED],
        rows=[(name, *_compared(warnings.of(code))) for code, name in measures.items()],
        note=None
        if warnings.was_watched
        else Text("“—”表示上期尚未开展监测，无数可比。", "— where no watch was kept in the period before."),
    )
    shown = ("warnings_opened", "warnings_visited", "warnings_standing", "warnings_overdue")
    by_level = Table(
        caption=Text("各级预警情况", "Warnings by level"),
        unit=WARNINGS,
        columns=[
            Column(Text("级别", "Level"), "text"),
            *(
                Column(Text(f"{measures[code].zh}{mark.zh}", f"{measures[code].en}{mark.en}"))
                for code in shown
                for mark in (Text("", ""), Text("（上期）", " (before)"))
            ),
        ],
        rows=[
            (
                word("level", level),
                *(value for code in shown for value in _compared(warnings.of(code, level))[:2]),
            )
            for level in LEVELS
        ],
    )
    chart = Chart(
        caption=Text("期末在办预警与上期末比较", "Warnings that stood at the end, against the period before")
        if warnings.was_watched
        else Text("期末在办预警", "Warnings that stood at the end"),
        kind="bars",
        unit=WARNINGS,
        series=[
            (when, word("level", level), float(getattr(warnings.of("warnings_standing", level), at)))
            for when, at in ((Text("上期末", "before"), "before"), (Text("本期末", "now"), "amount"))
            for level in LEVELS
            if at == "amount" or warnings.was_watched
        ],
        colours=LEVEL_COLOURS,
    )
    return Section(
        heading=Text("监测预警", "Early warning"), blocks=[all_levels, chart, by_level, *_by_part(scope, about)]
    )


def _by_part(scope: Scope, about: Period) -> list[Table]:
    parts = figures.reported_of_parts(scope, about.code)
    names = scope.part_names()
    measures = words("measure")
    codes = sorted({part for part, _ in parts})
    if len(codes) < 2:
        return []
    return [
        Table(
            caption=Text("各地区预警情况", "Warnings by area"),
            unit=WARNINGS,
            columns=[Column(Text("地区", "Area"), "text"), *map(Column, measures.values())],
            rows=[
                (names.get(part, Text(part, part)), *(parts.get((part, code), Decimal(0)) for code in measures))
                for part in codes
            ],
        )
    ]


def _aid(told: dict[tuple[str, str], Reported]) -> Section:
    benefits = words("benefit")
    people = [("people_newly_covered", code) for code in benefits] + [("people_granted", "temporary_assistance")]
    newly = Table(
        caption=Text("新纳入保障人数", "People newly covered"),
        unit=PEOPLE,
        columns=[Column(Text("保障项目", "Benefit"), "text"), *_COMPARED],
        rows=[(benefits[item], *_compared(told[measure, item])) for measure, item in people if (measure, item) in told],
        note=Text(
            "临时救助为报告期内获得救助的人数。各项目人员有交叉，故不作合计。",
            "Of temporary assistance who was given a grant. Somebody may be in several, so there is no total.",
        ),
    )
    money = Table(
        caption=Text("救助资金", "Money by benefit"),
        unit=YUAN,
        columns=[
            Column(Text("救助项目", "Benefit"), "text"),
            Column(Text("本期", "Period"), "money"),
            Column(Text("上期", "Before"), "money"),
            Column(Text("增减", "Change"), "money_change"),
        ],
        rows=[(name, *_compared(told["money", code])) for code, name in benefits.items() if ("money", code) in told],
        note=Text(
            "按月发放的救助按登记标准逐月计算；“—”表示上期名单月份不全，不宜比较。",
            "Monthly aid as registered, month by month; — where the lists of the period before are not all there.",
        ),
    )
    paid = {code: told["money", code].amount for code in benefits if ("money", code) in told}
    unit, yuan = (_TEN_THOUSAND, 10_000) if max(paid.values(), default=0) >= 100_000 else (YUAN, 1)
    chart = Chart(
        caption=Text("本期救助资金构成", "Money of the period by benefit"),
        kind="bars",
        unit=unit,
        series=[(benefits[code], Text("本期", "period"), float(amount) / yuan) for code, amount in paid.items()],
    )
    return Section(
        heading=Text("兜底保障政策落实", "Carrying out the policies"),
        blocks=[*([newly] if newly.rows else []), *([chart, money] if money.rows else [])],
    )


def _notes() -> list[Text]:
    return [
        Text(
            "数据来自各部门报送的名单和登记，以报告日前最后一次报送为准；指标含义和计算口径见指标目录。",
            "The figures come from the lists that departments sent, as of the last before the date.",
        ),
        Text(
            "预警是请有关部门上门核实的提示，不作为停发、减发救助的依据。",
            "A warning asks a department to go and look; it is no reason to stop or cut a benefit.",
        ),
    ]
