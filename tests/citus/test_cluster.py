"""A cluster gives what one machine gives: registers, ledger, quarantine, marts; and readers see their own area."""

import hashlib
import secrets
from pathlib import Path

import psycopg
import pytest
from prefecture import Warehouse
from psycopg import sql
from psycopg.conninfo import make_conninfo
from warehouse_state import content

from doudi.access import logins
from doudi.reports.document import Document
from doudi.reports.making import Edition, make
from doudi.synth.places import COUNTY

pytestmark = pytest.mark.citus

# What no two runs have in common: when something was written down.
_CLOCK = "'{proposed_at,decided_at,noted_at}'::text[]"
_TABLES = """
    select format('%I.%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('identity', 'marts', 'reference') and relkind in ('r', 'p')
    order by 1
"""


def _checksums(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    """Of every table that outsiders or the next night rely on: its rows, and a checksum of them."""
    found = {}
    for (table,) in warehouse.rows(_TABLES):
        rows = warehouse.rows(f"select (to_jsonb(row) - {_CLOCK})::text from {table} as row")
        lines = sorted(line for (line,) in rows)
        found[table] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return found


def test_registers_and_ledger_are_equal(cluster_warehouse: Warehouse, plain_warehouse: Warehouse) -> None:
    assert content(cluster_warehouse.url) == content(plain_warehouse.url)


def test_marts_are_equal(cluster_warehouse: Warehouse, plain_warehouse: Warehouse) -> None:
    cluster, plain = _checksums(cluster_warehouse), _checksums(plain_warehouse)
    assert {name for name in plain if cluster.get(name) != plain[name]} == set()
    assert plain["marts.warning"][0] > 100
    assert cluster == plain


def test_reports_are_equal(cluster_warehouse: Warehouse, plain_warehouse: Warehouse, tmp_path: Path) -> None:
    """The internal one reads as the area's readers do, on the workers too."""

    def documents(warehouse: Warehouse) -> list[Document]:
        out = tmp_path / warehouse.settings.home.name
        editions: tuple[Edition, ...] = ("public", "internal")
        made = [make(settings=warehouse.settings, out=out, area=COUNTY, edition=edition) for edition in editions]
        return [report.document for reports in made for report in reports]

    found = documents(cluster_warehouse)
    assert len(found) == 6  # page, PDF and Word, of both editions
    assert found == documents(plain_warehouse)


def test_rows_are_spread_over_the_workers(cluster_warehouse: Warehouse) -> None:
    kinds = dict(cluster_warehouse.rows("select table_name::text, citus_table_type from citus_tables"))
    registers = [name for (name,) in cluster_warehouse.rows(
        "select 'register.' || tablename from pg_tables where schemaname = 'register'"
    )]  # fmt: skip
    assert {kinds.get(name) for name in registers} == {"distributed"}
    large = ["marts.warning", "marts.person", "marts.household", "identity.person", "identity.household_member"]
    assert {kinds.get(name) for name in large} == {"distributed"}
    assert {kinds.get(name) for name in ("reference.division", "reference.local_standard", "identity.joined_id")} == {
        "reference"
    }
    together = cluster_warehouse.rows(
        "select count(distinct colocation_id) from citus_tables where citus_table_type = 'distributed'"
    )
    assert together == [(1,)]


def test_a_reader_sees_its_own_area_and_no_other(cluster_warehouse: Warehouse) -> None:
    login, password = "test_reader_of_a_county", secrets.token_urlsafe(12)
    with psycopg.connect(cluster_warehouse.url) as session:
        logins.grant(session, login, role=f"doudi_area_{COUNTY}", password=password)
    try:
        with psycopg.connect(make_conninfo(cluster_warehouse.url, user=login, password=password)) as session:
            seen = {code[:6] for (code,) in session.execute("select division_code from marts.person").fetchall()}
            assert seen == {COUNTY}
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("select 1 from identity.person")
    finally:
        with psycopg.connect(cluster_warehouse.url) as session:
            logins.revoke(session, login, role=None)
            session.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))
    assert {code[:6] for (code,) in cluster_warehouse.rows("select division_code from marts.person")} > {COUNTY}
