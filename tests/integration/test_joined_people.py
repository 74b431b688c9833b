"""Two IDs that were found to be one person's: joined by the next build in every feed, and apart again when undone;
and a warehouse that is built again from nothing calls everybody the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from made_up import citizen_id
from made_up_county import County, opened, person
from psycopg import sql

from doudi import review
from doudi.contracts import Contract
from doudi.identity import people
from doudi.settings import Settings
from doudi.transform import record
from doudi.warehouse.schema import initialise

JUNE = date(2020, 6, 30)
KEPT, OTHER = citizen_id(0), citizen_id(2)


@pytest.fixture
def county(server_url: str, warehouse_url: str, settings: Settings) -> Iterator[County]:
    settings = replace(settings, database_url=warehouse_url)
    with opened(server_url, warehouse_url.rpartition("/")[2], settings) as county:
        yield county


def _file_both(county: County, contract: Contract) -> None:
    """A record of the feed under each ID in each of its ID columns, and everywhere under the name of the same man."""
    names = [column.name for column in contract.columns if column.name in ("name", "head_name", "guardian_name")]
    ids = [person["column"] for person in people(contract)]
    records = [
        dict.fromkeys(names, "某0") | dict.fromkeys(ids, own) | _numbered(contract, own) for own in (KEPT, OTHER)
    ]
    county.file(contract.name, *records, day=JUNE)


def _numbered(contract: Contract, own: str) -> dict[str, str]:
    return {column.name: f"{contract.name}-{own}" for column in contract.key if column.type == "text"}


def _who_is_who(county: County) -> list[tuple]:
    return county.query("select person_id, household_id, register_no from identity.household_member order by 1")


def _second_ids_seen(county: County) -> int:
    """How many rows of all staging models name the second ID, in any column."""
    found = county.query(
        """
        select table_name, column_name
        from information_schema.columns
        where table_schema = 'staging' and column_name like '%%citizen_id'
        """
    )
    assert len({table.removesuffix("__versions") for table, _ in found}) == 11  # all feeds but the visits
    counts = [
        county.session.execute(
            sql.SQL("select count(*) from staging.{} where {} = %s").format(*map(sql.Identifier, place)), (OTHER,)
        ).fetchone()[0]
        for place in found
    ]
    return sum(counts)


def _is_up_to_date(county: County) -> bool:
    ((made_from,),) = county.query("select timings -> 'content' from ops.build order by build_id desc limit 1")
    return record.holds_everything(county.session, JUNE, made_from=made_from)


def _forget_all_builds(county: County) -> None:
    for schema in ("staging", "intermediate", "marts", "reference"):
        county.query(f"drop schema {schema} cascade")
    county.query("drop table identity.person, identity.household_member")
    county.query("truncate ops.build cascade")
    initialise(county.url, county.settings)


def test_joined_ids_are_one_person_in_every_feed_until_that_is_undone_and_all_is_built_from_nothing(
    county: County, contracts: dict[str, Contract]
) -> None:
    for contract in contracts.values():
        if people(contract):
            _file_both(county, contract)
    county.file("poverty_register", person(1, household_no="A", relation_to_head="self"), day=JUNE)
    paid = {"settled_on": date(2020, 6, 1), "self_paid": 20_000, "total_cost": 20_000, "insured": True}
    load_id = county.deliver("medical_assistance", JUNE)
    county.file(
        "medical_assistance",
        {"name": "某0", "citizen_id": OTHER, "settlement_no": "S1", **paid},
        {"name": "某0", "citizen_id": KEPT, "settlement_no": "S2", **paid},
        day=JUNE, load_id=load_id,
    )  # fmt: skip
    county.build(JUNE)
    apart = _who_is_who(county)
    assert len(apart) == 3
    assert _second_ids_seen(county) > 0
    assert _is_up_to_date(county)

    (proposal,) = review.listing(settings=county.settings)
    assert (proposal.citizen_id, proposal.other_id) == (KEPT, OTHER)
    review.accept([proposal.review_no], settings=county.settings, reason="one man, two household books")
    assert not _is_up_to_date(county)
    county.build(JUNE)
    assert _second_ids_seen(county) == 0
    assert {row[0] for row in _who_is_who(county)} < {row[0] for row in apart}
    # What he paid under both is one sum, and each part still leads to the row that says it.
    ((evidence,),) = county.query(
        """
        select warning.evidence
        from marts.warning as warning
        inner join identity.person as person on warning.person_id = person.person_id
        where person.citizen_id = %s and warning.indicator_code in ('BL01', 'BL02') and warning.closed_on is null
        """,
        KEPT,
    )
    rows = {(fact["load_id"], fact["row_no"]) for fact in evidence["facts"] if fact["feed"] == "medical_assistance"}
    assert {(load_id, 1), (load_id, 2)} <= rows
    assert county.query("select count(*) from marts.warning where closed_on is null and person_id not in ("
                        "select person_id from identity.household_member)") == [(0,)]  # fmt: skip

    review.undo(proposal.review_no, settings=county.settings, reason="a cousin of the same name")
    _forget_all_builds(county)
    county.build(JUNE)
    assert _who_is_who(county) == apart
