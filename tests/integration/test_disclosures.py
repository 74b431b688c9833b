"""The record of what was handed out: nobody changes it unseen, and it answers whoever asks where their data went."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import psycopg
import pytest
from made_up import citizen_id
from psycopg import sql

from doudi import cli
from doudi.access import identifier_key
from doudi.extracts import ExtractError, asking, verifying
from doudi.extracts.disclosures import DisclosedColumn, HandedOut, record
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse.connection import WarehouseError, connect

COLUMNS = (DisclosedColumn(name="name", heading="姓名", treatment="masked"),)


def _hand_out(url: str, people: str, *, recipient: str = "housing") -> tuple[int, str]:
    file = HandedOut(
        recipient=recipient,
        purpose="inspect dangerous dwellings",
        legal_basis="the plan",
        declaration=json.dumps({"recipient": recipient}),
        columns=COLUMNS,
        build_id=1,
        as_of=date(2020, 6, 30),
        file_name=f"{recipient}.csv",
        file_sha256="0" * 64,
        rows=3,
    )
    with connect(url, role="extractor") as connection:
        return record(connection, file, people=sql.SQL(people))


def _fault(url: str, *manifests: Path) -> str | None:
    with connect(url, role="extractor") as connection:
        return verifying.verify(connection, manifests=manifests).fault


@pytest.fixture
def chain(warehouse_url: str) -> str:
    """Three files, about two, no and one person."""
    _hand_out(warehouse_url, "values (md5('b')::uuid), (md5('a')::uuid), (md5('a')::uuid), (null)")
    _hand_out(warehouse_url, "select null::uuid where false")
    _hand_out(warehouse_url, "select md5('a')::uuid", recipient="education")
    return warehouse_url


def _behind_its_back(url: str, *statements: str) -> None:
    """As somebody who may switch off the guard."""
    tables = ("declaration", "disclosure", "disclosed_person")
    with psycopg.connect(url) as owner:
        for table in tables:
            owner.execute(f"alter table ops.{table} disable trigger user")
        for statement in statements:
            owner.execute(statement)
        for table in tables:
            owner.execute(f"alter table ops.{table} enable trigger user")


def test_a_file_is_recorded_with_each_person_once(chain: str, query: Callable) -> None:
    rows = query(
        "select disclosure_id, recipient, persons, columns -> 0 ->> 'treatment' from ops.disclosure order by 1"
    )
    assert rows == [(1, "housing", 2, "masked"), (2, "housing", 0, "masked"), (3, "education", 1, "masked")]
    assert query("select count(*) from ops.disclosed_person") == [(3,)]
    assert _fault(chain) is None


@pytest.mark.parametrize("change", ["update ops.disclosure set purpose = 'x'", "delete from ops.disclosed_person"])
def test_not_even_the_owner_changes_the_record_in_passing(chain: str, change: str) -> None:
    with pytest.raises(WarehouseError, match="RaiseException"), connect(chain) as owner:
        owner.execute(change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("update ops.disclosure set purpose = 'harmless' where disclosure_id = 2", "disclosure 2: the row was changed"),
        ("update ops.disclosure set columns = '[]' where disclosure_id = 1", "disclosure 1: the row was changed"),
        ("delete from ops.disclosure where disclosure_id = 2", "disclosure 2: the row is gone"),
        (
            "delete from ops.disclosed_person where disclosure_id = 1 and person_id = md5('b')::uuid",
            "disclosure 1: the list of its people was changed",
        ),
        (
            "update ops.disclosed_person set person_id = md5('c')::uuid where disclosure_id = 3",
            "disclosure 3: the list of its people was changed",
        ),
        (
            "insert into ops.disclosed_person values (md5('c')::uuid, 2)",
            "disclosure 2: the list of its people was changed",
        ),
        (
            "delete from ops.disclosure where disclosure_id = 3",
            "disclosure 3: the row is gone, the list of its people is there",
        ),
    ],
)
def test_a_change_of_the_past_is_found_and_named(chain: str, change: str, fault: str) -> None:
    _behind_its_back(chain, change)
    assert _fault(chain) == fault


def test_what_was_taken_from_the_end_or_made_anew_is_found_by_the_manifests(chain: str, tmp_path: Path) -> None:
    number, hash_ = _hand_out(chain, "select md5('a')::uuid")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"files": [{"disclosure_id": number, "disclosure_hash": hash_}]}), encoding="utf-8")
    assert _fault(chain, manifest) is None
    for table in ("disclosure", "disclosed_person"):
        _behind_its_back(chain, f"delete from ops.{table} where disclosure_id = {number}")
    assert _fault(chain) is None, "the chain by itself cannot know"
    assert _fault(chain, manifest) == f"disclosure {number}: the row is gone, its manifest is there"
    _hand_out(chain, "select md5('another')::uuid")
    assert _fault(chain, manifest) == f"disclosure {number}: the row is not the one that its manifest tells of"


def test_senders_who_come_at_once_make_one_chain(warehouse_url: str, query: Callable) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda n: _hand_out(warehouse_url, f"select md5('{n}')::uuid"), range(18)))
    assert sorted(number for number, _ in made) == list(range(1, 19))
    assert _fault(warehouse_url) is None


def test_a_person_is_found_however_the_citizen_id_is_written(warehouse_url: str, settings: Settings) -> None:
    asked = next(citizen_id(number) for number in range(99) if citizen_id(number).endswith("X"))
    with connect(warehouse_url) as owner:
        key = identifier_key(owner, settings=settings)
    with psycopg.connect(warehouse_url, options=f"-c doudi.identifier_key={key}") as session:
        (person,) = session.execute(
            "select encode(substring(ops.keyed_hash('person|' || %s) from 1 for 16), 'hex')::uuid", (asked,)
        ).fetchone()
    _hand_out(warehouse_url, f"select '{person}'::uuid")
    old = asked[:6] + asked[8:17]
    full_width = asked.translate({ord(digit): chr(ord(digit) - ord("0") + ord("０")) for digit in "0123456789"})
    with connect(warehouse_url, role="extractor") as connection:
        for written in (asked, f" {asked.lower()} ", full_width, str(person), old):
            ids = asking.person_ids(connection, written, settings=settings)
            assert ids == [person]
            assert [row.recipient for row in asking.disclosures(connection, person_ids=ids)] == ["housing"]
        assert asking.disclosures(connection, person_ids=ids, recipient="education") == []


def test_somebody_joined_with_another_id_is_found_under_both(warehouse_url: str, settings: Settings) -> None:
    one, other = citizen_id(3), citizen_id(4)
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("insert into identity.joined_id values (%s, %s)", (one, other))
    with connect(warehouse_url) as connection:
        identifier_key(connection, settings=settings)
        by_one, by_other = (set(asking.person_ids(connection, each, settings=settings)) for each in (one, other))
    assert by_one == by_other
    assert len(by_one) == 2


def test_an_error_does_not_tell_what_was_asked(warehouse_url: str, settings: Settings) -> None:
    with connect(warehouse_url, role="extractor") as connection, pytest.raises(ExtractError) as caught:
        asking.person_ids(connection, "99000119700101", settings=settings)
    assert "9900" not in str(caught.value)


def test_the_command_tells_and_checks(
    chain: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["doudi", "disclosures", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    monkeypatch.setenv("DOUDI_DATABASE_URL", chain)
    monkeypatch.setenv("DOUDI_HOME", str(tmp_path))
    with connect(chain) as owner:
        identifier_key(owner, settings=settings)
        (person,) = owner.execute("select md5('a')::uuid::text").fetchone()

    today = datetime.now(TIME_ZONE).date()
    code, out, _ = call("--person", person)
    assert code == 0
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        f"education: 1 files, {today}",
        f"housing: 1 files, {today}",
    ]
    for told in ("姓名 (masked)", "inspect dangerous dwellings", "the plan"):
        assert told in out
    assert [row["recipient"] for row in json.loads(call("--recipient", "education", "--json")[1])] == ["education"]
    assert call("--person", citizen_id(5))[1] == "nothing has been handed out about this person\n"
    code, out, err = call("--person", citizen_id(5)[:-1])
    assert (code, citizen_id(5)[:14] in out + err) == (1, False)

    assert call("--verify")[:2] == (0, "3 disclosures and 0 manifests: all as they were written\n")
    _behind_its_back(chain, "update ops.disclosure set rows = 2 where disclosure_id = 2")
    assert call("--verify") == (1, "", "doudi: disclosure 2: the row was changed\n")
