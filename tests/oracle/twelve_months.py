"""A handful of people over twelve months, each with one thing that comes, goes or is visited."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from made_up import VILLAGE, citizen_id

from oracle.deliveries import Sent

AREA = VILLAGE[:6]
MONTHS = tuple(date(2020, month, calendar.monthrange(2020, month)[1]) for month in range(1, 13))

COVERED = citizen_id(1)
RETURNED = citizen_id(2)
NOT_THERE = citizen_id(3)
REFERRED = citizen_id(4)
HELPED = citizen_id(5)
FORGOTTEN = citizen_id(6)
GROWN_OLD = citizen_id(7)
CORRECTED = citizen_id(8)
HEALED = citizen_id(9)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is found of the warning of an indicator and person that stands when the visit list goes out."""

    code: str
    person: str
    visited_on: date
    finding: str
    refer_to: str | None = None


# by the month with whose deliveries they come back
ANSWERS: dict[date, tuple[Answer, ...]] = {
    MONTHS[1]: (
        Answer(code="BL08", person=NOT_THERE, visited_on=date(2020, 2, 26), finding="not_confirmed"),
        Answer(code="BL08", person=CORRECTED, visited_on=date(2020, 2, 26), finding="not_confirmed"),
        Answer(code="BL08", person=REFERRED, visited_on=date(2020, 2, 27), finding="confirmed"),
        Answer(code="CG05", person=HELPED, visited_on=date(2020, 2, 28), finding="resolved"),
    ),
    MONTHS[2]: (
        Answer(code="BL08", person=CORRECTED, visited_on=date(2020, 2, 26), finding="confirmed"),
        Answer(code="BL08", person=REFERRED, visited_on=date(2020, 3, 27), finding="refer", refer_to="housing"),
    ),
    MONTHS[4]: (Answer(code="BL08", person=REFERRED, visited_on=date(2020, 5, 28), finding="resolved"),),
}


def sent_in(month: date) -> list[Sent]:
    """Everything that departments send at a month's end, but for the visits."""
    return [
        Sent(feed=feed, area=AREA, day=month, rows=tuple({"division_code": VILLAGE, **row} for row in rows))
        for feed, rows in _rows(month.month).items()
    ]


def _rows(month: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "poverty_register": [
            _registered(COVERED, "not_lifted"),
            _registered(RETURNED, "lifted" if month == 2 else "unstable"),
        ],
        "minimum_allowance": [_allowance(COVERED)] if month >= 2 else [],
        "special_hardship": [_special_hardship(HELPED, "home" if month < 3 else "institution")],
        "disability": [_certificate(FORGOTTEN, date(2015, 5, 1)), _certificate(GROWN_OLD, date(2020, 1, 20))],
        "housing_assistance": [
            _home(NOT_THERE, repaired=False),
            _home(CORRECTED, repaired=False),
            _home(REFERRED, repaired=month >= 6),
        ],
        "medical_assistance": [_settlement(HEALED, date(2019, 9, 10))] if month == 1 else [],
    }


def _name(person: str) -> str:
    return f"某{int(person[14:17])}"


def _registered(person: str, status: str) -> dict[str, Any]:
    return {
        "household_no": f"H{person[14:17]}",
        "name": _name(person),
        "citizen_id": person,
        "relation_to_head": "self",
        "status": status,
        "annual_income_per_capita": 9000,
        "labour": "ordinary",
    }


def _allowance(person: str) -> dict[str, Any]:
    return {
        "certificate_no": f"M{person[14:17]}",
        "head_name": _name(person),
        "head_citizen_id": person,
        "name": _name(person),
        "citizen_id": person,
        "relation_to_head": "self",
        "area_type": "rural",
        "household_size": 1,
        "covered_members": 1,
        "monthly_income_per_capita": 300,
        "monthly_amount": 200,
        "single_person_household": True,
        "start_date": date(2020, 2, 1),
    }


def _special_hardship(person: str, mode: str) -> dict[str, Any]:
    return {
        "certificate_no": f"T{person[14:17]}",
        "name": _name(person),
        "citizen_id": person,
        "area_type": "rural",
        "self_care": "full_care",
        "support_mode": mode,
        "monthly_amount": 900,
        "start_date": date(2018, 1, 1),
    }


def _certificate(person: str, issued_on: date) -> dict[str, Any]:
    """Severe, without the care subsidy."""
    return {
        "certificate_no": f"{person}41",
        "name": _name(person),
        "citizen_id": person,
        "category": "4",
        "grade": "1",
        "issued_on": issued_on,
        "status": "valid",
        "living_subsidy": False,
        "care_subsidy": False,
    }


def _home(person: str, *, repaired: bool) -> dict[str, Any]:
    return {
        "head_name": _name(person),
        "head_citizen_id": person,
        "safety_grade": "D",
        "only_home": True,
        "appraised_on": date(2019, 11, 1),
        "works": "completed" if repaired else "not_listed",
        "completed_on": date(2020, 6, 20) if repaired else None,
    }


def _settlement(person: str, settled_on: date) -> dict[str, Any]:
    return {
        "settlement_no": f"J{person[14:17]}",
        "name": _name(person),
        "citizen_id": person,
        "visit_kind": "inpatient",
        "major_illness": False,
        "settled_on": settled_on,
        "total_cost": 27000,
        "self_paid": 27000,
        "insured": True,
    }


def visits(month: date, warning_ids: dict[tuple[str, str], str]) -> Iterator[Sent]:
    """The visit list that was handed out, filled in: ``warning_ids`` by indicator and person, as they stood then."""
    answers = ANSWERS.get(month, ())
    if answers:
        rows = tuple(
            {
                "warning_id": warning_ids[answer.code, answer.person],
                "visited_on": answer.visited_on,
                "visitor": "某甲",
                "finding": answer.finding,
                "refer_to": answer.refer_to,
            }
            for answer in answers
        )
        yield Sent(feed="household_visit", area=AREA, day=month, rows=rows)
