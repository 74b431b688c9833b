"""Superset as its users have it: in a browser, with a warehouse of two counties, and nothing of it imitated."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
import pytest
from superset_browser import Browser, Person, browser, chromium, logged_in
from synthetic_county import move_some_households, taken_in

from doudi import transform
from doudi.contracts import Contract
from doudi.dashboards import server
from doudi.dashboards.__main__ import up
from doudi.dashboards.declaration import load_declared
from doudi.dashboards.installation import Installation
from doudi.settings import Settings, load_settings
from doudi.warehouse import schema

JUNE = date(2020, 6, 30)
COUNTY, OTHER, OTHER_NAME = "513431", "513401", "西昌市"
DECLARED = load_declared(load_settings().project / "dashboards")

pytestmark = [
    pytest.mark.dashboards,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A Superset that is up, its warehouse's account, and a browser."""

    installation: Installation
    session: psycopg.Connection
    browser: Browser

    def figure(self, query: str) -> int:
        return self.session.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def running(
    server_url: str,
    template: str,
    settings: Settings,
    contracts: dict[str, Contract],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("superset")
    with (
        taken_in(server_url, template=template, settings=settings, home=home, persons=800, as_of=JUNE) as own,
        psycopg.connect(own.database_url, autocommit=True) as session,
    ):
        schema.initialise(own.database_url, own)
        move_some_households(session, contracts=contracts, to=OTHER)
        _refuse_a_row(session)
        transform.build(url=own.database_url, settings=own, as_of=JUNE)
        with up(own) as (installation, _), browser() as opened:
            yield Running(installation=installation, session=session, browser=opened)


def _refuse_a_row(session: psycopg.Connection) -> None:
    session.execute(
        """
        insert into ops.quarantine (load_id, feed, row_no, line_no, rule, reason, faults, raw)
        select load_id, feed, 1, 1, 'required', 'made up', '[]', '{}' from ops.load where area_code = %s limit 1
        """,
        (COUNTY,),
    )


@pytest.fixture(scope="module")
def of_the_county(running: Running) -> Iterator[Person]:
    with logged_in(running.browser, running.installation, f"bi_{COUNTY}") as person:
        yield person


@pytest.fixture(scope="module")
def of_all(running: Running) -> Iterator[Person]:
    with logged_in(running.browser, running.installation, "bi") as person:
        yield person


@pytest.mark.parametrize("name", DECLARED.dashboards)
def test_a_dashboard_is_drawn_with_data_and_of_the_county_alone(of_the_county: Person, name: str) -> None:
    charts = len(DECLARED.dashboards[name].charts)
    drawn = of_the_county.open(name, charts=charts)
    assert drawn.errors == []
    assert len(drawn.answers) >= charts
    assert [answer["query"] for answer in drawn.answers if answer["rowcount"] == 0] == []
    told = json.dumps([answer["data"] for answer in drawn.answers], ensure_ascii=False)
    assert OTHER_NAME not in told
    assert OTHER not in told


def test_whoever_reads_all_sees_both_counties_on_the_same_dashboard(of_all: Person) -> None:
    drawn = of_all.open("overview", charts=len(DECLARED.dashboards["overview"].charts))
    assert drawn.errors == []
    assert OTHER_NAME in json.dumps([answer["data"] for answer in drawn.answers], ensure_ascii=False)


def _ask(person: Person, *, filters: list[dict], columns: list[str]) -> list[dict]:
    """A chart of one's own on the dataset of warnings, with whatever filter one likes."""
    status, found = person.call("GET", "/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:warning)))")
    assert status == 200
    body = {
        "datasource": {"id": found["result"][0]["id"], "type": "table"},
        "queries": [{"columns": columns, "metrics": [_COUNT], "filters": filters, "row_limit": 1000}],
        "result_format": "json",
        "result_type": "full",
    }
    status, answer = person.call("POST", "/api/v1/chart/data", body)
    assert status == 200, answer
    return answer["result"][0]["data"]


_COUNT = {"expressionType": "SQL", "sqlExpression": "count(*)", "label": "n"}


def test_figures_are_those_of_the_mart(running: Running, of_the_county: Person, of_all: Person) -> None:
    standing = [{"col": "is_standing", "op": "==", "val": True}]
    query = "select count(*) from marts.warning where closed_on is null"
    assert _ask(of_all, filters=standing, columns=[]) == [{"n": running.figure(query)}]
    own = running.figure(f"{query} and county_code = '{COUNTY}'")
    assert _ask(of_the_county, filters=standing, columns=[]) == [{"n": own}]
    assert 0 < own < running.figure(query)


def test_no_filter_brings_another_countys_rows(of_the_county: Person, of_all: Person) -> None:
    other = [{"col": "county", "op": "IN", "val": [OTHER_NAME]}]
    assert _ask(of_all, filters=other, columns=["county"])
    assert _ask(of_the_county, filters=other, columns=["county"]) == []
    assert len(_ask(of_the_county, filters=[], columns=["county"])) == 1


def _sql(person: Person, sql: str) -> tuple[int, object]:
    status, found = person.call("GET", "/api/v1/database/")
    assert (status, [each["database_name"] for each in found["result"]]) == (200, ["doudi"])
    body = {"database_id": found["result"][0]["id"], "sql": sql, "runAsync": False, "queryLimit": 1000, "schema": None}
    return person.call("POST", "/api/v1/sqllab/execute/", body)


def test_sql_lab_gives_the_countys_rows_and_no_others(of_the_county: Person, of_all: Person) -> None:
    query = "select distinct county_code from marts.warning order by 1"
    status, answer = _sql(of_all, query)
    assert status == 200
    assert {OTHER, COUNTY} <= {row["county_code"] for row in answer["data"]}
    status, answer = _sql(of_the_county, query)
    assert (status, answer["data"]) == (200, [{"county_code": COUNTY}])
    for relation, column in (
        ("marts.person", "county_code"),
        ("marts.household", "county_code"),
        ("marts.area_summary", "left(division_code, 6)"),
        ("marts.metric", "left(division_code, 6)"),
        ("ops.load_health", "area_code"),
    ):
        status, answer = _sql(of_the_county, f"select count(*) as n from {relation} where {column} <> '{COUNTY}'")
        assert (relation, status, answer["data"]) == (relation, 200, [{"n": 0}])


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        # by the database
        ("select * from identity.person", "permission denied for schema identity"),
        ("select name from marts.visit_list", "permission denied for table visit_list"),
        ("select * from marts.household_visit_list", "permission denied for table household_visit_list"),
        ("select raw from ops.quarantine", "permission denied for table quarantine"),
        ("select * from register.disability", "permission denied for schema register"),
        ("set role doudi_bi; select county_code from marts.warning", "permission denied to set role"),
        ("set role doudi_owner; select county_code from marts.warning", "permission denied to set role"),
        ("set session authorization superset_bi; select county_code from marts.warning", "permission denied to set"),
        ("set row_security = off; select county_code from marts.warning", "would be affected by row-level security"),
        # by Superset, before that
        ("select pg_read_file('/etc/passwd')", "disallowed function"),
        ("update marts.warning set level = 'red'", "DML_NOT_ALLOWED"),
        ("create table marts.mine (a int)", "DML_NOT_ALLOWED"),
    ],
)
def test_sql_lab_refuses_what_is_not_the_readers(of_the_county: Person, sql: str, told: str) -> None:
    status, answer = _sql(of_the_county, sql)
    assert status >= 400
    assert told in json.dumps(answer)


def test_a_county_may_not_look_at_users_connections_or_others_queries(of_the_county: Person, of_all: Person) -> None:
    _sql(of_all, "select 'of the whole' as told")
    connection = {"database_name": "mine", "sqlalchemy_uri": "postgresql://doudi@127.0.0.1/doudi"}
    for method, path, body in (
        ("GET", "/api/v1/security/users/", None),
        ("GET", "/api/v1/security/roles/", None),
        ("POST", "/api/v1/database/", connection),
        ("POST", "/api/v1/database/test_connection/", connection),
        ("GET", "/api/v1/rowlevelsecurity/", None),
    ):
        status, _ = of_the_county.call(method, path, body)
        assert (path, status in (401, 403, 404)) == (path, True)
    status, answer = of_the_county.call("GET", "/api/v1/query/")
    assert status == 403 or "of the whole" not in json.dumps(answer)


def test_a_second_start_changes_nothing_and_two_cannot_run(running: Running) -> None:
    from doudi.dashboards.declaration import DashboardError
    from doudi.dashboards.installation import bring_up_to_date

    assert bring_up_to_date(running.installation) is False
    with pytest.raises(DashboardError, match="runs already"), server.alone(running.installation.settings):
        pass


def test_no_secret_lies_in_the_notes_and_no_file_is_open_to_others(running: Running) -> None:
    settings, home = running.installation.settings, running.installation.home
    secrets = [path.read_text().strip() for path in settings.keys.glob("*superset*")]
    assert len(secrets) > 10
    told = running.installation.notes.read_text(encoding="utf-8")
    assert not [secret for secret in secrets if secret in told]
    files = [*settings.keys.iterdir(), running.installation.notes]
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    assert home.stat().st_mode & 0o077 == 0
    database = Path(home / "superset.db").read_bytes()
    assert not [secret for secret in secrets if secret.encode() in database]
