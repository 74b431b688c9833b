"""Rows of the feeds of civil affairs."""

from datetime import date

from doudi.synth.people import HEAD, OTHER, Family, Person
from doudi.synth.places import COUNTY
from doudi.synth.records import Row
from doudi.synth.standards import RURAL, URBAN


def area_type(family: Family) -> str:
    return URBAN if family.village.urban else RURAL


def _relation(person: Person, head: Person) -> str:
    """The allowance's head need not be the family's."""
    if person is head:
        return HEAD
    return OTHER if person.relation == HEAD else person.relation


def minimum_allowance(
    person: Person,
    family: Family,
    *,
    head: Person,
    household_size: int,
    covered_members: int,
    monthly_income: int,
    monthly_amount: int,
    start_date: date,
    end_date: date | None = None,
    gradual_exit_until: date | None = None,
    certificate_no: str | None = None,
    category: str | None = "B",
    cause: str | None = "因病",
) -> Row:
    return {
        "certificate_no": certificate_no or f"DB{COUNTY}{family.number:08d}",
        "head_name": head.name,
        "head_citizen_id": head.citizen_id,
        "name": person.name,
        "citizen_id": person.citizen_id,
        "relation_to_head": _relation(person, head),
        "category": category,
        "area_type": area_type(family),
        "division_code": family.village.code,
        "household_size": household_size,
        "covered_members": covered_members,
        "monthly_income_per_capita": monthly_income,
        "monthly_amount": monthly_amount,
        "cause": cause,
        "single_person_household": household_size > 1 and covered_members == 1,
        "start_date": start_date,
        "end_date": end_date,
        "gradual_exit_until": gradual_exit_until,
    }


def special_hardship(
    person: Person,
    family: Family,
    *,
    monthly_amount: int,
    start_date: date,
    end_date: date | None = None,
    self_care: str = "able",
    in_institution: bool = False,
) -> Row:
    return {
        "certificate_no": f"TK{COUNTY}{person.ordinal:09d}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "area_type": area_type(family),
        "self_care": self_care,
        "support_mode": "institution" if in_institution else "home",
        "institution": f"{family.village.township}中心敬老院" if in_institution else None,
        "monthly_amount": monthly_amount,
        "start_date": start_date,
        "end_date": end_date,
    }


def temporary_assistance(
    person: Person,
    family: Family,
    *,
    granted_on: date,
    amount: int,
    serial: int = 0,
    kind: str = "urgent",
    reason: str = "突发疾病",
) -> Row:
    return {
        "grant_no": f"LS{granted_on:%Y%m%d}{person.ordinal:09d}{serial}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "kind": kind,
        "reason": reason,
        "amount": amount,
        "granted_on": granted_on,
    }


def economic_check(
    person: Person,
    family: Family,
    *,
    checked_on: date,
    applied_on: date,
    monthly_income: int,
    assets_over_limit: bool = False,
    household_size: int = 1,
    applied_for: str = "minimum_allowance",
    result: str = "refused",
    refusal_reason: str | None = "材料不全",
) -> Row:
    return {
        "check_no": f"HD{checked_on:%Y%m%d}{person.ordinal:09d}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "area_type": area_type(family),
        "applied_for": applied_for,
        "applied_on": applied_on,
        "checked_on": checked_on,
        "household_size": household_size,
        "monthly_income_per_capita": monthly_income,
        "assets_over_limit": assets_over_limit,
        "result": result,
        "refusal_reason": refusal_reason,
        "authorisation_no": f"SQ{applied_on:%Y%m%d}{person.ordinal:09d}",
    }


def left_behind(
    person: Person,
    family: Family,
    *,
    kind: str,
    registered_on: date,
    guardian: Person | None = None,
    guardian_capable: bool | None = None,
    lives_alone: bool | None = None,
) -> Row:
    return {
        "kind": kind,
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "guardian_name": guardian.name if guardian else None,
        "guardian_citizen_id": guardian.citizen_id if guardian else None,
        "guardian_capable": guardian_capable,
        "lives_alone": lives_alone,
        "registered_on": registered_on,
    }


def child_protection(
    person: Person,
    family: Family,
    *,
    kind: str = "orphan",
    father_state: str = "dead",
    mother_state: str = "dead",
    monthly_amount: int | None = 1400_00,
    start_date: date | None = None,
    end_date: date | None = None,
) -> Row:
    return {
        "kind": kind,
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "father_state": father_state,
        "mother_state": mother_state,
        "monthly_amount": monthly_amount,
        "start_date": start_date,
        "end_date": end_date,
    }
