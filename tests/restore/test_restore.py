"""A disaster after three nights: what was restored takes the missed deliveries in and ends as if nothing had happened.

`make test-restore` runs this; it builds a county's marts seven times.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pyrage
import pytest
from made_up import erasure
from warehouse_state import checksums

from doudi import backup, deliveries
from doudi.access import logins
from doudi.erasures.record import in_file, keep_in_file
from doudi.extracts import verifying
from doudi.night import run_in_process
from doudi.settings import TIME_ZONE, Settings
from doudi.synth.generate import generate
from doudi.warehouse import cluster, schema
from doudi.warehouse.connection import connect, warehouse_url

PASSWORD = "not a secret"  # noqa: S105 (of a server that is gone after the test)
NIGHTS = (date(2020, 4, 30), date(2020, 5, 31), date(2020, 6, 30))
_RIGHTS = """
    select class.oid::regclass::text, class.relowner::regrole::text, array(select unnest(class.relacl)::text order by 1)
    from pg_class as class
    where class.relnamespace::regnamespace::text ~ '^(ops|access|register|reference|identity|marts)'
        and class.relkind in ('r', 'v')
    order by 1
"""


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What the three nights without a disaster left, and what was kept meanwhile."""

    settings: Settings
    keys: Path
    kept_set: Path
    base: Path
    after_first: datetime
    between: datetime
    content: dict[str, object]
    ledger: list[tuple]
    rights: list[tuple]
    identity: Path


def _deliver(settings: Settings, all_files: Path, day: date) -> None:
    """Put into the inbox what came up to a day, each file as old as it was."""
    settings.inbox.mkdir(parents=True, exist_ok=True)
    for path in sorted(all_files.iterdir()):
        name = path.name.removesuffix(deliveries.MANIFEST_SUFFIX)
        if path.is_file() and deliveries.parse_name(Path(name), feeds=None).data_date <= day:
            shutil.copy2(path, settings.inbox / path.name)


def _night(settings: Settings, all_files: Path, day: date) -> None:
    _deliver(settings, all_files, day)
    schema.initialise(warehouse_url(settings), settings)
    told: list[str] = []
    assert run_in_process(replace(settings, as_of=day), progress=told.append) == 0, told


def _content(url: str) -> dict[str, tuple[int, str]]:
    return checksums(url, "identity", "marts", "register")


def _ledger(url: str) -> list[tuple]:
    with psycopg.connect(url) as session:
        return session.execute(
            """
            select file_name, sha256, status, rows_read, rows_published, rows_unchanged, rows_quarantined, rows_ended
            from ops.load
            order by file_name
            """
        ).fetchall()


def _rights(url: str) -> list[tuple]:
    with psycopg.connect(url) as session:
        return session.execute(_RIGHTS).fetchall()


def _now() -> datetime:
    return datetime.now(TIME_ZONE)


@pytest.fixture(scope="module", autouse=True)
def _own_key() -> Iterator[None]:
    """The installation makes its own key of identifiers, to lose it in the disaster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DOUDI_IDENTIFIER_KEY")
        yield


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    out = tmp_path_factory.mktemp("county")
    divisions = settings.dbt_project / "seeds" / "division.csv"
    generate(out, persons=300, seed=8, as_of=NIGHTS[-1], clean=False, division_file=divisions)
    return out


@pytest.fixture(scope="module")
def undisturbed(county: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = settings.home.parent / "restored"
    home, keep = folder / "home", folder / "elsewhere"
    keep.mkdir(parents=True)
    own = replace(settings, home=home, inbox=folder / "inbox", out=folder / "out", database_url=None)
    secret = pyrage.x25519.Identity.generate()
    identity = keep / "age.key"
    identity.write_text(f"# of a test\n{secret}\n")
    wal = keep / "wal"
    try:
        cluster.archive_wal(home, wal)
        cluster.stop(home)
        url = warehouse_url(own)
        schema.initialise(url, own)
        base = backup.base_backup(keep, url=url, settings=own)
        _night(own, county, NIGHTS[0])
        with connect(url) as session:
            logins.grant(session, "reader_of_a_test", role="doudi_bi", password=PASSWORD)
        after_first = _now()
        _night(own, county, NIGHTS[1])
        kept_set = backup.take(keep, url=url, settings=own, recipients=[str(secret.to_public())])
        _night(own, county, NIGHTS[2])
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("select pg_switch_wal()")
        done = Undisturbed(
            settings=own, keys=home / "keys", kept_set=kept_set, base=base, after_first=after_first, between=_now(),
            content=_content(url), ledger=_ledger(url), rights=_rights(url), identity=identity,
        )  # fmt: skip
        cluster.stop(home)
        yield done
    finally:
        cluster.stop(home)


def _is_as_undisturbed(url: str, undisturbed: Undisturbed) -> None:
    assert {name: told for name, told in _content(url).items() if told != undisturbed.content[name]} == {}
    assert _ledger(url) == undisturbed.ledger
    with connect(url, role="extractor") as session:
        result = verifying.verify(session, manifests=[])
    assert result.fault is None
    assert result.disclosures > 0


def _disaster(undisturbed: Undisturbed, *, archive: bool) -> None:
    """The server's data are gone, and where ``archive``, everything else of the installation."""
    home = undisturbed.settings.home
    cluster.stop(home)
    shutil.rmtree(home / "postgres")
    if archive:
        shutil.rmtree(home / "archive")
        shutil.rmtree(home / "outgoing", ignore_errors=True)


def _noted_beside(undisturbed: Undisturbed) -> set[UUID]:
    """An erasure that a later backup noted beside the set, and one that a later encrypted backup did."""
    noted = [erasure(), erasure()]
    plain = undisturbed.kept_set.parent / undisturbed.settings.erasures.name
    keep_in_file(plain, noted[:1])
    encrypted = pyrage.encrypt(noted[1].as_line().encode(), [_identity(undisturbed).to_public()])
    plain.with_name(f"{plain.name}.age").write_bytes(encrypted)
    return {each.erasure_id for each in noted}


def _identity(undisturbed: Undisturbed) -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.from_str(undisturbed.identity.read_text().splitlines()[-1])


def _cut(*_: object) -> None:
    raise SystemExit("killed")


def test_a_set_and_the_missed_deliveries_make_the_same_marts(
    undisturbed: Undisturbed, county: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = undisturbed.settings
    _disaster(undisturbed, archive=True)
    shutil.rmtree(own.inbox)
    moved = own.keys.rename(own.home.parent / "keys_kept_apart")
    url = warehouse_url(own)
    with pytest.raises(backup.BackupError, match="bring back the identifiers' key"):
        backup.restore(undisturbed.kept_set, url=url, settings=own, identity=undisturbed.identity)
    moved.rename(own.keys)
    with pytest.raises(backup.BackupError, match="--identity"):
        backup.restore(undisturbed.kept_set, url=url, settings=own)
    erased = _noted_beside(undisturbed)
    with monkeypatch.context() as patch:
        patch.setattr("doudi.backup.restoring._restore_archive", _cut)
        with pytest.raises(SystemExit):
            backup.restore(undisturbed.kept_set, url=url, settings=own, identity=undisturbed.identity)
    assert {each.erasure_id for each in in_file(own.erasures)} == erased  # known before the people are there again
    backup.restore(undisturbed.kept_set, url=url, settings=own, identity=undisturbed.identity)
    with psycopg.connect(url) as session:
        loads = session.execute("select max(load_id) from ops.load").fetchone()[0]
        assert session.execute("select count(*) from ops.load where data_date > %s", (NIGHTS[1],)).fetchone() == (0,)
        [archived] = session.execute(
            "select bool_and(starts_with(archive_path, %s)) from ops.load", (str(own.archive),)
        )
        assert archived == (True,)
    with psycopg.connect(url, user="reader_of_a_test", password=PASSWORD) as session:
        assert session.execute("select count(*) > 0 from marts.warning").fetchone() == (True,)
    _night(own, county, NIGHTS[2])  # with the files of the earlier nights in the inbox again: none is taken in twice
    with psycopg.connect(url) as session:
        new = session.execute("select count(*), min(data_date) from ops.load where load_id > %s", (loads,)).fetchone()
        attempts = session.execute("select max(attempts) from ops.load").fetchone()
    missed = [row for row in undisturbed.ledger if "20200630" in row[0]]
    assert new == (len(missed), NIGHTS[2])
    assert attempts == (1,)
    _is_as_undisturbed(url, undisturbed)
    assert _rights(url) == undisturbed.rights


def test_a_point_in_time_and_the_missed_deliveries_make_the_same_marts(undisturbed: Undisturbed, county: Path) -> None:
    own = undisturbed.settings
    _disaster(undisturbed, archive=False)
    assert backup.recover(undisturbed.base, settings=own, until=undisturbed.after_first) == []
    url = warehouse_url(own)
    with psycopg.connect(url) as session:
        assert session.execute("select max(data_date) from ops.load").fetchone() == (NIGHTS[0],)
        assert session.execute("select max(as_of) from ops.build").fetchone() == (NIGHTS[0],)
        assert session.execute("show archive_mode").fetchone() == ("on",)
    for day in NIGHTS[1:]:
        _night(own, county, day)
    _is_as_undisturbed(url, undisturbed)


def test_a_moment_that_the_wal_does_not_reach_is_told(undisturbed: Undisturbed) -> None:
    own = replace(undisturbed.settings, home=undisturbed.settings.home.parent / "too_late")
    with pytest.raises(cluster.ClusterError, match="does not reach to that moment"):
        backup.recover(undisturbed.base, settings=own, until=datetime(2100, 1, 1, tzinfo=TIME_ZONE))
    early = datetime(2020, 1, 1, tzinfo=TIME_ZONE)
    with pytest.raises(backup.BackupError, match="younger"):
        backup.recover(undisturbed.base, settings=own, until=early)


def test_a_damaged_set_is_not_restored(undisturbed: Undisturbed, tmp_path: Path) -> None:
    store = tmp_path / "kept"
    shutil.copytree(undisturbed.kept_set.parent, store, ignore=shutil.ignore_patterns("wal", "base_*"))
    damaged = store / undisturbed.kept_set.name
    backup.BackupSet.read(damaged).verify(damaged)
    with (damaged / "warehouse.dump.age").open("r+b") as file:
        file.seek(100)
        file.write(b"\0")
    with pytest.raises(backup.BackupError, match=r"warehouse\.dump\.age is not as it was written"):
        backup.BackupSet.read(damaged).verify(damaged)
