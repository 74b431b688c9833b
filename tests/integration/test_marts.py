"""The marts of a synthetic county against statements over its registers, written by hand and in another way."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from synthetic_county import taken_in

from doudi import transform
from doudi.settings import Settings
from doudi.transform.docs import write_docs

MAY, JUNE = date(2020, 5, 31), date(2020, 6, 30)
LEVELS = ("whole", "province", "prefecture", "county", "township", "village")
IN_FORCE = (
    "{0}._valid_from <= {1} and {1} < {0}._valid_to and {0}.start_date <= {1} and coalesce({0}.end_date, {1}) >= {1}"
)

# Everybody in the poverty register on a day, by the latest row of each, with the status of the head of their household.
POOR = """
    listed as (
        select *, first_value(status) over (
            partition by _county_code, household_no
            order by (relation_to_head = 'self') desc, substr(citizen_id, 7, 8)
        ) as household_status
        from register.poverty_register where _valid_from <= %(d)s and %(d)s < _valid_to
    ),
    poor as (select distinct on (citizen_id) * from listed order by citizen_id, _valid_from desc, household_no)
"""


class Marts:
    """A warehouse that was built at the end of May and at the end of June, with some visits in between."""

    def __init__(self, session: psycopg.Connection, settings: Settings) -> None:
        self.session, self.settings = session, settings

    def query(self, statement: str, *values: Any) -> list[tuple]:
        return self.session.execute(statement, values or None).fetchall()

    def reported(self, measure: str, *, period: str = "quarter", level: str = "whole") -> dict[str, Any]:
        rows = self.query(
            """
            select item, sum(amount) from marts.quarterly_report
            where measure = %s and period = %s and division_level = %s and amount > 0 group by item
            """,
            measure, period, level,
        )  # fmt: skip
        return dict(rows)


@pytest.fixture(scope="module")
def marts(
    server_url: str, template: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marts]:
    home = tmp_path_factory.mktemp("marts")
    with (
        taken_in(server_url, template=template, settings=settings, home=home, persons=1500, as_of=JUNE) as own,
        psycopg.connect(own.database_url, autocommit=True) as session,
    ):
        transform.build(url=own.database_url, settings=own, as_of=MAY)
        _visit(session)
        transform.build(url=own.database_url, settings=own, as_of=JUNE)
        yield Marts(session, own)


def _visit(session: psycopg.Connection) -> None:
    """Red warnings are confirmed, referred and not confirmed in turn; one of the confirmed is resolved later."""
    session.execute(
        """
        insert into register.household_visit (
            _county_code, warning_id, visited_on, visitor, finding,
            _area_code, _valid_from, _row_hash, _load_id, _row_no
        )
        select county_code, warning_id, day, '某', finding, division_code, day, gen_random_uuid(), 0, number
        from (
            select *, row_number() over (order by warning_id) as number from marts.warning where level = 'red'
        ) as warning
        cross join (
            values ('confirmed', date '2020-06-05', 1), ('refer', '2020-06-08', 2), ('not_confirmed', '2020-06-10', 0),
                ('resolved', '2020-06-29', 1)
        ) as visit (finding, day, remainder)
        where number % 3 = remainder and (finding <> 'resolved' or number = 1)
        """
    )


def test_the_funnel_is_what_the_registers_say(marts: Marts) -> None:
    expected = marts.query(
        f"""
        with {POOR}
        select household_status, count(*), count(*) filter (where m), count(*) filter (where h and not m),
            count(*) filter (where t and not h and not m), count(*) filter (where not (t or h or m))
        from (
            select household_status,
                exists (select from register.minimum_allowance as a
                    where a.citizen_id = poor.citizen_id and {IN_FORCE.format("a", "%(d)s")}) as m,
                exists (select from register.special_hardship as a
                    where a.citizen_id = poor.citizen_id and {IN_FORCE.format("a", "%(d)s")}) as h,
                exists (select from register.temporary_assistance as a
                    where a.citizen_id = poor.citizen_id and a._valid_from <= %(d)s and %(d)s < a._valid_to
                        and a.granted_on > date '2019-06-30' and a.granted_on <= %(d)s) as t
            from poor where household_status <> 'lifted'
        ) as judged
        group by household_status order by household_status
        """.replace("%(d)s", "date '2020-06-30'")
    )
    columns = "at_risk_people, minimum_allowance_people, special_hardship_people, temporary_people, uncovered_people"
    assert len(expected) > 1
    assert (
        marts.query(f"select poverty_status, {columns} from marts.coverage_gap where division_code = '*' order by 1")
        == expected
    )


@pytest.mark.parametrize(
    ("mart", "figures"),
    [
        ("coverage_gap", "at_risk_people, uncovered_people, at_risk_households, uncovered_households"),
        ("quarterly_report", "amount, amount_before"),
        ("special_group_month", "people, joined_people, left_people"),
        ("register_comparison_month", "standing_people, new_people, gone_people"),
    ],
)
def test_every_level_of_areas_adds_up_to_the_whole(marts: Marts, mart: str, figures: str) -> None:
    sums = ", ".join(f"sum({figure})" for figure in figures.split(", "))
    rows = marts.query(f"select division_level, {sums} from marts.{mart} group by division_level")
    assert {row[0] for row in rows} == set(LEVELS)
    assert len({row[1:] for row in rows}) == 1
    assert any(rows[0][1:])


def test_the_money_of_a_quarter_is_what_the_registers_say(marts: Marts) -> None:
    month_ends = "(values (date '2020-04-30'), ('2020-05-31'), ('2020-06-30')) as month (day)"
    holds = "a._valid_from <= date '2020-06-30' and date '2020-06-30' < a._valid_to"
    expected = marts.query(
        f"""
        select 'minimum_allowance', sum(amount) from (
            select distinct a._county_code, a.certificate_no, month.day, a.monthly_amount as amount
            from register.minimum_allowance as a cross join {month_ends} where {IN_FORCE.format("a", "month.day")}
        ) as certificate
        union all
        select 'special_hardship', sum(a.monthly_amount)
        from register.special_hardship as a cross join {month_ends} where {IN_FORCE.format("a", "month.day")}
        union all
        select 'temporary_assistance', sum(a.amount) from register.temporary_assistance as a
        where {holds} and a.granted_on between '2020-04-01' and '2020-06-30'
        union all
        select 'medical_assistance', sum(a.aid_paid) from register.medical_assistance as a
        where {holds} and a.settled_on between '2020-04-01' and '2020-06-30'
        """
    )
    reported = marts.reported("money")
    assert {item: reported[item] for item, _ in expected} == dict(expected)


def test_the_newly_covered_are_those_who_were_not_there_a_month_before(marts: Marts) -> None:
    """Lists come at the end of each month here, so that nobody can come and go between two."""
    months = (
        "(values (date '2020-03-31', date '2020-04-30'), ('2020-04-30', '2020-05-31'), ('2020-05-31', '2020-06-30'))"
    )
    reported = marts.reported("people_newly_covered")
    for feed in ("minimum_allowance", "special_hardship"):
        ((expected,),) = marts.query(
            f"""
            select count(distinct a.citizen_id)
            from register.{feed} as a cross join {months} as month (before, day)
            where {IN_FORCE.format("a", "month.day")} and not exists (
                select from register.{feed} as b
                where b.citizen_id = a.citizen_id and {IN_FORCE.format("b", "month.before")}
            )
            """
        )
        assert reported.get(feed, 0) == expected, feed
    assert reported["minimum_allowance"] > 0


def test_warnings_are_reported_as_they_went(marts: Marts) -> None:
    visited = "select warning_id from register.household_visit"
    counted = {
        "warnings_opened": "opened_on between '2020-04-01' and '2020-06-30'",
        "warnings_cleared": "closed_on between '2020-04-01' and '2020-06-30' and status = 'cleared'",
        "warnings_standing": "closed_on is null",
        "warnings_overdue": "is_overdue",
        "warnings_not_confirmed": "closed_on between '2020-04-01' and '2020-06-30' and status = 'not_confirmed'",
        "warnings_visited": f"warning_id in ({visited})",
        "warnings_referred": f"warning_id in ({visited} where finding = 'refer')",
        "warnings_resolved": f"warning_id in ({visited} where finding = 'resolved')",
    }
    for measure, condition in counted.items():
        expected = marts.query(f"select level, count(*) from marts.warning where {condition} group by level")
        assert expected, measure
        assert marts.reported(measure) == dict(expected), measure


def test_differences_between_registers_are_those_of_the_day_and_tell_what_changed(marts: Marts) -> None:
    def expected(day: date) -> set[tuple[str, str]]:
        at = f"date '{day}'"
        feeds = ("minimum_allowance", "special_hardship")
        covered = " or ".join(
            f"citizen_id in (select citizen_id from register.{feed} as a where {IN_FORCE.format('a', at)})"
            for feed in feeds
        )
        rows = marts.query(
            f"""
            with {POOR.replace("%(d)s", at)}
            select 'at_risk_not_covered', citizen_id from poor where household_status <> 'lifted' and not ({covered})
            union
            select 'covered_not_registered', a.citizen_id from register.special_hardship as a
            where {IN_FORCE.format("a", at)} and a.area_type = 'rural'
                and a.citizen_id not in (select citizen_id from poor)
                and a.citizen_id not in (
                    select citizen_id from register.minimum_allowance as b where {IN_FORCE.format("b", at)}
                )
            """
        )
        return set(rows)

    found = """
        select kind, citizen_id, state, first_seen_on, closed_on
        from marts.register_comparison inner join identity.person using (person_id)
        where kind = 'at_risk_not_covered' or kind = 'covered_not_registered' and civil_benefit = 'special_hardship'
    """
    rows = marts.query(found)
    may, june = expected(MAY), expected(JUNE)
    assert {row[:2] for row in rows if row[4] is None} == june
    assert {row[:2] for row in rows if row[2] == "new"} == june - may
    assert {row[:2] for row in rows if row[2] == "gone"} == may - june
    assert june - may
    assert june & may
    ((new, gone),) = marts.query(
        """
        select sum(new_people), sum(gone_people) from marts.register_comparison_month
        where division_code = '*' and month = '2020-06-01'
        """
    )
    assert [(new, gone)] == marts.query(
        """
        select count(*) filter (where state = 'new'), count(*) filter (where state = 'gone')
        from marts.register_comparison
        """
    )


def test_a_special_group_is_who_is_on_its_latest_list(marts: Marts) -> None:
    for group, condition in {
        "left_behind_child": "left_behind where kind = 'child'",
        "living_subsidy": "disability where living_subsidy",
        "orphan": "child_protection where kind = 'orphan' and '2020-06-30' between coalesce(start_date, '-infinity') "
        "and coalesce(end_date, 'infinity')",
    }.items():
        expected = marts.query(
            f"select distinct citizen_id from register.{condition} and _valid_from <= '2020-06-30' "
            "and '2020-06-30' < _valid_to"
        )
        assert expected, group
        assert set(expected) == set(
            marts.query(
                """
                select citizen_id from marts.special_group inner join identity.person using (person_id)
                where special_group = %s and status = 'current'
                """,
                group,
            )
        ), group


def test_cards_and_people_agree_and_name_nobody(marts: Marts) -> None:
    assert marts.query(
        """
        select count(*) filter (where members <> jsonb_array_length(member_list)), sum(members), sum(open_warnings)
        from marts.household
        """
    ) == marts.query(
        "select 0, (select count(*) from marts.person), (select count(*) from marts.warning where closed_on is null)"
    )
    ids = {citizen_id for (citizen_id,) in marts.query("select citizen_id from identity.person")}
    for mart in ("person", "household", "special_group", "register_comparison"):
        told = "".join(row for (row,) in marts.query(f"select to_jsonb(mart)::text from marts.{mart} as mart"))
        assert not ids & set(re.findall(r"\d{17}[\dX]", told)), mart


def test_every_metric_is_defined_and_every_definition_is_met(marts: Marts) -> None:
    defined = set(marts.query("select metric from reference.metric_definition"))
    assert set(marts.query("select metric from marts.metric")) == defined
    assert set(marts.query("select measure from marts.quarterly_report")) <= defined


def test_every_table_and_column_that_outsiders_read_is_described(marts: Marts) -> None:
    described = marts.query(
        """
        select relname || coalesce('.' || attname, ''), col_description(oid, coalesce(attnum, 0)) is not null
            or attnum is null and obj_description(oid) is not null
        from pg_class
        left join lateral (
            select null::name as attname, null::smallint as attnum
            union all
            select attname, attnum from pg_attribute where attrelid = oid and attnum > 0 and not attisdropped
        ) as part on true
        where relnamespace = 'marts'::regnamespace and relkind in ('r', 'p', 'v', 'm')
        """
    )
    assert len(described) > 100
    assert [name for name, is_described in described if not is_described] == []


@pytest.mark.usefixtures("artifacts")
def test_the_page_of_the_models_tells_of_no_machine_and_no_person(marts: Marts) -> None:
    path = write_docs(url=marts.settings.database_url, settings=marts.settings)
    page = path.read_text(encoding="utf-8")
    assert path == marts.settings.home / "reports" / "models.html"
    assert "What befell the household" in page
    for told in (marts.settings.home, marts.settings.project):
        assert str(told) not in page
    assert re.search(r"99\d{15}[\dX]", page) is None


def test_the_same_date_again_keeps_every_table_and_writes_nothing(marts: Marts) -> None:
    tables = [name for (name,) in marts.query("select tablename from pg_tables where schemaname = 'marts'")]

    def state(table: str) -> set[tuple]:
        return set(marts.query(f"select 'marts.{table}'::regclass::oid, ctid::text, xmin::text from marts.{table}"))

    before = {table: state(table) for table in tables}
    transform.build(url=marts.settings.database_url, settings=marts.settings, as_of=JUNE)
    assert [table for table in tables if state(table) != before[table]] == []
