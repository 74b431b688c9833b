"""Rows of the other lists: certificates, schools, homes, those left behind, children."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from oracle.dates import age_on
from oracle.edges import Edges
from oracle.families import Family, Person, spelling

_STATES = ("dead", "missing", "severe_disability", "imprisoned")


def certificate(edges: Edges, person: Person, family: Family, *, issue: int) -> dict[str, Any]:
    """Category and grade are in the number, so a change of them is another certificate."""
    chance = edges.chance.__class__(f"{person.citizen_id}{issue}")
    category, grade = chance.choice("1455667"), chance.choice("112233334")
    days = int(edges.parameter("new_disability_days", family.home))
    issued = edges.beside(edges.day - timedelta(days=days), edges.day - timedelta(days=1)) if edges.maybe(0.6) else None
    return {
        "certificate_no": f"{person.citizen_id}{category}{grade}" + (f"B{issue}" if issue else ""),
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "category": category,
        "grade": grade,
        "issued_on": issued or edges.past(3000),
        "expires_on": edges.beside(edges.day)
        if edges.maybe(0.4)
        else edges.pick(None, edges.day + timedelta(days=900)),
        "status": edges.pick("valid", "valid", "valid", "valid", "cancelled", "expired"),
        "living_subsidy": edges.maybe(0.4),
        "care_subsidy": edges.maybe(0.4),
    }


def pupil(edges: Edges, person: Person, family: Family, *, number: int) -> dict[str, Any]:
    limit = edges.parameter("education_self_paid", family.home)
    paid = edges.near(edges.pick(limit, limit, limit / 2), 15000)
    return {
        "student_no": f"G{person.citizen_id[6:]}{number}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "guardian_citizen_id": edges.pick(None, edges.pick(*family.people).citizen_id),
        "school": "中心校",
        "stage": edges.pick("primary", "junior", "senior"),
        "enrolment": edges.pick("enrolled", "enrolled", "suspended", "dropped_out", "graduated"),
        "term": edges.pick("2019-2020-1", "2019-2020-2"),
        "self_paid": edges.pick(None, paid, paid, paid),
    }


def home(edges: Edges, person: Person) -> dict[str, Any]:
    works = edges.pick("not_listed", "listed", "under_way", "completed")
    return {
        "head_name": spelling(edges, person.name),
        "head_citizen_id": person.citizen_id,
        "safety_grade": edges.pick("A", "B", "C", "C", "D", "D"),
        "only_home": edges.maybe(0.7),
        "appraised_on": edges.past(),
        "works": works,
        "completed_on": edges.day - timedelta(days=30) if works == "completed" else None,
    }


def left_behind(edges: Edges, person: Person, family: Family) -> dict[str, Any]:
    guardian, age = edges.pick(*family.people), age_on(edges.day, person.citizen_id)
    likely = "child" if age <= 17 else "elder" if age >= 60 else "woman"
    return {
        "kind": edges.pick("child", "elder", "woman", likely, likely),
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "guardian_name": edges.pick(None, guardian.name),
        "guardian_citizen_id": edges.pick(None, guardian.citizen_id),
        "guardian_capable": edges.pick(None, True, False),
        "registered_on": edges.past(),
    }


def protected_child(edges: Edges, person: Person) -> dict[str, Any]:
    start, end = edges.day - timedelta(days=400), None
    if edges.maybe(0.4):
        end = edges.beside(edges.day)
    elif edges.maybe(0.4):
        start = edges.pick(None, edges.beside(edges.day))
    return {
        "kind": edges.pick("orphan", "de_facto_unsupported"),
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "father_state": edges.pick(*_STATES),
        "mother_state": edges.pick(*_STATES),
        "monthly_amount": edges.pick(None, Decimal(0), Decimal("0.01"), Decimal(900)),
        "start_date": start,
        "end_date": end,
    }
