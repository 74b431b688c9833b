"""Erasing a person: nothing of them is left but the record, everybody else is as before, and it stays so."""

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from databases import copied, url_of
from made_up import as_csv, citizen_id, erasure, poverty_row, write
from psycopg import sql
from psycopg.types.json import Jsonb
from synthetic_county import taken_in
from warehouse_state import SUM_RULE_BROKEN

from doudi import backup, cli, erasing, extracts, loads
from doudi.erasures import ErasureError
from doudi.erasures.record import in_file, keep_in_file, record
from doudi.extracts import ExtractError, verifying
from doudi.extracts.ledger import RECIPIENT_LOCK
from doudi.settings import Settings
from doudi.transform import build
from doudi.warehouse import schema
from doudi.warehouse.connection import connect

DAY, ERASED_ON, LATER = date(2020, 6, 30), date(2020, 7, 2), "20200731"
FEEDS = ("poverty_register", "education_assistance", "minimum_allowance", "housing_assistance")
# Somebody with a record in several feeds and a warning as the head of a household with others, whom pupils' records
# name as their guardian.
WHOM = """
    select citizen_id, household_id::text
    from identity.person
    inner join identity.household_member using (person_id)
    inner join marts.warning using (person_id, household_id)
    where
        scope = 'H' and is_head
        and citizen_id in (select citizen_id from register.poverty_register)
        and citizen_id in (select guardian_citizen_id from register.education_assistance)
        and exists (
            select from identity.household_member as other
            where other.household_id = household_member.household_id and other.person_id <> person.person_id
        )
    order by citizen_id
    limit 1
"""
# What is others', but for the order of visits, in which there is one household less.
OTHERS = {
    "identity.person": "t.citizen_id <> %(id)s",
    "marts.person": "t.household_id::text <> %(household)s",
    "marts.household": "t.household_id::text <> %(household)s",
    "marts.warning": "t.household_id::text <> %(household)s",
    "marts.special_group": "t.household_id::text <> %(household)s",
    "marts.visit_list": "t.household_id::text <> %(household)s",
}


@dataclass(frozen=True)
class County:
    """A county, built and handed out, with somebody in it, and the URL of a copy from before they were erased."""

    settings: Settings
    older: str
    citizen_id: str
    household_id: str

    def query(self, statement: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.settings.database_url) as session:
            return session.execute(statement, values or None).fetchall()

    def others(self) -> dict[str, str]:
        told = {"id": self.citizen_id, "household": self.household_id}
        with psycopg.connect(self.settings.database_url) as session:
            return {
                table: session.execute(
                    "select md5(string_agg(line, e'\\n' order by line)) from ("
                    f"select (to_jsonb(t) - 'household_order')::text as line from {table} as t where {condition}) as t",
                    told,
                ).fetchone()[0]
                for table, condition in OTHERS.items()
            }  # fmt: skip


def holding(url: str, text: str) -> set[str]:
    """Every table of the database, Postgres's own included, that holds a text anywhere."""
    with psycopg.connect(url) as session:
        tables = session.execute("select schemaname, tablename from pg_tables").fetchall()
        return {
            ".".join(table)
            for table in tables
            if session.execute(
                sql.SQL("select exists (select from {} as t where strpos(t::text, %s) > 0)").format(
                    sql.Identifier(*table)
                ),
                (text,),
            ).fetchone()[0]
        }


@pytest.fixture(scope="module")
def county(
    server_url: str, template: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[County]:
    home = tmp_path_factory.mktemp("erasing")
    with taken_in(
        server_url, template=template, settings=settings, home=home, persons=400, as_of=DAY, feeds=FEEDS
    ) as own:
        schema.initialise(own.database_url, own)
        build(url=own.database_url, settings=own, as_of=DAY)
        extracts.send(["township"], settings=own)
        _as_if_it_had_not_got_through(own)
        with psycopg.connect(own.database_url) as session:
            citizen_id, household_id = session.execute(WHOM).fetchone()
        _refuse_rows(own, citizen_id)
        _decide(own, citizen_id)
        database = psycopg.conninfo.conninfo_to_dict(own.database_url)["dbname"]
        with copied(server_url, template=database) as older:
            yield County(own, url_of(server_url, older), citizen_id, household_id)


def _as_if_it_had_not_got_through(own: Settings) -> None:
    with psycopg.connect(own.database_url) as session:
        (folder,) = session.execute("update ops.extract set state = 'prepared' returning folder").fetchone()
        session.execute("insert into ops.extract_row values ('township', '{one}', gen_random_uuid())")
    (own.outgoing / "township" / folder).mkdir(parents=True)


def _refuse_rows(own: Settings, citizen_id: str) -> None:
    """One of theirs, written full-width and of no known reason, and one of another's whose guardian they are."""
    with psycopg.connect(own.database_url) as session:
        load_id = session.execute(
            "select load_id from ops.load where feed = 'education_assistance' and status = 'published'"
        ).fetchone()[0]
        wide = citizen_id.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        theirs, pupils = {"身份证号": wide, "姓名": "某"}, {"身份证号": "1", "监护人身份证号": citizen_id}
        for row_no, raw in ((9001, theirs), (9002, pupils)):
            session.execute(
                """
                insert into ops.quarantine (load_id, feed, row_no, line_no, rule, reason, faults, raw)
                values (%s, 'education_assistance', %s, %s, 'code', '', '[]', %s)
                """,
                (load_id, row_no, row_no, Jsonb(raw)),
            )
        session.execute(
            "update ops.load set rows_quarantined = rows_quarantined + 2, rows_read = rows_read + 2 where load_id = %s",
            (load_id,),
        )


def _decide(own: Settings, citizen_id: str) -> None:
    with psycopg.connect(own.database_url) as session:
        session.execute(
            """
            insert into ops.identity_decision (
                kind, citizen_id, other_id, decision, reason, score, reasons, decided_by
            )
            select 'pair', %(id)s, citizen_id, 'reject', 'two cousins', 0.5, '[]', 'somebody'
            from identity.person where citizen_id <> %(id)s limit 1
            """,
            {"id": citizen_id},
        )


def _erase(county: County, *, really: bool) -> erasing.Outcome:
    own = replace(county.settings, as_of=ERASED_ON)
    return erasing.erase(county.citizen_id, settings=own, reason="file 7", by="an officer", really=really)


def _refused(county: County, *, citizen_id: str | None = None, as_of: date = ERASED_ON, really: bool = True) -> str:
    """Why nobody is erased."""
    own = replace(county.settings, as_of=as_of)
    with pytest.raises(ErasureError) as refused:
        erasing.erase(citizen_id or county.citizen_id, settings=own, reason="file 7", by="x", really=really)
    return str(refused.value)


def _again(county: County, feed: str, *, name: str, tmp_path: Path) -> str:
    """Land a list that names them under another name, with a blank line more, so that it is another delivery."""
    path = next(
        path
        for path in sorted(county.settings.inbox.glob(f"{feed}_*.csv"), reverse=True)
        if county.citizen_id in path.read_text(encoding="utf-8-sig", errors="replace")
    )
    copy = tmp_path / name.format(stem=path.stem)
    shutil.copyfile(path, copy)
    with copy.open("ab") as file:
        file.write(b"\r\n")
    [result] = loads.land_files([copy], settings=county.settings)
    return result.status


def test_nobody_is_erased_without_a_reason_and_none_that_names_them(county: County) -> None:
    for told in ({"reason": " ", "by": "x"}, {"reason": f"about {county.citizen_id}", "by": "x"}):
        with pytest.raises(ErasureError) as refused:
            erasing.erase(county.citizen_id, settings=county.settings, really=True, **told)
        assert county.citizen_id not in str(refused.value)
    with pytest.raises(ErasureError, match="no citizen ID"):
        erasing.erase("51343119700101", settings=county.settings, reason="x", by="y", really=True)


@pytest.mark.parametrize("really", [False, True])
def test_nobody_is_erased_of_whom_nothing_is_known_or_whom_the_same_deliveries_would_bring_back(
    county: County, really: bool
) -> None:
    assert _refused(county, citizen_id="990001190001010019", really=really) == (
        "nothing in this warehouse is about that ID"
    )
    assert _refused(county, as_of=date(2020, 3, 31), really=really).endswith("no --as-of before it")
    assert county.query("select count(*) from ops.erasure") == [(0,)]


def test_who_is_just_being_served_is_waited_for(county: County) -> None:
    """What is about to be prepared would go out about somebody who was erased meanwhile."""

    class Waiting(Exception):
        pass

    def waiting(line: str) -> None:
        raise Waiting(line)

    with psycopg.connect(county.settings.database_url, autocommit=True) as sender:
        sender.execute(f"select pg_advisory_lock({RECIPIENT_LOCK})", ("housing",))
        with pytest.raises(Waiting, match="housing is being served"):
            erasing.erase(
                county.citizen_id, settings=county.settings, reason="file 7", by="x", really=True, progress=waiting
            )


def test_schemas_that_are_not_the_warehouses_are_not_touched(county: County) -> None:
    with psycopg.connect(county.settings.database_url, autocommit=True) as administrator:
        administrator.execute("create schema marts_of_somebody")
        administrator.execute("create table marts_of_somebody.person as select * from identity.person")
        try:
            assert "marts_of_somebody" not in str(_erase(county, really=False).erasure.counts)
        finally:
            administrator.execute("drop schema marts_of_somebody cascade")


def test_what_would_go_is_told_without_the_id_and_nothing_is_changed(
    county: County, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = holding(county.settings.database_url, county.citizen_id)
    assert {"register.poverty_register", "ops.quarantine", "ops.identity_decision", "identity.person"} <= before
    monkeypatch.setenv("DOUDI_HOME", str(county.settings.home))
    monkeypatch.setenv("DOUDI_DATABASE_URL", county.settings.database_url)
    monkeypatch.setattr("sys.argv", ["doudi", "erase", "-", "--reason", "file 7", "--by", "an officer"])
    monkeypatch.setattr("sys.stdin", io.StringIO(county.citizen_id + "\n"))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = "".join(capsys.readouterr())
    assert not ended.value.code
    assert "register.poverty_register" in told
    assert "to be told: township" in told
    assert "nothing is changed yet" in told
    assert county.citizen_id not in told
    assert holding(county.settings.database_url, county.citizen_id) == before
    assert county.query("select count(*) from ops.erasure") == [(0,)]


def test_nothing_of_them_is_left_and_everybody_else_is_as_before(county: County) -> None:
    url, before = county.settings.database_url, county.others()
    told, done = _erase(county, really=False).erasure, _erase(county, really=True).erasure
    assert (done.counts, done.archived_load_ids) == (told.counts, told.archived_load_ids)
    assert holding(url, county.citizen_id) == set()
    # the pupils' record and the refused row of one are theirs, and stay without the guardian
    assert done.counts["register.education_assistance, named in others' rows"] > 0
    assert county.query("select row_no, status, raw from ops.quarantine where row_no > 9000 order by row_no") == [
        (9001, "discarded", {}),
        (9002, "open", {"身份证号": "1", "监护人身份证号": f"erased-{done.id_hashes[0][:12]}"}),
    ]
    # the household's warning goes on, with another member
    assert county.query(
        "select count(*) from marts.warning where household_id::text = %s and closed_on is null", county.household_id
    ) != [(0,)]
    # what lay ready does not go out, and the next extract is made anew
    assert county.query("select distinct state from ops.extract") == [("withdrawn",)]
    assert not any((county.settings.outgoing / "township").iterdir())
    assert county.query("select count(*) from ops.extract_row") == [(0,)]
    assert county.query(SUM_RULE_BROKEN) == []
    with connect(url, role="extractor") as session:
        assert verifying.verify(session, manifests=()).fault is None
    with pytest.raises(ExtractError, match="run doudi build"):
        extracts.send(["township"], settings=county.settings)
    build(url=url, settings=county.settings, as_of=DAY)
    assert county.query("select timings ->> 'everybody' from ops.build order by build_id desc limit 1") == [
        ("people were joined or erased, or rows withdrawn",)
    ]
    assert holding(url, county.citizen_id) == set()
    assert county.others() == before
    assert _refused(county) == "that ID was erased already, and nothing in this warehouse is about it"


def test_old_deliveries_leave_them_out_and_a_later_one_takes_them_in(county: County, tmp_path: Path) -> None:
    url = county.settings.database_url
    assert _again(county, "poverty_register", name="{stem}_2.csv", tmp_path=tmp_path) == "published"
    assert _again(county, "education_assistance", name="{stem}_2.csv", tmp_path=tmp_path) == "published"
    assert holding(url, county.citizen_id) == set()
    assert county.query("select rule, status, raw from ops.quarantine where rule = 'erased'") == [
        ("erased", "discarded", {})
    ]
    assert county.query(SUM_RULE_BROKEN) == []
    later = f"poverty_register_513431_{LATER}.csv"
    assert _again(county, "poverty_register", name=later, tmp_path=tmp_path) == "published"
    assert county.query("select notes from ops.load order by load_id desc limit 1") == [({"named_again": 1},)]
    versions = "select _valid_from::text from register.poverty_register where citizen_id = %s"
    assert county.query(versions, county.citizen_id) == [("2020-07-31",)]
    # a pupil whose old list came again without the guardian has the guardian again as well
    later = f"education_assistance_513431_{LATER}.csv"
    assert _again(county, "education_assistance", name=later, tmp_path=tmp_path) == "published"
    guarded = "select distinct _valid_from::text from register.education_assistance where guardian_citizen_id = %s"
    assert county.query(guarded, county.citizen_id) == [("2020-07-31",)]


def test_a_restored_older_warehouse_is_erased_again(county: County) -> None:
    restored = replace(county.settings, database_url=county.older)
    assert holding(county.older, county.citizen_id)
    [once] = in_file(restored.erasures)
    keep_in_file(restored.erasures, [replace(once, erasure_id=uuid4(), reason="once more", recipients=())])
    with psycopg.connect(county.older) as session:  # a night has passed before anybody remembered
        session.execute("insert into ops.build (as_of, status) values (%s, 'succeeded')", (DAY,))
    assert erasing.again(settings=restored) == 2
    assert holding(county.older, county.citizen_id) == set()
    assert erasing.again(settings=restored) == 0
    with psycopg.connect(county.older) as session:
        told = session.execute("select erased_on, reason from ops.erasure order by erased_at").fetchall()
    assert told == [(ERASED_ON, "file 7"), (ERASED_ON, "once more")]
    with pytest.raises(ExtractError, match="run doudi build"):
        extracts.send(["township"], settings=restored)


def test_a_household_that_was_called_by_the_id_is_called_something_else(
    installation: Settings, take: Callable, query: Callable, tmp_path: Path
) -> None:
    """In old lists that come again too, and in rows of theirs that are refused."""
    head = citizen_id(1)
    rows = [poverty_row(1, 户编号=head), poverty_row(2, 户编号=head), poverty_row(3, 户编号=f"{head}01", 身份证号="1")]
    other_words = [row | {"家庭年人均纯收入": "3000.00"} for row in rows]
    take(
        write(tmp_path, "poverty_register_513431_20200131.csv", as_csv(rows)),
        write(tmp_path, "poverty_register_513431_20200229.csv", as_csv(other_words)),
    )
    assert query("select count(*) from other_text.poverty_register") == [(2,)]
    own = replace(installation, as_of=date(2020, 3, 1))
    erasing.erase(head, settings=own, reason="file 8", by="an officer", really=True)
    numbers = "select household_no from register.poverty_register"
    [(number,)] = query(numbers)
    assert number.startswith("erased-")
    assert query("select count(*) from other_text.poverty_register") == [(0,)]
    again = write(tmp_path, "poverty_register_513431_20200229_2.csv", as_csv(rows) + "\r\n")
    [result] = take(again)
    assert (result.rows_published, result.rows_unchanged, result.rows_quarantined) == (0, 1, 2)
    assert query(numbers) == [(number,)]
    assert query("select raw ->> '户编号' from ops.quarantine where status = 'open'") == [(f"{number}01",)] * 3
    assert holding(installation.database_url, head) == set()


def test_a_backup_has_the_file_beside_it_although_it_was_lost(installation: Settings, tmp_path: Path) -> None:
    one = erasure()
    with psycopg.connect(installation.database_url) as session:
        record(session, one)
    backup.take(tmp_path / "kept", url=installation.database_url, settings=installation)
    assert in_file(tmp_path / "kept" / installation.erasures.name) == in_file(installation.erasures) == [one]
