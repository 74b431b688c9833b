"""The contracts agree with their standard, with feeds that can be told apart, and with the register tables."""

import csv
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from doudi.contracts import PHYSICAL_TYPES, Contract, accepted_headers, load_contracts
from doudi.extracts import load_declarations
from doudi.settings import Settings, load_settings

FOLDER = load_settings().contracts
FEEDS = sorted(load_contracts(FOLDER))


@pytest.fixture(scope="module")
def register_columns(server_url: str, template: str) -> dict[str, list[tuple[str, str, bool]]]:
    with psycopg.connect(urlunsplit(urlsplit(server_url)._replace(path=f"/{template}"))) as session:
        rows = session.execute(
            """
            select relname, attname, format_type(atttypid, atttypmod), attnotnull
            from pg_attribute inner join pg_class on pg_class.oid = attrelid
            where relnamespace = 'register'::regnamespace and relkind = 'r' and attnum > 0
            order by relname, attnum
            """
        ).fetchall()
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for table, *column in rows:
        found.setdefault(table, []).append(tuple(column))
    return found


@pytest.mark.parametrize("feed", FEEDS)
def test_a_contract_is_a_contract_of_the_standard(feed: str) -> None:
    contract = OpenDataContractStandard.from_file(str(FOLDER / f"{feed}.yml"))
    assert contract.name == feed
    assert contract.schema_[0].physicalName == f"register.{feed}"


@pytest.mark.parametrize("feed", FEEDS)
def test_no_header_can_mean_two_columns(feed: str) -> None:
    contract = load_contracts(FOLDER)[feed]
    headers = Counter(h for column in contract.columns for h in accepted_headers(column, folder=FOLDER))
    assert [header for header, count in headers.items() if count > 1] == []


@pytest.mark.parametrize("feed", FEEDS)
def test_the_register_table_follows_the_contract(
    feed: str, contracts: dict[str, Contract], register_columns: dict[str, list[tuple[str, str, bool]]]
) -> None:
    columns = [c for c in register_columns[feed] if not c[0].startswith("_")]
    assert columns == [
        (column.name, PHYSICAL_TYPES[column.type], column.required) for column in contracts[feed].columns
    ]


def test_every_recipient_that_leads_an_indicator_has_a_declaration(settings: Settings, project: Path) -> None:
    with (project / "dbt_project" / "seeds" / "indicator.csv").open(encoding="utf-8", newline="") as seed:
        leads = {row["lead_department"] for row in csv.DictReader(seed)}
    assert leads <= set(load_declarations(settings.extracts))
