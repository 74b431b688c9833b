"""The sentences of a warning, as a township worker reads them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from doudi.contracts import Contract
from doudi.explain import language_of
from doudi.explain.reading import Case, Visit
from doudi.explain.sentences import Teller
from doudi.explain.words import Language

STANDARD = {
    "name": "minimum_allowance_monthly.rural", "value": 497, "unit": "yuan per person and month", "area": "5134",
    "valid_from": "2020-01-01", "source": "* a choice: a fall by 30 per cent",
}  # fmt: skip
INCOME = {"name": "income_monthly", "comparison": "<", "value": 362.81, "unit": "yuan per person and month"}
COVERED = {"name": "covered", "comparison": "=", "value": False, "expected": False}
FACT = {"feed": "poverty_register", "date": "2020-06-30", "load_id": 7, "row_no": 12}
PERSONAL = ("990001197001010019", "某甲")


def _case(*compared: dict[str, Any], facts: tuple[dict[str, Any], ...] = (), **changes: Any) -> Case:
    warning = {
        "warning_id": "PT01-20200630-0000000000", "indicator_code": "PT01", "scope": "H",
        "division_code": "513431100204",
        "level": "red", "lead_department": "civil_affairs", "opened_on": date(2020, 6, 30), "status": "open",
        "last_seen_on": date(2020, 7, 31), "closed_on": None, "due_on": date(2020, 7, 3), "is_overdue": False,
        "muted_until": None, "referred_to": None, "evidence": {"compared": list(compared), "facts": list(facts)},
    } | changes  # fmt: skip
    return Case(
        warning=warning,
        visits=[],
        earlier=[],
        files={7: "poverty_register_513431_20200630.csv"},
        catalogue={
            "PT01": {"code": "PT01", "name_en": "below standard", "name_zh": "收入低于标准", "clause": "county rule"},
            "BL08": {
                "code": "BL08",
                "name_en": "unsafe only home",
                "name_zh": "唯一住房不安全",
                "clause": "county rule",
            },
        },
        levels={"red": {"name_zh": "红色"}},
        departments={
            "civil_affairs": {"name_en": "civil affairs", "name_zh": "民政局"},
            "housing": {"name_en": "housing", "name_zh": "住房和城乡建设局"},
        },
        divisions={"51": "四川省", "5134": "凉山彝族自治州", "513431": "昭觉县", "513431100": "新城镇"},
    )


@pytest.fixture
def tell(contracts: dict[str, Contract]):
    def tell(case: Case, language: Language = "en") -> list[str]:
        return list(Teller(case=case, contracts=contracts, language=language).lines())

    return tell


def test_a_limit_is_told_with_the_distance_and_where_it_comes_from(tell) -> None:
    case = _case(INCOME | {"limit": STANDARD})
    english, chinese = tell(case), tell(case, "zh")
    assert (
        "  - The household's income per person and month is 362.81 yuan, below the rural minimum allowance standard of"
        " 497 yuan, 134.19 yuan (27 per cent) below it." in english
    )
    assert (
        "    The rural minimum allowance standard: 497 yuan per person and month, for 四川省 凉山彝族自治州, since"
        " 1 January 2020. Source: a choice, no published rule: a fall by 30 per cent" in english
    )
    assert "  · 家庭月人均收入为362.81元，低于农村低保标准497元，低134.19元（27%）。" in chinese
    assert any("适用于四川省 凉山彝族自治州，2020年1月1日起执行。出处：暂定值" in line for line in chinese)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (INCOME | {"value": 497, "comparison": ">=", "limit": STANDARD}, "不低于农村低保标准497元，正好相等"),
        (INCOME | {"value": 497, "limit": STANDARD}, "低于农村低保标准497元，相差极小"),
        (INCOME | {"value": 496.99, "limit": STANDARD}, "低于农村低保标准497元，低0.01元（<0.1%）"),
        (
            {"name": "income_share", "value": 0.6537, "comparison": "<=",
             "limit": STANDARD | {"name": "income_fall_share", "value": 0.70, "unit": "of the earlier income"}},
            "为65.37%，不高于收入下降预警线70%，低4.63个百分点",
        ),
        (
            {"name": "settled_on", "value": "2020-05-10", "comparison": "within",
             "limit": STANDARD | {"name": "look_back_months", "value": 12, "unit": "months"}},
            "最近一次结算日期为2020年5月10日，在近12个月内",
        ),
        ({"name": "safety_grade", "value": "D", "comparison": "in", "expected": ["C", "D"]}, "住房安全鉴定为D级"),
        ({"name": "works", "value": "under_way", "comparison": "<>", "expected": "completed"}, "改造状态为施工中"),
        ({"name": "indicator_codes", "value": "BL08、PT01", "comparison": "in", "expected": ["BL"]},
         "同时发现：BL08 唯一住房不安全、PT01 收入低于标准"),
        (COVERED, "未享受低保，也未享受特困供养"),
    ],
)  # fmt: skip
def test_each_kind_of_comparison_is_a_sentence(tell, item: dict[str, Any], said: str) -> None:
    assert any(said in line for line in tell(_case(item), "zh"))


def test_facts_of_one_row_stand_together_and_show_no_person(tell) -> None:
    facts = (
        FACT | {"column": "status", "value": "not_lifted"},
        FACT | {"column": "household_no", "value": "51343100000069"},
        FACT | {"column": "annual_income_per_capita", "value": 3000},
        FACT | {"column": "citizen_id", "value": PERSONAL[0]},
        FACT | {"column": "name", "value": PERSONAL[1]},
    )
    case = _case(COVERED, facts=facts)
    (line,) = [line for line in tell(case, "zh") if "poverty_register_513431" in line]
    assert line.startswith(
        "  · 建档立卡，文件poverty_register_513431_20200630.csv第12条：“户状态”未脱贫（2020年6月30日）；"
    )
    assert "“户编号”51343100000069（" in line
    assert "“家庭年人均纯收入”3,000元（" in line
    told = "".join(tell(case) + tell(case, "zh"))
    assert not any(personal in told for personal in PERSONAL)
    numbered = _case(COVERED, facts=(FACT | {"column": "name", "value": "name 2"},))
    assert any("“姓名”为第2种写法（此处不显示）" in line for line in tell(numbered, "zh"))


def test_what_is_to_be_done_follows_from_what_was_found(tell) -> None:
    visited = [
        Visit(visited_on=date(2020, 7, 2), finding="confirmed", refer_to=None),
        Visit(visited_on=date(2020, 7, 9), finding="refer", refer_to="housing"),
    ]
    referred = replace(_case(COVERED, status="referred", referred_to="housing"), visits=visited)
    told = tell(referred, "zh")
    assert "  · 走访已转介，请住房和城乡建设局接办。" in told
    assert told[-4:] == [
        "  · 2020年6月30日：首次发现。",
        "  · 2020年7月2日：入户走访，结果为属实。",
        "  · 2020年7月9日：入户走访，结果为需转介，转住房和城乡建设局。",
        "  · 2020年7月31日：最近一次比对仍然存在。",
    ]
    overdue = tell(_case(COVERED, is_overdue=True))
    assert "  - This is overdue since 3 July 2020." in overdue
    assert any(line.startswith("  - By 3 July 2020 somebody visits") for line in overdue)
    closed = _case(COVERED, status="not_confirmed", closed_on=date(2020, 7, 31), muted_until=date(2020, 10, 29))
    assert tell(closed, "zh")[-1] == "  · 2020年7月31日：走访不属实，预警关闭，2020年10月29日前不再提示。"
    assert "  · 预警已关闭，无需办理。" in tell(closed, "zh")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environment: dict[str, str], language: Language) -> None:
    assert language_of(environment) == language
