"""Rows of the registers that say who lives with whom and who is covered, drawn about their edges."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from oracle.dates import months_before
from oracle.edges import CENT, Edges
from oracle.families import Family, Person, spelling

_RELATIONS = ("spouse", "child", "parent", "other")
_STATUSES = ("not_lifted", "lifted", "lifted", "returned", "unstable", "marginal")
_LABOUR = ("ordinary", "skilled", "weak", "lost", "none", "none")


def monthly_income(edges: Edges, division: str, *, most: int = 3000) -> Decimal:
    """About a standard, a multiple of it or a twelfth of the disposable income."""
    standard = edges.parameter(f"minimum_allowance_monthly.{edges.pick('rural', 'urban')}", division)
    multiple = edges.parameter(edges.pick("low_margin_multiple", "gradual_exit_multiple"), division)
    disposable = edges.standards.disposable_income(edges.pick("rural", "urban"), division, edges.day)
    return edges.near(edges.pick(standard, standard, standard * multiple, standard * multiple, disposable / 12), most)


def annual_income(edges: Edges, division: str) -> Decimal:
    line = edges.parameter("return_to_poverty_line_annual", division)
    return edges.near(line, 30000) if edges.maybe(0.5) else monthly_income(edges, division) * 12


def after_a_fall(edges: Edges, income: Decimal, division: str) -> Decimal:
    """An income at the share of an earlier one from which it counts as fallen, or a cent beside it."""
    return (income * edges.parameter("income_fall_share", division)).quantize(CENT) + edges.pick(-CENT, 0, CENT)


def poverty_member(edges: Edges, person: Person, family: Family, *, place: int) -> dict[str, Any]:
    """A member's own part; the household's status and income are put to it."""
    return {
        "household_no": f"H{family.number:04d}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "relation_to_head": "self" if place == 0 else edges.pick(*_RELATIONS),
        "labour": edges.pick(*_LABOUR),
    }


def poverty_household(edges: Edges, family: Family) -> dict[str, Any]:
    return {"status": edges.pick(*_STATUSES), "annual_income_per_capita": annual_income(edges, family.home)}


def period(edges: Edges, division: str) -> dict[str, date | None]:
    """First and last day of a benefit, about the day and about the look-back months; the last not before the first."""
    begin = months_before(edges.day, int(edges.parameter("look_back_months", division)))
    end = edges.beside(edges.day, edges.day, begin) if edges.maybe(0.45) else None
    start = edges.beside(edges.day) if end is None and edges.maybe(0.2) else date(2018, 1, 1)
    return {"start_date": start, "end_date": end}


def allowance(edges: Edges, family: Family) -> dict[str, Any]:
    """What all members' rows of a certificate have in common, but for the head."""
    exit_days = int(edges.parameter("gradual_exit_days", family.home))
    exit_until = edges.beside(edges.day, edges.day + timedelta(days=exit_days)) if edges.maybe(0.4) else None
    return {
        "certificate_no": f"M{family.number:04d}",
        "area_type": edges.pick("urban", "rural"),
        "household_size": len(family.people),
        "covered_members": 1,
        "monthly_income_per_capita": monthly_income(edges, family.home),
        "monthly_amount": edges.pick(300, 500),
        "single_person_household": len(family.people) == 1,
        "gradual_exit_until": exit_until,
        **period(edges, family.home),
    }


def allowance_member(edges: Edges, person: Person, head: Person) -> dict[str, Any]:
    return {
        "head_name": head.name,
        "head_citizen_id": head.citizen_id,
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "relation_to_head": "self" if person == head else edges.pick(*_RELATIONS),
    }


def special_hardship(edges: Edges, person: Person, family: Family) -> dict[str, Any]:
    return {
        "certificate_no": f"T{person.citizen_id[6:]}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "area_type": edges.pick("urban", "rural"),
        "self_care": edges.pick("able", "partial", "full_care", "full_care"),
        "support_mode": edges.pick("institution", "home"),
        "monthly_amount": edges.pick(600, 900),
        **period(edges, family.home),
    }
