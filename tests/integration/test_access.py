"""Every role on every relation: what it is entitled to and not a row more; before, during and after builds."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psycopg
import pytest
from psycopg import sql
from synthetic_county import move_some_households, taken_in

from doudi import transform
from doudi.access import logins
from doudi.contracts import Contract
from doudi.settings import Settings
from doudi.transform.runner import Runner, refuse_failures
from doudi.warehouse import schema

MAY, JUNE = date(2020, 5, 31), date(2020, 6, 30)
OURS = (
    "landing", "register", "other_text", "ops", "access", "reference", "staging", "intermediate", "identity", "marts",
)  # fmt: skip

# Whose a row is, by kind of reader, of every relation that any reader may read. All others are closed to all readers.
EVERY_ROW, ITS_AREA, ITS_COUNTY, IT_LEADS = (
    "true", "starts_with(division_code, '{scope}')", "starts_with(county_code, '{scope}')",
    "lead_department = '{scope}'",
)  # fmt: skip
_BY_PERSON = {"bi": EVERY_ROW, "area": ITS_AREA}
_ABOUT_NO_AREA = {"bi": EVERY_ROW, "area": EVERY_ROW}
_BY_DELIVERY = {"bi": EVERY_ROW, "area": "starts_with(area_code, '{scope}')"}
OPEN_TO_READERS = {
    "marts.warning": {"bi": EVERY_ROW, "area": ITS_AREA, "department": IT_LEADS},
    "marts.visit_list": {"area": ITS_AREA, "department": IT_LEADS},
    "marts.household_visit_list": {"area": ITS_AREA},
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
    "marts.public_summary": _BY_PERSON,
    "marts.public_notice": {},
    "marts.label": _ABOUT_NO_AREA,
    "marts.build_date": _ABOUT_NO_AREA,
    "ops.load_health": _BY_DELIVERY,
    "ops.feed_health": _BY_DELIVERY,
    "ops.refused_row_health": _BY_DELIVERY,
    "ops.check_health": _BY_DELIVERY,
}
READERS = {
    "reader_of_all": ("bi", None),
    "reader_of_the_prefecture": ("area", "5134"),
    "reader_of_the_county": ("area", "513431"),
    "reader_of_another_county": ("area", "513401"),
    "bi_of_the_county": ("bi", "513431"),
    "reader_of_housing": ("department", "housing"),
    "reader_of_education": ("department", "education"),
}
OWN = "select insert update delete truncate"
# What each step may do, by relation or by the schema of several; what is not here it may not.
STEPS = {
    "loader": {
        "landing": OWN,
        "register": OWN,
        "other_text": OWN,
        "reference": "select",
        "ops.load": "select insert update",
        "ops.load_source": "select insert update",
        "ops.quarantine": "select insert update delete",
        "ops.check_result": "select insert delete",
        "ops.touched_person": "insert",
        "ops.build": "select",
        "ops.identity_decision": "select insert",
        "ops.identifier_key": "select",
        "ops.erasure": "select",
        **dict.fromkeys(("ops.feed", "ops.failure", "ops.alert", "ops.alert_told"), ""),
        **dict.fromkeys(("ops.maintenance", "ops.migration", "access.own_scope"), ""),
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
        "ops.touched_person": "select delete",
        "ops.build": "select insert update",
        "ops.identity_decision": "select",
        "ops.identifier_key": "select insert",
        "ops.erasure": "select",
        "access.reader": "select",
        "access.relation": "select",
    },
    "extractor": {
        "reference": "select",
        "marts": "select",
        "identity.person": "select",
        "identity.household_member": "select",
        "identity.joined_id": "select",
        "ops.load": "select",
        "ops.identifier_key": "select",
        "ops.erasure": "select",
        "ops.build": "select",
        "ops.extract": "select insert update",
        "ops.extract_row": "select insert update delete",
        "ops.declaration": "select insert",
        "ops.disclosure": "select insert",
        "ops.disclosed_person": "select insert",
    },
}


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
        sql.SQL("select count(*), md5(string_agg(md5(t::text), '' order by md5(t::text))) from {} t where {}")
        .format(sql.Identifier(*relation.split(".")), sql.SQL(condition))
    ).fetchone()  # fmt: skip


def _declared(relation: str) -> str:
    """The relation of the present that one of a past date, or one that dbt is exchanging, stands for."""
    schema_name, name = relation.split(".")
    return f"{schema_name.partition('_as_of_')[0]}.{name.partition('__dbt_')[0]}"


def _condition(login: str, relation: str) -> str | None:
    kind, scope = READERS[login]
    opened = OPEN_TO_READERS.get(_declared(relation), {})
    condition = opened.get(kind)
    if kind == "bi" and scope:  # what is open to both, of its area
        condition = condition and opened.get("area")
    return condition and condition.format(scope=scope)


@pytest.fixture(scope="module")
def warehouse(
    server_url: str,
    template: str,
    settings: Settings,
    contracts: dict[str, Contract],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("access")
    with psycopg.connect(server_url, autocommit=True) as server:
        with (
            taken_in(server_url, template=template, settings=settings, home=home, persons=800, as_of=JUNE) as own,
            psycopg.connect(own.database_url, autocommit=True) as session,
        ):
            schema.initialise(own.database_url, own)
            move_some_households(session, contracts=contracts, to="513401")
            transform.build(url=own.database_url, settings=own, as_of=JUNE)
            for login, (kind, scope) in READERS.items():
                server.execute(f"drop role if exists {login}")
                logins.grant(session, login, role="_".join(filter(None, ("doudi", kind, scope))), password=login)
            yield Warehouse(url=own.database_url, settings=own, session=session)
        for login in READERS:
            server.execute(f"drop role {login}")


def _attempts(relation: str, column: str) -> dict[str, str]:
    return {
        "select": f"select from {relation} limit 1",
        "insert": f"insert into {relation} default values",
        "update": f"update {relation} set {column} = {column} where false",
        "delete": f"delete from {relation} where false",
        "truncate": f"truncate {relation} cascade",
    }


def _may(session: psycopg.Connection, statement: str) -> bool:
    """Whether the session is permitted a statement, which is undone; what else may be wrong with it does not count.

    The views on the ledger can be written by nobody, which PostgreSQL says before it asks who is asking.
    """
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ObjectNotInPrerequisiteState,
        psycopg.errors.WrongObjectType,
    ):
        return False
    except psycopg.Error:
        return True
    return True


def _step_may(warehouse: Warehouse, step: str, relation: str, kind: str) -> bool:
    query = "select has_table_privilege(%s, %s, %s)"
    return warehouse.session.execute(query, (f"doudi_{step}", relation, kind)).fetchone()[0]


def _column(warehouse: Warehouse, relation: str) -> str:
    """A column that may be set at all: PostgreSQL refuses to set others before it asks who is asking."""
    query = """
        select attname
        from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and attidentity = '' and attgenerated = '' and not attisdropped
        order by attnum
        limit 1
    """
    return warehouse.session.execute(query, (relation,)).fetchone()[0]


def _check_matrix(warehouse: Warehouse) -> dict[str, int]:
    """Every reader and step on every relation. Returns how many rows each reader was given in all."""
    relations = warehouse.relations()
    undeclared = [
        name for name in relations
        if name.split(".")[0] in ("marts", "ops", "identity", "access")
        and not any(name in allowed for allowed in (OPEN_TO_READERS, *STEPS.values()))
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
                    kind
                    for kind, statement in _attempts(relation, columns[relation]).items()
                    if _may(session, statement)
                }
                condition = _condition(login, relation)
                assert permitted == ({"select"} if condition else set()), (login, relation)
                if condition:
                    seen = _content(session, relation)
                    assert seen == warehouse.content(relation, condition), (login, relation)
                    given[login] += seen[0]
    for step, allowed in STEPS.items():
        for relation in relations:
            declared = _declared(relation)
            expected = allowed.get(declared, allowed.get(declared.split(".")[0], ""))
            permitted = {kind for kind in OWN.split() if _step_may(warehouse, step, relation, kind)}
            assert permitted == set(expected.split()), (step, relation)
    with psycopg.connect(warehouse.url, autocommit=True) as session:
        session.execute("set role doudi_extractor")
        for relation in relations:
            opened = _declared(relation) in OPEN_TO_READERS and not relation.startswith("ops.")
            if opened or relation == "identity.person":
                assert _content(session, relation) == warehouse.content(relation, "true"), relation
    return given


def test_every_reader_reads_what_it_is_entitled_to_and_nothing_else(warehouse: Warehouse) -> None:
    given = _check_matrix(warehouse)
    assert given["reader_of_all"] > given["reader_of_the_prefecture"] > given["reader_of_the_county"] > 0
    assert given["reader_of_another_county"] > 0
    assert given["reader_of_housing"] > 0
    assert given["reader_of_education"] > 0


def test_a_visit_is_held_against_the_numbers_of_the_warnings_and_nothing_else_of_them(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.url, autocommit=True) as session:
        session.execute("set role doudi_loader")
        seen = session.execute("select count(warning_id) from marts.warning").fetchone()[0]
        assert seen == warehouse.content("marts.warning", "true")[0] > 0
        assert not _may(session, "select person_id from marts.warning")
        assert not _may(session, "select from marts.warning where level = 'red'")


@contextmanager
def _read_all_the_while(warehouse: Warehouse) -> Iterator[list[str]]:
    """Readers that query whatever table there is at the moment, in turn and at random, until the block ends.

    Gives the list of what went wrong: a row too many, a refusal of what is allowed, an answer to what is not.
    """
    wrong: list[str] = []
    ended = threading.Event()
    asked = dict.fromkeys(READERS, 0)
    threads = [
        threading.Thread(target=_read, args=(warehouse.read_as(login), login, ended, wrong, asked)) for login in READERS
    ]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert min(asked.values()) > 50


def _read(
    session: psycopg.Connection, login: str, ended: threading.Event, wrong: list[str], asked: dict[str, int]
) -> None:
    chance = random.Random(login)
    there = """
        select namespace.nspname || '.' || class.relname
        from pg_class as class
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where namespace.nspname ~ '^(marts|identity)' and class.relkind = 'r'
    """
    with session:
        while not ended.wait(0.02):
            found = {name for (name,) in session.execute(there)} | set(OPEN_TO_READERS)
            relation = chance.choice(sorted(found))
            asked[login] += 1
            if fault := _fault(session, login, relation):
                wrong.append(f"{login} {relation}: {fault}")
            told = session.execute("select count(*) from pg_stat_activity where query ilike %s", ("%identifier_key=%",))
            settings = session.execute("select setting from pg_settings where name like 'doudi.%'").fetchall()
            if told.fetchone()[0] or settings:
                wrong.append(f"{login} sees the key")


def _fault(session: psycopg.Connection, login: str, relation: str) -> str | None:
    condition = _condition(login, relation)
    statement = f"select count(*) filter (where ({condition or 'false'}) is not true) from {relation}"
    try:
        foreign = session.execute(statement).fetchone()[0]
    except psycopg.errors.InsufficientPrivilege:
        return "refused" if relation in OPEN_TO_READERS and condition else None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        return f"gone: {error.sqlstate}" if relation in OPEN_TO_READERS else None
    if condition is None:
        return "answered"
    return f"{foreign} rows too many" if foreign else None


def test_builds_leave_no_moment_open_and_refuse_no_reader(warehouse: Warehouse) -> None:
    """A build, marts made anew as other tables, one of a past date; then the whole matrix again, that date's too."""
    with _read_all_the_while(warehouse) as wrong:
        transform.build(url=warehouse.url, settings=warehouse.settings, as_of=JUNE, everybody=True)
        runner = Runner(url=warehouse.url, settings=warehouse.settings, as_of=JUNE)
        anew = ("visit_list", "area_summary", "household", "marts_person", "person")
        nodes = runner.run("run", "--full-refresh", "--select", *anew)
        refuse_failures(nodes)
        assert len([node for node in nodes if node.kind == "model"]) == len(anew)
        transform.build(url=warehouse.url, settings=warehouse.settings, as_of=MAY)
    assert wrong == []
    given = _check_matrix(warehouse)
    assert "marts_as_of_20200531.visit_list" in warehouse.relations()
    assert min(given.values()) > 0


def test_a_reader_gets_no_further(warehouse: Warehouse) -> None:
    """Nothing may be made that others would run, no role taken, no policy lifted; errors and estimates tell nothing."""
    with warehouse.read_as("reader_of_another_county") as session:
        for statement in (
            "set role doudi_transformer",
            "set role doudi_bi",
            "set session authorization doudi",
            "create temporary table spy (a text)",
            "create function pg_temp.spy() returns text language sql return ''",
            "create table public.spy (a text)",
            "create schema spy",
            "create view marts.spy as select * from marts.visit_list",
            "alter table marts.visit_list disable row level security",
            "drop policy doudi_area_513401 on marts.visit_list",
            "lock table marts.visit_list in share mode",
            "select access.entitle('marts.visit_list')",
            "select * from access.reader",
            "select ops.keyed_hash('person|990001197001010038')",
            "copy marts.visit_list to program 'cat'",
        ):
            assert not _may(session, statement), statement
        # a division by zero would tell that somebody of another county is on the list
        others = (
            "select count(*) from marts.visit_list where 1 / (case when county_code = '513431' then 0 else 1 end) = 1"
        )
        assert session.execute(others).fetchone()[0] > 0
        assert session.execute(
            "select count(*) from pg_stats where schemaname in ('marts', 'identity')"
        ).fetchone() == (0,)
        session.execute("set row_security to off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select from marts.visit_list")


def test_a_reader_of_one_warehouse_is_not_let_into_another(
    warehouse: Warehouse, warehouse_url: str, settings: Settings
) -> None:
    schema.initialise(warehouse_url, settings)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(warehouse_url, user="reader_of_all", password="reader_of_all")  # noqa: S106
    with psycopg.connect(warehouse_url, autocommit=True) as other:
        logins.grant(other, "reader_of_all", role="doudi_bi", password=None)
        assert logins.revoke(other, "reader_of_all", role=None) == []
    with warehouse.read_as("reader_of_all") as session:  # as before
        assert _content(session, "marts.warning") == warehouse.content("marts.warning", "true")


def test_what_is_declared_no_more_is_closed_and_grants_by_hand_do_not_last(warehouse: Warehouse) -> None:
    warehouse.session.execute("delete from access.relation where relation = 'marts.coverage_gap'")
    warehouse.session.execute("grant select on marts.coverage_gap to public")
    warehouse.session.execute("select access.entitle('marts.coverage_gap')")
    with warehouse.read_as("reader_of_all") as session:
        assert not _may(session, "select from marts.coverage_gap")
        schema.initialise(warehouse.url, warehouse.settings)
        assert _content(session, "marts.coverage_gap") == warehouse.content("marts.coverage_gap", "true")


def test_nothing_is_touched_where_all_is_right(warehouse: Warehouse) -> None:
    """A reader in the middle of a query does not hold up `init`, and `init` holds up no reader."""
    catalogue = """
        select oid, relowner, relacl::text, xmin::text from pg_class
        where relnamespace = any('{marts,identity,register}'::regnamespace[]) and relkind = 'r' order by oid
    """
    before = warehouse.session.execute(catalogue).fetchall()
    with warehouse.read_as("reader_of_all") as reading, reading.transaction():
        for relation in filter(lambda relation: _condition("reader_of_all", relation), OPEN_TO_READERS):
            reading.execute(f"select from {relation} limit 1")
        schema.initialise(warehouse.url, warehouse.settings)
    assert warehouse.session.execute(catalogue).fetchall() == before


def test_the_index_on_the_division_serves_the_readers_of_an_area(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.url) as session:  # undone at the end
        session.execute(
            """
            insert into marts.warning
            select made.*
            from (select to_jsonb(warning) as content from marts.warning limit 1) as one
            cross join generate_series(1, 100000) as number
            cross join jsonb_populate_record(null::marts.warning, one.content || jsonb_build_object(
                'warning_id', 'X' || number, 'closed_on', '2020-06-30', 'status', 'cleared', 'evidence', '{}'::jsonb,
                'division_code', to_char(110000 + number % 5000, 'FM000000') || '001001'
            )) as made
            """
        )
        session.execute("analyze marts.warning")
        session.execute("set local role doudi_area_513401")
        plan = session.execute("explain select count(*) from marts.warning").fetchall()
        assert "warning_division" in "\n".join(line for (line,) in plan)
        session.rollback()


def test_whoever_reads_everything_reads_no_citizen_id_and_no_name(warehouse: Warehouse) -> None:
    names = [
        name for (name,) in warehouse.session.execute("select distinct name from identity.person where name <> ''")
    ]
    assert len(names) > 50
    with warehouse.read_as("reader_of_all") as session:
        for relation in filter(lambda relation: _condition("reader_of_all", relation), OPEN_TO_READERS):
            found = session.execute(
                sql.SQL("select count(*) from {} t where t::text ~ %s").format(sql.Identifier(*relation.split("."))),
                (r"[1-9][0-9]{16}[0-9X]|(^|[^\w])(" + "|".join(names) + r")($|[^\w])",),
            )
            assert found.fetchone() == (0,), relation
