"""What is done to a warehouse beside its nights is the same on a cluster; each test goes on where the last ended."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from made_up import write
from prefecture import Warehouse
from warehouse_state import checksums, content

from doudi import erasing, extracts, loads, maintenance, publishing, review, transform
from doudi.contracts import load_contracts
from doudi.doctor import diagnose
from doudi.explain import explain
from doudi.extracts import verifying
from doudi.settings import Settings
from doudi.synth.places import COUNTY
from doudi.typed_rows import RowTyping
from doudi.warehouse.connection import connect

pytestmark = pytest.mark.citus

Both = tuple[Warehouse, Warehouse]
DAY, LATER = date(2020, 6, 30), date(2020, 8, 31)
FEED, MONTHS = "minimum_allowance", ("20200731", "20200831")
# Somebody of the county whom others' records name as their head, as these have to, with a warning of the household.
WHOM = f"""
    select citizen_id
    from identity.person
    inner join identity.household_member using (person_id)
    inner join marts.warning using (person_id, household_id)
    where
        scope = 'H' and is_head
        and citizen_id in (
            select head_citizen_id from register.minimum_allowance
            where citizen_id <> head_citizen_id and _county_code = '{COUNTY}' and _valid_to = 'infinity'
        )
        and citizen_id in (select citizen_id from register.poverty_register)
    order by citizen_id
    limit 1
"""
# Who gets changes only, and pseudonyms, as none of those does who are declared.
LEDGER = {
    "recipient": "ledger",
    "title": "x",
    "purpose": "x",
    "legal_basis": "x",
    "contact": "x",
    "cadence": "daily",
    "source": "marts.visit_list",
    "rows": {},
    "columns": [
        {"name": "warning_id", "heading": "预警编号"},
        {"name": "level_name", "heading": "级别"},
        {"name": "person_id", "heading": "人", "treatment": "pseudonym"},
    ],
    "order_by": ["warning_id"],
    "formats": ["csv"],
    "content": "changes",
    "retention_days": 30,
    "people": ["person_id"],
}


_TABLES = """
    select format('%I.%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p') and has_table_privilege(pg_class.oid, 'select')
"""
_SAMPLES = """
    select tablename from pg_stats
    where strpos(concat(most_common_vals::text, histogram_bounds::text), '{text}') > 0
"""


@pytest.fixture(scope="module")
def both(cluster_warehouse: Warehouse, plain_warehouse: Warehouse) -> Both:
    return cluster_warehouse, plain_warehouse


def _of_both(both: Both, done: Callable[[Warehouse], object]) -> object:
    """What ``done`` gives for the cluster, which is what it gives for one machine."""
    cluster, plain = (done(warehouse) for warehouse in both)
    assert cluster == plain
    return cluster


def _whole(warehouse: Warehouse) -> object:
    return content(warehouse.url), checksums(warehouse.url, "identity", "marts", "reference")


def _in_other_words(warehouse: Warehouse, month: str, folder: Path) -> Path:
    """The county's last list as if it came for another month, with amounts such as ￥3,000.00."""
    [(path, encoding), *_] = warehouse.rows(
        f"""
        select archive_path, encoding from ops.load
        where feed = '{FEED}' and area_code = '{COUNTY}' and data_date = '{DAY}' order by sequence desc
        """
    )
    rows = [*csv.reader(io.StringIO(Path(path).read_bytes().decode(encoding)))]
    contract = load_contracts(warehouse.settings.contracts)[FEED]
    for place in (rows[0].index(column.header) for column in contract.columns if column.type == "money"):
        for row in rows[1:]:
            if re.fullmatch("[0-9.]+", row[place]):
                row[place] = f"￥{float(row[place]):,.2f}"
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    folder.mkdir(exist_ok=True)
    return write(folder, f"{FEED}_{COUNTY}_{month}.csv", text.getvalue())


def _other_texts(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows(f"select * from other_text.{FEED} order by row_hash, known_as")


def test_the_same_in_other_words_is_known_from_then_on(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[int] = []
    published = publishing.publish

    def publish(*arguments: object, typing: RowTyping, **others: object) -> publishing.Published:
        known.append(typing.known)
        return published(*arguments, typing=typing, **others)

    monkeypatch.setattr(publishing, "publish", publish)

    def taken_in(warehouse: Warehouse) -> tuple[list[int], int]:
        known.clear()
        folder = tmp_path / warehouse.settings.home.name
        paths = [_in_other_words(warehouse, month, folder) for month in MONTHS]
        loads.land_files(paths, settings=warehouse.settings)
        [(noted,)] = warehouse.rows(f"select count(*) from other_text.{FEED}")
        return [*known], noted

    (first, second), noted = _of_both(both, taken_in)
    assert first < second
    assert noted > 50
    for warehouse in both:
        transform.build(url=warehouse.url, settings=warehouse.settings, as_of=LATER)
    _of_both(both, _other_texts)
    _of_both(both, _whole)


@pytest.fixture(scope="module")
def project(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one recipient more."""
    folder = tmp_path_factory.mktemp("project")
    for path in settings.project.iterdir():
        if path.name != "extracts":
            (folder / path.name).symlink_to(path)
    shutil.copytree(settings.extracts, folder / "extracts")
    (folder / "extracts" / "ledger.yml").write_text(yaml.safe_dump(LEDGER, allow_unicode=True), encoding="utf-8")
    return folder


def _handed_out(warehouse: Warehouse, project: Path) -> list[tuple[str, str, int, bytes]]:
    """All extracts of the last build: whose, called what, of how many rows, and what stands in those that are text."""
    own = replace(warehouse.settings, project=project)
    files = extracts.send([*extracts.load_declarations(own.extracts)], settings=own, out=own.out)
    return [
        (file.recipient, file.file_name, file.rows, Path(file.path).read_bytes() if file.path.endswith("csv") else b"")
        for file in files
    ]


def test_what_is_handed_out_is_equal_and_on_record(both: Both, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOUDI_PSEUDONYM_KEY_LEDGER", f"1:{'x' * 32}")
    files = _of_both(both, lambda warehouse: _handed_out(warehouse, project))
    assert {recipient for recipient, *_ in files} == set(extracts.load_declarations(project / "extracts"))
    assert sum(rows for *_, rows, _ in files) > 100
    _of_both(both, _disclosed)


def _disclosed(warehouse: Warehouse) -> tuple[object, list[tuple]]:
    with connect(warehouse.url, role="extractor") as session:
        verified = verifying.verify(session, manifests=verifying.manifests_in(warehouse.settings.out))
    assert verified.fault is None
    people = """
        select recipient, file_name, rows, (
            select md5(string_agg(person_id::text, ',' order by person_id))
            from ops.disclosed_person as about where about.disclosure_id = disclosure.disclosure_id
        )
        from ops.disclosure
        order by recipient, file_name, disclosure_id
    """
    return verified, warehouse.rows(people)


def test_what_is_told_of_proposals_and_warnings_is_equal(both: Both) -> None:
    def told(warehouse: Warehouse) -> tuple[object, ...]:
        open_warnings = warehouse.rows("select warning_id from marts.warning where closed_on is null order by 1")
        return (
            [(each.score, each.kind) for each in review.listing(settings=warehouse.settings, state=None)],
            [explain(warning_id, settings=warehouse.settings) for (warning_id,) in open_warnings[::25]],
        )

    _, explained = _of_both(both, told)
    assert len(explained) > 3


def test_nothing_is_left_of_who_is_erased(both: Both, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOUDI_PSEUDONYM_KEY_LEDGER", f"1:{'x' * 32}")
    [(citizen_id,)] = both[-1].rows(WHOM)

    def erased(warehouse: Warehouse) -> tuple[dict[str, int], tuple[int, ...], tuple[str, ...]]:
        told, done = (
            erasing.erase(citizen_id, settings=warehouse.settings, reason="file 7", by="an officer", really=really)
            for really in (False, True)
        )
        assert (told.erasure.counts, told.erasure.recipients) == (done.erasure.counts, done.erasure.recipients)
        return done.erasure.counts, done.erasure.archived_load_ids, done.erasure.recipients

    counts, _, _ = _of_both(both, erased)
    assert counts["register.minimum_allowance, named in others' rows"] > 0
    for warehouse in both:
        assert _holding(warehouse, citizen_id) == set()
        transform.build(url=warehouse.url, settings=warehouse.settings, as_of=LATER)
        assert _holding(warehouse, citizen_id) == set()
    _of_both(both, _other_texts)
    _of_both(both, _whole)
    _of_both(both, lambda warehouse: _handed_out(warehouse, project))
    _of_both(both, _disclosed)


def _holding(warehouse: Warehouse, text: str) -> set[str]:
    """Every table that holds a text anywhere, and every one of whose values a node keeps a sample with it."""
    tables = [name for (name,) in warehouse.rows(_TABLES)]
    held = "select exists (select 1 from {} as held where strpos(held::text, '{}') > 0)"
    found = {name for name in tables if warehouse.rows(held.format(name, text)) == [(True,)]}
    return found | {name for (name,) in warehouse.rows(_SAMPLES.format(text=text))}


def test_an_old_list_leaves_out_who_was_erased(both: Both, tmp_path: Path) -> None:
    """Also where their name and ID were required of the records of others."""

    def taken_in(warehouse: Warehouse) -> tuple[str, int | None, int | None, int | None]:
        folder = tmp_path / warehouse.settings.home.name
        again = _in_other_words(warehouse, f"{MONTHS[-1]}_2", folder)
        with again.open("ab") as file:
            file.write(b"\r\n")  # so that it is another delivery
        [load] = loads.land_files([again], settings=warehouse.settings)
        return load.status, load.rows_published, load.rows_unchanged, load.rows_quarantined

    status, _, _, refused = _of_both(both, taken_in)
    assert status == "published"
    assert refused > 0
    _of_both(both, _whole)


def _as_owner(warehouse: Warehouse, query: str) -> list[tuple]:
    with connect(warehouse.url, role="owner") as session:
        return session.execute(query).fetchall()


def test_maintenance_vacuums_what_is_dead_on_the_workers(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doudi.maintenance.warehouse._DEAD_ROWS", 1)
    monkeypatch.setattr("doudi.maintenance.warehouse._DEAD_SHARE", 0)
    cluster, _ = both
    dead = "select sum(dead_rows)::integer from cluster.table_state() where schema_name = 'register'"
    assert _as_owner(cluster, dead) > [(0,)]
    maintenance.maintain(url=cluster.url, settings=cluster.settings)
    assert _as_owner(cluster, dead) == [(0,)]


def test_maintenance_removes_the_same(both: Both) -> None:
    def maintained(warehouse: Warehouse) -> list[tuple[str, int]]:
        outcomes = maintenance.maintain(url=warehouse.url, settings=warehouse.settings)
        # how many rows are dead is up to each server, and what dbt wrote to each
        own = ("dead_rows", "build_files")
        return [(outcome.rule, outcome.count) for outcome in outcomes if outcome.rule not in own]

    _of_both(both, maintained)
    _of_both(both, _whole)


def test_the_doctor_finds_the_same(both: Both) -> None:
    def found(warehouse: Warehouse) -> set[str]:
        return {finding.fault for finding in diagnose(warehouse.settings)}

    assert not {fault for fault in _of_both(both, found) if fault.startswith("schemas")}
