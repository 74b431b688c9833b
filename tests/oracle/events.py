"""Rows of the feeds of events: settlements, grants and checks, with sums and days about their edges."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from oracle.benefits import monthly_income
from oracle.edges import CENT, Edges
from oracle.families import Family, Person, spelling


def settlements(edges: Edges, person: Person, family: Family, *, income: Decimal) -> list[dict[str, Any]]:
    """Some that together come to an edge, and now and then one more; days about either end of the months.

    ``income`` is what the family may have in a year and per person: rigid expenditure is held against it.
    """
    limits = [
        edges.parameter("medical_self_paid.low_income", family.home),
        edges.parameter("medical_self_paid.others", family.home),
        edges.parameter("uninsured_total_cost", family.home),
        edges.parameter("self_paid_share_of_disposable_income", family.home)
        * edges.standards.disposable_income("rural", family.home, edges.day),
        edges.parameter("rigid_share_of_income", family.home) * income * len(family.people),
    ]
    amounts = edges.shares(edges.near(edges.pick(*limits), 40000), edges.pick(1, 1, 2, 3))
    if edges.maybe(0.2):
        amounts.append(edges.pick(CENT, Decimal(0), Decimal(500)))
    return [_settlement(edges, person, family, number=number, paid=paid) for number, paid in enumerate(amounts)]


def _settlement(edges: Edges, person: Person, family: Family, *, number: int, paid: Decimal) -> dict[str, Any]:
    insured = edges.maybe(0.7)
    basic = Decimal(edges.chance.randint(0, 9000)) if insured and edges.maybe(0.6) else None
    return {
        "settlement_no": f"J{person.citizen_id[6:]}{number}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "visit_kind": edges.pick("inpatient", "chronic"),
        "major_illness": edges.maybe(0.2),
        "settled_on": edges.in_the_months(family.home) if edges.maybe(0.6) else edges.past(120),
        "total_cost": paid + (basic or 0),
        "basic_paid": basic,
        "self_paid": paid,
        "insured": insured,
    }


def grant(edges: Edges, person: Person, family: Family, *, number: int) -> dict[str, Any]:
    return {
        "grant_no": f"L{person.citizen_id[6:]}{number}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "kind": edges.pick("urgent", "expenditure"),
        "reason": "大病",
        "amount": edges.pick(800, 1500),
        "granted_on": edges.in_the_months(family.home),
    }


def check(edges: Edges, person: Person, family: Family, *, number: int) -> dict[str, Any]:
    checked = edges.in_the_months(family.home) if edges.maybe(0.5) else edges.past(200)
    if edges.maybe(0.05):
        checked = edges.day + timedelta(days=1)
    return {
        "check_no": f"E{person.citizen_id[6:]}{number}",
        "name": spelling(edges, person.name),
        "citizen_id": person.citizen_id,
        "area_type": edges.pick("urban", "rural"),
        "applied_for": edges.pick("minimum_allowance", "low_margin"),
        "applied_on": checked - timedelta(days=20),
        "checked_on": checked,
        "household_size": len(family.people),
        "monthly_income_per_capita": monthly_income(edges, family.home),
        "assets_over_limit": edges.maybe(0.25),
        "result": edges.pick("approved", "refused"),
        "authorisation_no": f"S{person.citizen_id[6:]}{number}",
    }
