"""Every role on every relation: what it is entitled to and not a row more; before, during and after builds."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from databases import copy_database
from psycopg import sql

from doudi import loads, transform
from doudi.access import logins
from doudi.contracts import load_contracts
from doudi.settings import Settings
from doudi.synth.generate import generate
from doudi.transform.runner import Runner, refuse_failures
from doudi.warehouse import schema

MAY, JUNE = date(2020, 5, 31), date(2020, 6, 30)
OURS = ("landing", "register", "ops", "access", "reference", "staging", "intermediate", "identity", "marts")

# Whose a row is, by kind of reader, of every relation that any reader may read. All others are closed to all readers.
EVERY_ROW, ITS_AREA, ITS_COUNTY, IT_LEADS = (
    "true", "starts_with(division_code, '{scope}')", "starts_with(county_code, '{scope}')",
    "lead_department = '{scope}'",
)  # fmt: skip
_BY_PERSON = {"bi": EVERY_ROW, "area": ITS_AREA}
OPEN_TO_READERS = {
    "marts.warning": {"bi": EVERY_ROW, "area": ITS_AREA, "department": IT_LEADS},
    "marts.visit_list": {"area": ITS_AREA, "department": IT_LEADS},
    "marts.person": _BY_PERSON,
    "marts.household": _BY_PERSON,
    "marts.special_group": _BY_PERSON,
    "marts.register_comparison": _BY_PERSON,
    "marts.area_summary": _BY_PERSON,
    "marts.coverage_gap": _BY_PERSON,
    "marts.metric": _BY_PERSON,
    "marts.quarterly_report": _BY_PERSON,
    "marts.register_comparison_month": _BY_PERSON,
    "marts.special_group_month": _BY_PERSON,
    "marts.priority_area": {"bi": EVERY_ROW, "area": ITS_COUNTY},
    "marts.indicator_backtest": {"bi": EVERY_ROW},
}
READERS = {
    "reader_of_all": ("bi", None),
    "reader_of_the_prefecture": ("area", "5134"),
    "reader_of_the_county": ("area", "513431"),
    "reader_of_another_county": ("area", "513401"),
    "reader_of_housing": ("department", "housing"),
    "reader_of_education": ("department", "education"),
}
OWN = "select insert update delete truncate"
# What each step may do, by relation or by the schema of several; what is not here it may not.
STEPS = {
    "loader": {
        "landing": OWN,
        "register": OWN,
        "reference": "select",
        "ops.load": "select insert update",
        "ops.load_source": "select insert update",
        "ops.quarantine": "select insert update delete",
        "ops.check_result": "select insert delete",
        "ops.build": "select",
        "ops.identity_decision": "select insert",
        "identity.review": "select",
        "identity.joined_id": "select",
    },
    "transformer": {
        "register": "select",
        "reference": OWN,
        "staging": OWN,
        "intermediate": OWN,
        "identity": OWN,
        "marts": OWN,
        "ops.load": "select",
        "ops.quarantine": "select",
        "ops.build": "select insert update",
        "ops.identity_decision": "select",
        "ops.identifier_key": "select insert",
        "access.reader": "select",
        "access.relation": "select",
    },
    "extractor": {
        "reference": "select",
        "marts": "select",
        "identity.person": "select",
        "identity.household_member": "select",
        "ops.load": "select",
        "ops.build": "select",
        "ops.extract": "select insert update",
        "ops.declaration": "select insert",
        "ops.disclosure": "select insert",
        "ops.disclosed_person": "select insert",
    },
}
# A table that no line above names fails the matrix; one that only its owner may use is named here.
CLOSED = {"ops.declaration", "ops.disclosure", "ops.disclosed_person"}


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A warehouse that was built as of June, its account's session, and accounts that read."""

    url: str
    settings: Settings
    session: psycopg.Connection

    def relations(self) -> list[str]:
        rows = self.session.execute(
            """
            select namespace.nspname || '.' || class.relname
            from pg_class as class
            inner join pg_namespace as namespace on class.relnamespace = namespace.oid
            where
                regexp_replace(namespace.nspname, '_as_of_[0-9]{8}$', '') = any(%s)
                and class.relkind in ('r', 'p', 'v', 'm')
            order by 1
            """,
            (list(OURS),),
        )
        return [name for (name,) in rows]

    def content(self, relation: str, condition: str) -> tuple[int, str]:
        return _content(self.session, relation, condition)

    def read_as(self, login: str) -> psycopg.Connection:
        return psycopg.connect(self.url, user=login, password=login, autocommit=True)


def _content(session: psycopg.Connection, relation: str, condition: str = "true") -> tuple[int, str]:
    return session.execute(
        sql.SQL("select count(*), md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from {} t where {}")
        .format(sql.Identifier(*relation.split(".")), sql.SQL(condition))
    ).fetchone()  # fmt: skip


def _declared(relation: str) -> str:
    """The relation of the present that one of a past date, or one that dbt is exchanging, stands for."""
    schema_name, name = relation.split(".")
    return f"{schema_name.partition('_as_of_')[0]}.{name.partition('__dbt_')[0]}"


def _condition(login: str, relation: str) -> str | None:
    kind, scope = READERS[login]
    condition = OPEN_TO_READERS.get(_declared(relation), {}).get(kind)
    return condition and condition.format(scope=scope)


@pytest.fixture(scope="module")
def warehouse(
    server_url: str, template: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    name, home = f"access_{uuid4().hex[:12]}", tmp_path_factory.mktemp("access")
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    own = replace(settings, database_url=url, home=home, inbox=home / "inbox", out=home / "out", as_of=JUNE)
    divisions = settings.dbt_project / "seeds" / "division.csv"
    generate(own.inbox, persons=800, seed=4, as_of=JUNE, clean=True, division_file=divisions)
    with psycopg.connect(server_url, autocommit=True) as server, pytest.MonkeyPatch.context() as patch:
        copy_database(server, name, template=template)
        schema.initialise(url, own)
        patch.setattr("doudi.quality.judge", lambda **_: [])
        loads.land_files(_deliveries(own.inbox), settings=own)
        with psycopg.connect(url, autocommit=True) as session:
            _move_some_households(session)
            transform.build(url=url, settings=own, as_of=JUNE)
            for login, (kind, scope) in READERS.items():
                server.execute(f"drop role if exists {login}")
                logins.grant(session, login, role="_".join(filter(None, ("doudi", kind, scope))), password=login)
            yield Warehouse(url=url, settings=own, session=session)
        server.execute(f"drop database {name} with (force)")
        for login in READERS:
            server.execute(f"drop role {login}")


def _deliveries(inbox: Path) -> list[Path]:
    return sorted(path for path in inbox.iterdir() if path.is_file() and "manifest" not in path.name)


def _move_some_households(session: psycopg.Connection) -> None:
    """A third of the people live in another county of the prefecture, so that each reader has rows to miss."""
    for feed, contract in load_contracts(Path(__file__).parents[2] / "contracts").items():
        places = [column.name for column in contract.columns if column.type == "div"]
        person = next((column.name for column in contract.columns if column.type == "id"), None)
        if not person or "household_no" in {column.name for column in contract.columns}:
            continue
        moved = ", ".join(f"{each} = '513401' || substr({each}, 7)" for each in (*places, "_area_code"))
        session.execute(
            f"update register.{feed} set {moved}, _county_code = '513401' where hashtext({person}) % 3 = 0"
        )


def _attempts(relation: str, column: str) -> dict[str, str]:
    return {
        "select": f"select from {relation} limit 1",
        "insert": f"insert into {relation} default values",
        "update": f"update {relation} set {column} = {column} where false",
        "delete": f"delete from {relation} where false",
        "truncate": f"truncate {relation} cascade",
    }


def _may(session: psycopg.Connection, statement: str) -> bool:
    """Whether the session is permitted a statement, which is undone; what else may be wrong with it does not count."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error:
        return True
    return True


def _column(warehouse: Warehouse, relation: str) -> str:
    query = "select attname from pg_attribute where attrelid = %s::regclass and attnum = 1"
    return warehouse.session.execute(query, (relation,)).fetchone()[0]


def _check_matrix(warehouse: Warehouse) -> dict[str, int]:
    """Every reader and step on every relation. Returns how many rows each reader was given in all."""
    relations = warehouse.relations()
    undeclared = [
        name for name in relations
        if name.split(".")[0] in ("marts", "ops", "identity", "access")
        and not any(name in allowed for allowed in (OPEN_TO_READERS, CLOSED, *STEPS.values()))
    ]  # fmt: skip
    assert undeclared == []
    assert set(OPEN_TO_READERS) <= set(relations)
    columns = {relation: _column(warehouse, relation) for relation in relations}
    given = {}
    for login in READERS:
        with warehouse.read_as(login) as session:
            given[login] = 0
            for relation in relations:
                permitted = {
                    kind for kind, statement in _attempts(relation, columns[relation]).items() if _may(session, statement)
                }
                condition = _condition(login, relation)
                assert permitted == ({"select"} if condition else set()), (login, relation)
                if condition:
                    seen = _content(session, relation)
                    assert seen == warehouse.content(relation, condition), (login, relation)
                    given[login] += seen[0]
    for step, allowed in STEPS.items():
        with psycopg.connect(warehouse.url, autocommit=True) as session:
            session.execute(f"set role doudi_{step}")
            for relation in relations:
                declared = _declared(relation)
                expected = allowed.get(declared, allowed.get(declared.split(".")[0], ""))
                if step == "loader" and relation == "marts.warning":
                    expected = ""  # but one column, see below
                permitted = {
                    kind for kind, statement in _attempts(relation, columns[relation]).items() if _may(session, statement)
                }
                views = {"select", "insert", "update", "delete"} if declared.startswith("staging.") else None
                assert (permitted & views if views else permitted) >= set(expected.split()) & (views or {*OWN.split()})
                assert permitted <= set(expected.split()) | ({"select"} if relation == "marts.warning" else set()), (
                    step, relation,
                )  # fmt: skip
            if "select" in allowed.get("marts", ""):
                for relation in OPEN_TO_READERS:
                    assert _content(session, relation) == warehouse.content(relation, "true")
    return given


def test_every_reader_reads_what_it_is_entitled_to_and_nothing_else(warehouse: Warehouse) -> None:
    given = _check_matrix(warehouse)
    assert given["reader_of_all"] > given["reader_of_the_prefecture"] > given["reader_of_the_county"] > 0
    assert given["reader_of_another_county"] > 0
    assert given["reader_of_housing"] > 0
    assert given["reader_of_education"] > 0
