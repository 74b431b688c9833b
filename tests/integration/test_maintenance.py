"""Old things of every kind are planted: by retention.yml exactly they go, and everything else stays as it was."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from databases import as_step
from made_up import as_csv, poverty_row, visit_row, write
from warehouse_state import content

from doudi import loads, maintenance, returns
from doudi.deliveries import DeliveryRefused
from doudi.doctor import diagnose
from doudi.ledger import ARCHIVE_LOCK
from doudi.maintenance import Outcome, RetentionError
from doudi.private import append_line
from doudi.settings import Settings

POLICY = """\
archived_deliveries: 10 years
closed_quarantine_rows: 1 year
check_results: 3 years
failures_and_alerts: 1 year
airflow_history: 6 months
past_day_marts: 3 months
build_files: 1 month
"""
LONG_AGO, YOUNG = "now() - interval '11 years'", "now() - interval '9 years'"
FEED, AREA = "poverty_register", "513431"


@pytest.fixture
def policed(installation: Settings, tmp_path: Path) -> Settings:
    """The installation, of a project whose retention.yml is this test's."""
    project = tmp_path / "project"
    project.mkdir()
    for path in installation.project.iterdir():
        (project / path.name).symlink_to(path)
    (project / "retention.yml").unlink()
    (project / "retention.yml").write_text(POLICY)
    return replace(installation, project=project)


@pytest.fixture
def execute(policed: Settings) -> Callable[..., None]:
    def execute(*statements: str) -> None:
        with psycopg.connect(policed.database_url, autocommit=True) as session:
            for statement in statements:
                session.execute(statement)

    return execute


@pytest.fixture
def maintain(policed: Settings) -> Callable[..., dict[str, Outcome]]:
    def maintain(**options: object) -> dict[str, Outcome]:
        outcomes = maintenance.maintain(url=policed.database_url, settings=policed, **options)
        return {outcome.rule: outcome for outcome in outcomes}

    return maintain


@pytest.fixture
def deliver(take: Callable, tmp_path: Path) -> Callable[..., int]:
    """Take a delivery of twenty people in, with a row whose income is none where ``bad``; returns its load."""
    (tmp_path / "sent").mkdir()

    def deliver(day: str, *, bad: bool = False, header: str = "家庭年人均纯收入") -> int:
        rows = [poverty_row(number, 家庭年人均纯收入=day[4:]) for number in range(20)]
        if bad:
            rows.append(poverty_row(20, 家庭年人均纯收入="许多"))
        text = as_csv(rows).replace("家庭年人均纯收入", header)
        (result,) = take(write(tmp_path / "sent", f"{FEED}_{AREA}_{day}.csv", text))
        return result.load_id

    return deliver


def _age(load_id: int, *, since: str = LONG_AGO) -> str:
    return f"update ops.load set received_at = {since}, finished_at = {since} where load_id = {load_id}"


def _archived(settings: Settings) -> set[str]:
    return {path.name.removeprefix(f"{FEED}_{AREA}_") for path in settings.archive.rglob("*.csv*")}


def _schemas(settings: Settings) -> set[str]:
    with psycopg.connect(settings.database_url) as session:
        return {name for (name,) in session.execute("select nspname from pg_namespace where nspname like 'marts%'")}


def test_originals_that_nothing_needs_go_and_the_ledger_tells(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable, query: Callable, tmp_path: Path
) -> None:
    loads_of = {
        "plain": deliver("20150131"),
        "refused, another in its place": deliver("20150115", header="收入"),
        "discarded row": deliver("20150228", bad=True),
        "open row": deliver("20150331", bad=True),
        "young": deliver("20150430"),
        "last word": deliver("20150531"),
        "refused, nothing in its place": deliver("20150630", header="收入"),
    }
    returns.discard(settings=policed, load_id=loads_of["discarded row"], row_nos=None, reason="不再更正")
    execute(*(_age(load_id) for load_id in loads_of.values()), _age(loads_of["young"], since=YOUNG))
    before, kept = content(policed.database_url), _archived(policed)
    files = list(policed.archive.rglob("*.csv"))
    assert len(kept) == 7

    would = maintain(dry_run=True)["archived_deliveries"]
    assert (_archived(policed), content(policed.database_url)) == (kept, before)
    done = maintain()["archived_deliveries"]
    gone = {"20150131.csv", "20150115.csv", "20150228.csv"}
    assert done == would
    assert (done.count, done.left) == (3, ())
    assert done.size == sum(len(_text(policed, tmp_path, day)) for day in gone)
    assert kept - _archived(policed) == gone
    assert content(policed.database_url) == before
    told = "select load_id from ops.load where archive_removed_at is not null order by load_id"
    assert [load_id for (load_id,) in query(told)] == sorted(list(loads_of.values())[:3])
    assert maintain()["archived_deliveries"].count == 0

    (path,) = (path for path in files if path.name.endswith("20150131.csv"))
    assert not path.parent.exists()
    with pytest.raises(DeliveryRefused, match=r"load 1 was removed on .*retention\.yml") as caught:
        loads.land_files([path], settings=policed)
    assert caught.value.code == "file.removed"
    (again,) = loads.land_files([tmp_path / "sent" / path.name], settings=policed)
    assert (again.load_id, again.status) == (1, "published")  # known, and not taken in twice
    assert content(policed.database_url) == before
    assert path.is_file()
    assert query("select archive_removed_at from ops.load where load_id = 1") == [(None,)]


def _text(settings: Settings, tmp_path: Path, name: str) -> bytes:
    return (tmp_path / "sent" / f"{FEED}_{AREA}_{name}").read_bytes()


def test_what_was_cut_off_is_finished_the_next_time(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [deliver("20150131"), deliver("20150228")]
    deliver("20150331")
    execute(*map(_age, old))

    def cut(*_: Path) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr("doudi.maintenance.deliveries.remove", cut)
        with pytest.raises(SystemExit):
            maintain()
    assert len(_archived(policed)) == 3
    policed.retention.write_text(POLICY.replace("10 years", "forever"))
    assert maintain()["archived_deliveries"].count == 1  # what the ledger calls removed is, whatever holds since
    policed.retention.write_text(POLICY)
    assert maintain()["archived_deliveries"].count == 1
    assert _archived(policed) == {"20150331.csv"}


def test_what_is_in_progress_waits(
    policed: Settings, deliver: Callable, take: Callable, execute: Callable, maintain: Callable, tmp_path: Path
) -> None:
    old = deliver("20150131")
    deliver("20150228")
    visits = [
        take(write(tmp_path, f"household_visit_513431_201501{day}.csv", as_csv([visit_row("A", "2015-01-01")])))[0]
        for day in (30, 31)
    ]
    execute(_age(old), _age(visits[0].load_id))
    with psycopg.connect(policed.database_url, autocommit=True) as loader:
        with as_step(loader, "loader"):
            loader.execute(f"create unlogged table landing.{FEED}_99 (text text)")
            loader.execute("create unlogged table landing.household_visit_98_faults (text text)")
        loader.execute("select pg_advisory_lock(hashtext('doudi.load'), hashtext(%s))", (FEED,))
        would, done = maintain(dry_run=True), maintain()
        assert done == would
        assert done["archived_deliveries"].count == 1  # of the feed that is at rest
        assert done["archived_deliveries"].left == (f"{FEED} is being taken in",)
        assert done["leftovers"].left == (f"{FEED} is being taken in",)
        tables = loader.execute("select tablename from pg_tables where schemaname = 'landing'").fetchall()
        assert tables == [(f"{FEED}_99",)]
        loader.execute("select pg_advisory_unlock_all()")
        loader.execute(f"select pg_advisory_lock_shared({ARCHIVE_LOCK})")
        assert maintain()["archived_deliveries"].left == ("a backup is being taken",)
        loader.execute("select pg_advisory_unlock_all()")
        assert maintain()["archived_deliveries"].count == 1
        loader.execute("select pg_advisory_lock(hashtext('doudi.maintenance'))")
        with pytest.raises(RetentionError, match="at work already"):
            maintain()


def test_closed_rows_lose_their_text_and_keep_their_fate(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable, query: Callable
) -> None:
    old, recent, open_ = (deliver(day, bad=True) for day in ("20200131", "20200229", "20200331"))
    for load_id in (old, recent):
        returns.discard(settings=policed, load_id=load_id, row_nos=None, reason="不再更正")
    execute(f"update ops.quarantine set discarded_at = now() - interval '13 months' where load_id = {old}")
    fates = "select load_id, row_no, line_no, column_name, rule, reason, faults, status, discard_reason, discarded_by"
    before = query(f"{fates} from ops.quarantine order by load_id")
    done = maintain()["closed_quarantine_rows"]
    assert (done.count, done.size > 0) == (1, True)
    assert query(f"{fates} from ops.quarantine order by load_id") == before
    kept = query("select load_id, raw <> '{}', values_removed_at is null from ops.quarantine order by load_id")
    assert kept == [(old, False, False), (recent, True, True), (open_, True, True)]
    ((*_, text, fate),) = returns.show(settings=policed, load_id=old, values=True)
    assert text == ""
    assert fate.startswith("discarded: 不再更正 (text removed on ")
    assert maintain()["closed_quarantine_rows"].count == 0


def test_a_replayed_row_is_traced_after_its_text_has_gone(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable
) -> None:
    """A row that was refused again in its replay is told under the file and line in which it came first."""
    load_id = deliver("20200131", bad=True)
    returns.replay_open(settings=policed, load_id=load_id)
    again = load_id + 1
    execute(f"update ops.quarantine set status = 'discarded', discarded_at = {LONG_AGO} where load_id = {again}")
    execute(f"update ops.load set finished_at = {LONG_AGO} where load_id = {again}")
    before = [row[:-1] for row in returns.show(settings=policed, load_id=again)]
    assert maintain()["closed_quarantine_rows"].count == 2
    after = [row[:-1] for row in returns.show(settings=policed, load_id=again)]
    assert [row[:-1] for row in after] == [row[:-1] for row in before]
    ((*_, fate),) = returns.show(settings=policed, load_id=load_id)
    assert f"refused again as T{again}-1" in fate


def test_results_failures_marks_and_leftovers(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable, query: Callable
) -> None:
    first, last = deliver("20200131"), deliver("20200229")
    with psycopg.connect(policed.database_url) as session:
        for load_id, since in ((first, LONG_AGO), (first, "now()"), (last, LONG_AGO)):
            session.execute(
                f"""
                insert into ops.check_result (load_id, suite, rule, expectation, severity, success, checked_at)
                values ({load_id}, '{FEED}', 'rule', 'expectation', 'warn', true, {since})
                """
            )
        for since in ("now() - interval '13 months'", "now()"):
            session.execute(
                f"""
                insert into ops.failure (dag, task, run, attempt, error, message, failed_at)
                values ('a', 'b', 'c', 1, 'E', '', {since})
                """
            )
            session.execute(f"insert into ops.alert (channel, kind, subjects, sent_at) values ('m', 'k', 1, {since})")
        session.execute(
            "insert into ops.build (as_of, status, load_ids) values ('2020-02-01', 'succeeded', %s)", ([first],)
        )
        with as_step(session, "loader"):
            session.execute(f"create unlogged table landing.{FEED}_7 (text text)")
            session.execute(f"create unlogged table landing.{FEED}_7_faults (text text)")
    alerts = policed.home / "alerts.jsonl"
    for days in (400, 1):
        append_line(alerts, json.dumps({"at": (datetime.now(UTC) - timedelta(days=days)).isoformat(), "dag": "a"}))
    touched = "select distinct load_id from ops.touched_person order by load_id"
    assert query(touched) == [(first,), (last,)]
    cut = [
        policed.work / FEED / "list.csv",
        policed.spool / f"replay_{first}" / "1" / "rows.jsonl",
        policed.archive / f".{FEED}_{AREA}_20200331.csv.part",
        policed.home / "dbt" / "present" / "old.json",
    ]
    others = [policed.spool / "waiting.csv", policed.work / "elsewhere" / "x", policed.home / "dbt" / "new.json"]
    for path in cut + others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("某甲")
    os.utime(cut[-1], (0, 0))

    would, done = maintain(dry_run=True), None
    assert all(path.exists() for path in cut)
    done = maintain()
    assert {rule: outcome.count for rule, outcome in done.items()} == {
        "archived_deliveries": 0, "closed_quarantine_rows": 0, "check_results": 1, "failures_and_alerts": 3,
        "extracts": 0, "past_day_marts": 0, "build_files": 1, "touched_people": 1, "leftovers": 5, "dead_rows": 0,
    }  # fmt: skip
    assert done == would
    assert [path for path in cut if path.exists()] == []
    assert all(path.exists() for path in others)
    assert query("select load_id, checked_at < now() - interval '1 year' from ops.check_result order by load_id") == [
        (first, False), (last, True),
    ]  # fmt: skip
    assert query("select count(*) from ops.failure") == query("select count(*) from ops.alert") == [(1,)]
    assert len(alerts.read_text().splitlines()) == 1
    assert query(touched) == [(last,)]
    assert query("select count(*) from pg_tables where schemaname = 'landing'") == [(0,)]
    ((finished, outcomes),) = query("select finished_at is not null, outcomes from ops.maintenance")
    assert finished
    assert {each["rule"]: each["count"] for each in outcomes} == {rule: each.count for rule, each in done.items()}


def test_marts_of_past_days_by_when_they_were_built(
    policed: Settings, execute: Callable, maintain: Callable, query: Callable
) -> None:
    with psycopg.connect(policed.database_url) as session, as_step(session, "transformer"):
        for suffix in ("_as_of_20200131", "_as_of_20200229", "_as_of_20200331", "_as_of_20200430"):
            for schema in ("staging", "marts"):
                session.execute(f"create schema {schema}{suffix}")
                session.execute(f"create table {schema}{suffix}.warning as select generate_series(1, 1000) as number")
        session.execute("create table marts.warning as select generate_series(1, 1000) as number")
    old = "now() - interval '4 months'"
    execute(
        "insert into ops.build (as_of, schema_suffix, status, finished_at) values "
        f"('2020-01-31', '_as_of_20200131', 'succeeded', {old}), ('2020-02-29', '_as_of_20200229', 'succeeded', {old}),"
        " ('2020-02-29', '_as_of_20200229', 'succeeded', now()),"  # built again
        f"('2020-03-31', '_as_of_20200331', 'succeeded', {old}), ('2020-06-30', '', 'succeeded', {old})"
    )
    with psycopg.connect(policed.database_url) as reader:
        reader.execute("select from marts_as_of_20200331.warning")
        would, done = maintain(dry_run=True)["past_day_marts"], maintain()["past_day_marts"]
        assert (would.count, done.count) == (2, 1)
        assert done.left == ("marts_as_of_20200331 is being read",)
    assert _schemas(policed) == {"marts"} | {f"marts_as_of_2020{day}" for day in ("0229", "0331", "0430")}
    assert query("select count(*) from pg_namespace where nspname = 'staging_as_of_20200131'") == [(0,)]
    assert query("select count(*) from marts.warning") == [(1000,)]
    assert maintain()["past_day_marts"].count == 1


def test_tables_with_dead_rows_are_vacuumed(execute: Callable, maintain: Callable, query: Callable) -> None:
    execute(
        "insert into ops.failure (dag, task, run, attempt, error, message)"
        " select 'a', 'b', 'c', 1, 'E', '' from generate_series(1, 3000)",
        "delete from ops.failure",
    )
    vacuumed = "select vacuum_count, analyze_count from pg_stat_user_tables where relid = 'ops.failure'::regclass"
    assert maintain(dry_run=True)["dead_rows"].count >= 3000
    assert query(vacuumed) == [(0, 0)]
    maintain()
    assert query(vacuumed) == [(1, 1)]


def test_one_rule_that_fails_keeps_no_other_from_its_turn(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = deliver("20150131")
    deliver("20150228")
    execute(_age(old), f"insert into ops.alert (channel, kind, subjects, sent_at) values ('m', 'k', 1, {LONG_AGO})")

    def away(*_: Path) -> None:
        raise PermissionError(13, "not ours")

    with monkeypatch.context() as patch:
        patch.setattr("doudi.maintenance.deliveries.remove", away)
        with pytest.raises(PermissionError):
            maintain()
    with psycopg.connect(policed.database_url) as session:
        assert session.execute("select count(*) from ops.alert").fetchone() == (0,)
        assert session.execute("select count(*) from ops.maintenance where finished_at is not null").fetchone() == (0,)
    assert maintain()["archived_deliveries"].count == 1


def test_the_doctor_tells_of_maintenance_that_is_old_and_of_files_that_nobody_meant_to_remove(
    policed: Settings, deliver: Callable, execute: Callable, maintain: Callable
) -> None:
    old, last = deliver("20150131"), deliver("20150228")
    execute(_age(old))

    def found() -> dict[str, str]:
        wanted = ("maintenance.old", "archive.lost")
        return {finding.fault: finding.what for finding in diagnose(policed) if finding.fault in wanted}

    assert found() == {"maintenance.old": "no maintenance has ever come to its end"}
    assert maintain()["archived_deliveries"].count == 1
    assert found() == {}
    next(policed.archive.rglob("*20150228.csv")).unlink()
    execute("update ops.maintenance set finished_at = finished_at - interval '31 days'")
    assert set(found()) == {"maintenance.old", "archive.lost"}
    assert f"the first of load {last}" in found()["archive.lost"]


def test_another_day_is_only_told_of(policed: Settings, execute: Callable, maintain: Callable) -> None:
    execute(
        "insert into ops.build (as_of, status) values ('2020-01-31', 'succeeded')",
        f"""
        insert into ops.extract (
            build_id, recipient, declaration_sha256, as_of, file_name, rows, sha256, folder, destination,
            delivered_at, retention_days
        )
        values (1, 'housing', '', '2020-01-31', 'a.csv', 1, '', '2020-01-31', '{policed.out}', now(), 30)
        """,
    )
    for days, count in ((29, 0), (31, 1)):
        then = datetime.now(UTC) + timedelta(days=days)
        assert maintain(dry_run=True, now=then)["extracts"].count == count
    with pytest.raises(RetentionError, match="--on goes with --dry-run"):
        maintain(now=datetime(2099, 1, 1, tzinfo=UTC))
