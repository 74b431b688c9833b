"""Registers that know single people: special hardship, disability, schooling, left behind, child protection."""

from datetime import date, timedelta
from random import Random

from doudi.synth import rows
from doudi.synth.names import pick
from doudi.synth.people import CHILD, OTHER, PARENT, SPOUSE, Family, Person
from doudi.synth.records import Record
from doudi.synth.world import World

_CERTIFICATE_YEARS = 10


def _limit(record: Record, person: Person, world: World) -> None:
    if person.died:
        world.limit_to_life(record, person)


def special_hardship(rng: Random, family: Family, world: World, records: list[Record]) -> bool:
    """An elder alone whom the state supports; returns whether there is one."""
    head = family.head
    if len(family.members) > 1 or head.age_on(world.timeline.as_of) < 60 or rng.random() >= 0.35:
        return False
    in_institution = rng.random() < 0.3
    row = rows.special_hardship(
        head,
        family,
        monthly_amount=world.standards.of(rows.area_type(family)) * 13 // 1000 * 100,
        start_date=world.timeline.history_from - timedelta(days=int(rng.random() * 2000)),
        self_care=pick(rng, ("able", "able", "able", "partial", "full_care")),
        in_institution=in_institution,
    )
    record = world.steady("special_hardship", row)
    if not in_institution and rng.random() < 0.05:
        record.change(1 + int(rng.random() * (len(record.states) - 1)), self_care="partial")
    _limit(record, head, world)
    records.append(record)
    return True


def disability(
    rng: Random, family: Family, world: World, records: list[Record], *, covered: list[Person], hardship: bool
) -> list[Person]:
    """Disability certificates; one that runs out within the delivered months is renewed. Returns their holders."""
    as_of = world.timeline.as_of
    holders = []
    for person in family.members:
        age = person.age_on(as_of)
        if age < 3 or rng.random() >= (0.13 if age >= 60 else 0.065):
            continue
        holders.append(person)
        issued_on = as_of - timedelta(days=int(rng.random() * 365 * _CERTIFICATE_YEARS))
        issued_on = max(issued_on, person.birth + timedelta(days=700))
        grade = pick(rng, "1122233334444")
        row = rows.disability(
            person,
            family,
            category=pick(rng, "1234444567"),
            grade=grade,
            issued_on=issued_on,
            expires_on=_plus_years(issued_on, _CERTIFICATE_YEARS) if rng.random() < 0.93 else None,
            status="cancelled" if rng.random() < 0.03 else "valid",
            living_subsidy=rng.random() < (0.06 if hardship else 0.88 if person in covered else 0),
            care_subsidy=grade in "12" and rng.random() < 0.9,
        )
        records += _certificates(rng, person, world, row)
    return holders


def _certificates(rng: Random, person: Person, world: World, row: dict) -> list[Record]:
    """The certificate's record, from the delivery that first knows it; and its successor's."""
    dates = world.timeline.dates["disability"]
    record = world.steady("disability", row)
    index = next((i for i, data_date in enumerate(dates) if data_date >= row["issued_on"]), len(dates))
    record.start(index)
    if row["status"] == "valid" and not row["care_subsidy"] and row["grade"] in "12" and rng.random() < 0.1:
        record.change(-1, care_subsidy=True)
    _limit(record, person, world)
    expires_on = row["expires_on"]
    if expires_on is None or not dates[0] < expires_on <= dates[-1] or rng.random() >= 0.7:
        return [record]
    index = next(i for i, data_date in enumerate(dates) if data_date >= expires_on)
    renewed = {
        **row,
        "certificate_no": f"{row['certificate_no']}B1",
        "issued_on": expires_on,
        "expires_on": _plus_years(expires_on, _CERTIFICATE_YEARS),
    }
    successor = world.steady("disability", renewed)
    successor.start(index)
    _limit(successor, person, world)
    record.end(index)
    return [record, successor]


def _plus_years(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)


_STAGES = ((6, "preschool"), (12, "primary"), (15, "junior"), (18, "senior"), (21, "college"), (23, "university"))
_SELF_PAID = {"preschool": 600, "primary": 0, "junior": 0, "senior": 2400, "vocational": 1800, "college": 7600}
_AID = {"preschool": 500, "primary": 1000, "junior": 1250, "senior": 2000, "vocational": 2000, "college": 4000}


def education(rng: Random, family: Family, world: World, records: list[Record], *, needy: bool) -> None:
    """Pupils and students who are in the aid system; each term says its own name, so each term is news."""
    dates = world.timeline.dates["education_assistance"]
    for person in family.members:
        age = person.age_on(dates[0])
        if not 4 <= age < 23 or person.relation not in (CHILD, OTHER) or rng.random() >= (0.8 if needy else 0.35):
            continue
        if age >= 18 and rng.random() < 0.6:
            continue
        stage = next(stage for oldest, stage in _STAGES if age < oldest)
        if stage == "senior" and rng.random() < 0.4:
            stage = "vocational"
        enrolment = "enrolled"
        if rng.random() < 0.012:
            enrolment = pick(rng, ("suspended", "dropped_out"))
        self_paid = int(_SELF_PAID.get(stage, 8800) * (0.6 + rng.random())) * 100
        states = [
            rows.education_assistance(
                person,
                family,
                data_date=data_date,
                stage=stage,
                enrolment=enrolment,
                guardian=family.head,
                aid_kind="家庭经济困难学生生活补助" if needy else None,
                aid_amount=_AID.get(stage, 5000) * 100 if needy else None,
                self_paid=self_paid,
            )
            for data_date in dates
        ]
        records.append(Record("education_assistance", states))


def left_behind(rng: Random, family: Family, world: World, records: list[Record]) -> None:
    """Grandchildren without their parents, wives of migrant workers, elders who live alone."""
    if family.village.urban:
        return
    dates = world.timeline.dates["left_behind"]
    head = family.head
    registered_on = dates[0] - timedelta(days=int(30 + rng.random() * 700))
    for person in family.members:
        age = person.age_on(world.timeline.as_of)
        if person.relation == OTHER and 2 < age < 16 and rng.random() < 0.85:
            values = {"kind": "child", **_guardian(rng, head, on=registered_on)}
        elif person.relation == SPOUSE and age < 50 and rng.random() < 0.05:
            values = {"kind": "woman"}
        elif age >= 65 and (len(family.members) == 1 or person.relation == PARENT) and rng.random() < 0.3:
            values = {"kind": "elder", "lives_alone": len(family.members) == 1}
        else:
            continue
        record = world.steady("left_behind", rows.left_behind(person, family, registered_on=registered_on, **values))
        chance = rng.random()
        if chance < 0.06:
            record.end(1)
        elif chance < 0.11:
            record.change(1, registered_on=dates[1] - timedelta(days=25))
            record.start(1)
        _limit(record, person, world)
        records.append(record)


def _guardian(rng: Random, head: Person, *, on: date) -> dict:
    """Who looks after a child: mostly a grandfather who still can; of some nobody is told."""
    chance = rng.random()
    if chance < 0.06:
        return {"guardian": None, "guardian_capable": None}
    capable = chance < 0.92 and head.age_on(on) < 70
    return {"guardian": head, "guardian_capable": None if chance > 0.97 else capable}


_ORPHAN_STATES = (
    ("orphan", "dead", "dead"),
    ("de_facto_unsupported", "dead", "lost_contact"),
    ("de_facto_unsupported", "imprisoned", "lost_contact"),
    ("de_facto_unsupported", "rehabilitation", "dead"),
    ("de_facto_unsupported", "severe_disability", "missing"),
)


def child_protection(rng: Random, family: Family, world: World, records: list[Record]) -> None:
    """Children who live with others because their parents are dead or cannot care for them."""
    chance = 0.9 if len(family.members) == 3 else 0.3  # an uncle's family rather than grandparents
    for person in family.members:
        if person.relation != OTHER or person.age_on(world.timeline.as_of) >= 18 or rng.random() >= chance:
            continue
        kind, father, mother = pick(rng, _ORPHAN_STATES)
        row = rows.child_protection(
            person,
            family,
            kind=kind,
            father_state=father,
            mother_state=mother,
            monthly_amount=None if rng.random() < 0.05 else 900_00,
            start_date=world.timeline.history_from - timedelta(days=int(rng.random() * 900)),
        )
        record = world.steady("child_protection", row)
        if rng.random() < 0.2:
            record.change(len(record.states) // 2, monthly_amount=1140_00)
        records.append(record)
