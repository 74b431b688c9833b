"""What happens once: settlements, temporary assistance, economic checks, visits; and what is corrected later."""

from datetime import date, timedelta
from hashlib import sha256
from random import Random

from doudi.synth import rows
from doudi.synth.names import pick
from doudi.synth.people import Family, Person
from doudi.synth.records import Record
from doudi.synth.standards import INDICATORS
from doudi.synth.world import World

_CORRECTED, _REPEATED = 0.02, 0.01
_MISNAMED, _HEARD = 0.006, "兵彬斌惠慧"  # a hospital writes down what it hears
_DISEASES = (
    "肺结核",
    "慢性阻塞性肺疾病",
    "高血压",
    "冠心病",
    "脑梗死",
    "骨折",
    "阑尾炎",
    "肝硬化",
    "糖尿病",
    "剖宫产",
    "肺炎,伴有发热",
)
_MAJOR = ("尿毒症", "胃恶性肿瘤", "白血病", "肝恶性肿瘤", "重性精神病")
_REASONS = (
    "突发疾病",
    "交通事故,无力支付",
    "火灾\n房屋受损",
    "子女就学支出过大",
    "遭遇泥石流",
    '因病支出较大("自付超2万")',
)
_REFUSALS = ("收入超过标准", "财产超标:名下有车辆", "家庭成员信息不实,\n拒绝补正", "有商品房")
_VISITORS = ("吉伍约哈", "李志强", "沙马拉且", "杨秀英", "马海木呷", "驻村工作队")
_REMARKS = ("已走访,情况属实", "家中老人行动不便\n需上门办理", "外出务工,电话核实", '户主称"暂不申请"', None, None)
_MEASURES = ("协助申请低保", "申请临时救助", "联系医保二次报销", None)


def _day(rng: Random, world: World) -> date:
    """A day within the history, none of them after the last delivery."""
    timeline = world.timeline
    return timeline.last - timedelta(days=int(rng.random() * (timeline.last - timeline.history_from).days))


def _happened(
    rng: Random, world: World, *, feed: str, row: dict, day: date, correction: dict, records: list[Record]
) -> None:
    """Deliver an event once; a few come again in the next delivery, corrected or word for word."""
    index = world.timeline.delivery_of(feed, day)
    record = world.event(feed, row, index=index)
    chance = rng.random()
    if chance < _CORRECTED + _REPEATED and index + 1 < len(record.states):
        record.states[index + 1] = {**row, **correction} if chance < _CORRECTED else dict(row)
    records.append(record)


def medical(rng: Random, family: Family, world: World, records: list[Record], *, disabled: list[Person]) -> None:
    for person in family.members:
        likely = 0.28 if person.age_on(world.timeline.as_of) >= 60 or person in disabled else 0.11
        if rng.random() >= likely:
            continue
        major = rng.random() < 0.07
        for serial in range(1 + int(rng.random() * (5 if major else 2.3))):
            settled_on = _day(rng, world)
            if not person.alive_on(settled_on):
                continue
            self_paid = _self_paid(rng, 1700_00 if major else 380_00)
            insured = rng.random() < 0.985
            elsewhere = pick(rng, world.places.outside).code if rng.random() < 0.02 else None
            row = rows.medical_assistance(
                person,
                family,
                settled_on=settled_on,
                self_paid=self_paid,
                serial=serial,
                visit_kind=pick(rng, ("inpatient", "inpatient", "chronic", "outpatient")),
                disease=pick(rng, _MAJOR if major else _DISEASES),
                major_illness=major,
                insured=insured,
                division_code=elsewhere,
            )
            if rng.random() < _MISNAMED:
                row["name"] = person.name[:-1] + pick(rng, _HEARD)
            correction = rows.bill(self_paid * 9 // 10, insured=insured)
            _happened(
                rng,
                world,
                feed="medical_assistance",
                row=row,
                day=settled_on,
                correction=correction,
                records=records,
            )


def _self_paid(rng: Random, usual: int) -> int:
    """Mostly about the usual, seldom thirty times as much; no function whose last digit machines disagree on."""
    chance = rng.random()
    return 15_00 + int(usual * chance / (1.03 - chance))


def temporary(rng: Random, family: Family, world: World, records: list[Record], *, needy: bool) -> None:
    if rng.random() >= (0.09 if needy else 0.03):
        return
    for serial in range(1 + int(rng.random() * 1.4)):
        granted_on = _day(rng, world)
        if not family.head.alive_on(granted_on):
            continue
        amount = (5 + int(rng.random() * 60)) * 100_00
        row = rows.temporary_assistance(
            family.head,
            family,
            granted_on=granted_on,
            amount=amount,
            serial=serial,
            kind=pick(rng, ("urgent", "expenditure")),
            reason=pick(rng, _REASONS),
        )
        _happened(
            rng,
            world,
            feed="temporary_assistance",
            row=row,
            day=granted_on,
            correction={"amount": amount + 100_00},
            records=records,
        )


def check(rng: Random, family: Family, world: World, records: list[Record], *, in_register: bool) -> None:
    """Applications and their economic checks, more often of households that no register knows yet."""
    if rng.random() >= (0.05 if in_register else 0.16):
        return
    checked_on = _day(rng, world)
    if not family.head.alive_on(checked_on):
        return
    standard = world.standards.of(rows.area_type(family))
    income = int(standard * (0.7 + rng.random() * 1.3))
    over_limit = rng.random() < 0.12
    approved = not over_limit and income < standard and rng.random() < 0.5
    row = rows.economic_check(
        family.head,
        family,
        checked_on=checked_on,
        applied_on=checked_on - timedelta(days=int(10 + rng.random() * 30)),
        monthly_income=income,
        assets_over_limit=over_limit,
        household_size=len(family.alive_on(checked_on)) or 1,
        applied_for=pick(rng, ("minimum_allowance", "minimum_allowance", "low_margin", "temporary")),
        result="approved" if approved else "refused",
        refusal_reason=None if approved else pick(rng, _REFUSALS),
    )
    correction = {"monthly_income_per_capita": int(income * 1.05)}
    _happened(rng, world, feed="economic_check", row=row, day=checked_on, correction=correction, records=records)


def visits(rng: Random, family: Family, world: World, records: list[Record], *, needy: bool) -> None:
    """What a village worker found on an earlier warning; its number is of the same kind, but of no warning of today."""
    if rng.random() >= (0.05 if needy else 0.005):
        return
    dates = world.timeline.dates["household_visit"]
    index = int(rng.random() * len(dates))
    visited_on = dates[index] - timedelta(days=int(rng.random() * 25))
    indicator = pick(rng, tuple(INDICATORS))
    finding = pick(rng, ("confirmed", "confirmed", "not_confirmed", "resolved", "refer"))
    row = rows.household_visit(
        warning_id=sha256(f"{indicator} {family.head.citizen_id} {visited_on}".encode()).hexdigest()[:20],
        visited_on=visited_on,
        visitor=pick(rng, _VISITORS),
        finding=finding,
        refer_to=INDICATORS[indicator][1] if finding == "refer" else None,
        measure=pick(rng, _MEASURES),
        remark=pick(rng, _REMARKS),
    )
    _happened(
        rng,
        world,
        feed="household_visit",
        row=row,
        day=visited_on,
        correction={"finding": "resolved", "refer_to": None},
        records=records,
    )
