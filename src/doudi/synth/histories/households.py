"""Registers that know whole households: poverty register, minimum allowance, housing."""

from datetime import date, timedelta
from random import Random

from doudi.synth import rows
from doudi.synth.names import pick
from doudi.synth.people import Family, Person
from doudi.synth.places import NEIGHBOUR
from doudi.synth.records import Record
from doudi.synth.timeline import SNAPSHOT_MONTHS
from doudi.synth.world import World

# status: (share per cent of registered households, income from and to in per cent of the yearly standard,
#          per cent of them on minimum allowance)
_POVERTY = {
    "lifted": (74, 104, 260, 5),
    "not_lifted": (10, 62, 100, 90),
    "unstable": (7, 80, 116, 80),
    "marginal": (7, 82, 122, 76),
    "returned": (2, 60, 98, 85),
}
_FALLEN = 0.06  # of registered households, those that had far more a year ago
_STATUSES = tuple(status for status, (share, *_) in _POVERTY.items() for _ in range(share))
_AT_RISK_NEXT = {"lifted": "unstable", "unstable": "lifted", "not_lifted": "lifted", "marginal": "unstable"}
_POVERTY_CAUSES = (
    "缺技术",
    "缺资金",
    "因病",
    "因残",
    "因学",
    "缺劳力",
    "自身发展动力不足",
    "因病,缺劳力",
    "因灾",
    "交通条件落后",
)
_ELSEWHERE = 0.008  # of families, those with somebody on the neighbouring county's list of minimum allowance
_ALLOWANCE_CAUSES = (
    "因病",
    "因残",
    "缺劳动力",
    "年老体弱",
    "失业,无稳定收入",
    "其他:\n子女多、负担重",
    '医疗支出大("因病致贫")',
)
_HEALTH = ("健康", "健康", "健康", "健康", "健康", "长期慢性病", "患有大病", "残疾")


def _span(rng: Random, low: float, high: float) -> float:
    return low + rng.random() * (high - low)


def poverty(rng: Random, family: Family, world: World, records: list[Record]) -> str | None:
    """The poverty register's rows; returns the household's first status, None where it is not registered."""
    if family.village.urban or rng.random() >= 0.62:
        return None
    as_of = world.timeline.as_of
    status = pick(rng, _STATUSES)
    _, low, high, _ = _POVERTY[status]
    income = int(world.standards.rural * 12 * _span(rng, low, high) / 100)
    cause = pick(rng, _POVERTY_CAUSES)
    lifted_year = as_of.year - 1 - int(rng.random() * 4) if status in ("lifted", "unstable") else None
    changes = _poverty_changes(rng, status, income, world.deliveries("poverty_register"), as_of.year)
    then = int(income * (_span(rng, 1.3, 2.2) if rng.random() < _FALLEN else _span(rng, 0.78, 1.02)))
    for person in family.members:
        age = person.age_on(as_of)
        works = 16 <= age < 60
        able = works and rng.random() < 0.93
        row = rows.poverty_register(
            person,
            family,
            status=status,
            annual_income=then,
            cause=cause,
            labour=_labour(rng, age, able=able),
            health=pick(rng, _HEALTH),
            migrant_work=rng.random() < 0.4 if able else None,
            lifted_year=lifted_year,
        )
        record = world.steady("poverty_register", row)
        for index, values in changes:
            record.change(index, **values)
        _limit(record, person, world)
        records.append(record)
    return status


def _labour(rng: Random, age: int, *, able: bool) -> str:
    if able:
        return "skilled" if rng.random() < 0.15 else "ordinary"
    if 16 <= age < 60:
        return pick(rng, ("weak", "weak", "lost"))
    return "weak" if 60 <= age < 68 else "none"


def _poverty_changes(rng: Random, status: str, income: int, deliveries: int, year: int) -> list[tuple[int, dict]]:
    """The income of this year, from the first monthly list on, and what the lists after it bring."""
    monthly = deliveries - SNAPSHOT_MONTHS
    changes = [(monthly, {"annual_income_per_capita": income})]
    if rng.random() < 0.12:
        index = monthly + 1 + int(rng.random() * (SNAPSHOT_MONTHS - 1))
        changes.append((index, {"annual_income_per_capita": int(income * _span(rng, 0.8, 1.25))}))
    if status in _AT_RISK_NEXT and rng.random() < 0.04:
        index = monthly + 1 + int(rng.random() * (SNAPSHOT_MONTHS - 1))
        new = _AT_RISK_NEXT[status]
        changes.append((index, {"status": new} | ({"lifted_year": year} if new == "lifted" else {})))
    return changes


def allowance(
    rng: Random, family: Family, world: World, records: list[Record], *, poverty_status: str | None
) -> list[Person]:
    """The minimum allowance's rows; returns the members who are covered at the end."""
    per_cent = _POVERTY[poverty_status][3] if poverty_status else 9
    if rng.random() * 100 >= per_cent:
        return []
    timeline = world.timeline
    dates = timeline.dates["minimum_allowance"]
    standard = world.standards.of(rows.area_type(family))
    income = int(standard * _span(rng, 0.25, 0.96))
    members = _covered_members(rng, family)
    joins, leaves = _comings_and_goings(rng, len(dates))
    start = dates[joins].replace(day=1) if joins else timeline.history_from - timedelta(days=int(rng.random() * 1500))
    exit_until = timeline.days(int(rng.random() * 120)) if rng.random() < 0.06 else None
    cause = pick(rng, _ALLOWANCE_CAUSES)
    sizes = [_sizes(family, members, data_date) for data_date in dates]
    for person in members:
        row = rows.minimum_allowance(
            person,
            family,
            head=family.head,
            household_size=sizes[0][0],
            covered_members=max(sizes[0][1], 1),
            monthly_income=income,
            monthly_amount=(standard - income) // 100 * 100 * len(members),
            start_date=start,
            gradual_exit_until=exit_until,
            category="ABC"[min(int(income / standard * 3), 2)],
            cause=cause,
        )
        record = world.steady("minimum_allowance", row)
        for index in range(1, len(dates)):
            if sizes[index] != sizes[index - 1]:
                size, covered = sizes[index]
                record.change(index, household_size=size, covered_members=max(covered, 1))
        _limit(record, person, world)
        if joins:
            record.start(joins)
        if leaves is not None:
            record.change(leaves, end_date=dates[leaves])
            record.end(leaves + 1)
        records.append(record)
    return members if leaves is None else []


def allowance_elsewhere(rng: Random, family: Family, world: World, records: list[Record]) -> None:
    """A grown member who is on the neighbouring county's list, whether this county's knows it or not."""
    person = pick(rng, family.members)
    if rng.random() >= _ELSEWHERE or person.age_on(world.timeline.as_of) < 18 or person.died:
        return
    standard = world.standards.of(rows.area_type(family))
    row = rows.minimum_allowance(
        person,
        family,
        head=person,
        household_size=1,
        covered_members=1,
        monthly_income=standard // 2,
        monthly_amount=standard // 200 * 100,
        start_date=world.timeline.history_from - timedelta(days=int(rng.random() * 900)),
        certificate_no=f"DB{NEIGHBOUR}{family.number:08d}",
    )
    row["division_code"] = pick(rng, world.places.neighbour).code
    record = world.steady("minimum_allowance", row)
    record.county = NEIGHBOUR
    records.append(record)


def _covered_members(rng: Random, family: Family) -> list[Person]:
    """All of the family, or only those who were included by themselves; the head need not be among them."""
    if len(family.members) > 2 and rng.random() < 0.2:
        return [family.members[1 + int(rng.random() * (len(family.members) - 1))]]
    return family.members


def _comings_and_goings(rng: Random, deliveries: int) -> tuple[int, int | None]:
    """The delivery in which a household joins (0: was there before) and that in which its coverage ends."""
    chance = rng.random()
    if chance < 0.05:
        return 1 + int(rng.random() * (deliveries - 1)), None
    if chance < 0.11:
        return 0, int(rng.random() * deliveries)
    return 0, None


def _sizes(family: Family, members: list[Person], day: date) -> tuple[int, int]:
    return len(family.alive_on(day)), sum(person.alive_on(day) for person in members)


def housing(rng: Random, family: Family, world: World, records: list[Record], *, needy: bool) -> None:
    """The dwelling's appraisal; works go on from month to month."""
    if rng.random() >= (0.3 if needy else 0.06):
        return
    dates = world.timeline.dates["housing_assistance"]
    grade = pick(rng, "AAABBBBBCCD")
    appraised_on = dates[0] - timedelta(days=int(40 + rng.random() * 900))
    works, subsidy, completed_on = "not_listed", None, None
    if grade in "CD":
        works = pick(rng, ("completed",) * 9 + ("under_way", "listed", "not_listed"))
        subsidy = pick(rng, (18_000_00, 25_000_00, 30_000_00, 40_000_00)) if works != "not_listed" else None
        completed_on = appraised_on + timedelta(days=35) if works == "completed" else None
    row = rows.housing_assistance(
        family.head,
        family,
        safety_grade=grade,
        works=works,
        appraised_on=appraised_on,
        only_home=rng.random() < 0.93,
        subsidy_amount=subsidy,
        completed_on=completed_on,
    )
    record = world.steady("housing_assistance", row)
    index = 1 + int(rng.random() * (len(dates) - 1))
    if works == "under_way" and rng.random() < 0.4:
        record.change(index, works="completed", completed_on=dates[index] - timedelta(days=9))
    elif works == "listed" and rng.random() < 0.4:
        record.change(index, works="under_way")
    _limit(record, family.head, world)
    records.append(record)


def _limit(record: Record, person: Person, world: World) -> None:
    if person.died or person.birth > world.timeline.dates[record.feed][0]:
        world.limit_to_life(record, person)
