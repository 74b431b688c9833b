"""Rows of the other departments' feeds, and of the townships' visits."""

from datetime import date

from doudi.synth.people import Family, Person
from doudi.synth.places import COUNTY
from doudi.synth.records import Row
from doudi.synth.timeline import school_term

_SHARE_BASIC, _SHARE_SERIOUS, _SHARE_AID = 55, 8, 7  # per cent of a hospital bill, paid by others
_SERIOUS_FROM = 20_000_00  # fen


def poverty_register(
    person: Person,
    family: Family,
    *,
    status: str,
    annual_income: int,
    household_no: str | None = None,
    relation: str | None = None,
    labour: str = "ordinary",
    cause: str | None = "缺技术",
    health: str | None = "健康",
    migrant_work: bool | None = None,
    lifted_year: int | None = None,
) -> Row:
    household_no = household_no or f"{COUNTY}{family.number:08d}"
    return {
        "household_no": household_no,
        "person_no": f"{household_no}{person.ordinal % 100:02d}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "relation_to_head": relation or person.relation,
        "status": status,
        "annual_income_per_capita": annual_income,
        "cause": cause,
        "labour": labour,
        "health": health,
        "migrant_work": migrant_work,
        "lifted_year": lifted_year,
    }


def disability(
    person: Person,
    family: Family,
    *,
    category: str,
    grade: str,
    issued_on: date,
    expires_on: date | None,
    status: str = "valid",
    living_subsidy: bool = False,
    care_subsidy: bool = True,
    reissue: int = 0,
) -> Row:
    return {
        "certificate_no": f"{person.citizen_id}{category}{grade}" + (f"B{reissue}" if reissue else ""),
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "category": category,
        "grade": grade,
        "issued_on": issued_on,
        "expires_on": expires_on,
        "status": status,
        "living_subsidy": living_subsidy,
        "care_subsidy": care_subsidy,
    }


def education_assistance(
    person: Person,
    family: Family,
    *,
    data_date: date,
    stage: str = "primary",
    enrolment: str = "enrolled",
    guardian: Person | None = None,
    aid_kind: str | None = None,
    aid_amount: int | None = None,
    self_paid: int | None = None,
) -> Row:
    return {
        "student_no": f"G{person.citizen_id}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "guardian_citizen_id": guardian.citizen_id if guardian else None,
        "school": _SCHOOLS[stage].format(family.village.township),
        "stage": stage,
        "enrolment": enrolment,
        "term": school_term(data_date),
        "aid_kind": aid_kind,
        "aid_amount": aid_amount,
        "self_paid": self_paid,
    }


_SCHOOLS = {
    "preschool": "{}幼教点",
    "primary": "{}中心小学",
    "junior": "{}初级中学",
    "senior": "昭觉县民族中学",
    "vocational": "昭觉县职业技术学校",
    "college": "西昌民族幼儿师范高等专科学校",
    "university": "西昌学院",
}


def housing_assistance(
    person: Person,
    family: Family,
    *,
    safety_grade: str,
    works: str,
    appraised_on: date,
    only_home: bool = True,
    subsidy_amount: int | None = None,
    completed_on: date | None = None,
) -> Row:
    return {
        "head_name": person.name,
        "head_citizen_id": person.citizen_id,
        "division_code": family.village.code,
        "safety_grade": safety_grade,
        "only_home": only_home,
        "appraised_on": appraised_on,
        "works": works,
        "subsidy_amount": subsidy_amount,
        "completed_on": completed_on,
    }


def medical_assistance(
    person: Person,
    family: Family,
    *,
    settled_on: date,
    self_paid: int,
    serial: int = 0,
    visit_kind: str = "inpatient",
    disease: str | None = "慢性阻塞性肺疾病",
    major_illness: bool = False,
    insured: bool = True,
    division_code: str | None = None,
) -> Row:
    return {
        "settlement_no": f"JS{settled_on:%Y%m%d}{person.ordinal:09d}{serial}",
        "name": person.name,
        "citizen_id": person.citizen_id,
        "division_code": division_code or family.village.code,
        "visit_kind": visit_kind,
        "disease": disease,
        "major_illness": major_illness,
        "settled_on": settled_on,
        **bill(self_paid, insured=insured),
        "insured": insured,
    }


def bill(self_paid: int, *, insured: bool = True) -> Row:
    """The amounts of a settlement, which add up to its total; nobody else pays for the uninsured."""
    if not insured:
        return {
            "total_cost": self_paid,
            "basic_paid": None,
            "serious_paid": None,
            "aid_paid": None,
            "self_paid": self_paid,
        }
    total = self_paid * 100 // (100 - _SHARE_BASIC - _SHARE_SERIOUS - _SHARE_AID)
    serious = total * _SHARE_SERIOUS // 100 if total > _SERIOUS_FROM else None
    aid = total * _SHARE_AID // 100
    return {
        "total_cost": total,
        "basic_paid": total - (serious or 0) - aid - self_paid,
        "serious_paid": serious,
        "aid_paid": aid,
        "self_paid": self_paid,
    }


def household_visit(
    *,
    warning_id: str,
    visited_on: date,
    visitor: str,
    finding: str,
    refer_to: str | None = None,
    measure: str | None = None,
    remark: str | None = None,
) -> Row:
    return {
        "warning_id": warning_id,
        "visited_on": visited_on,
        "visitor": visitor,
        "finding": finding,
        "refer_to": refer_to,
        "measure": measure,
        "remark": remark,
    }
