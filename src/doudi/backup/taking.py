"""Taking a backup: the database and the archive as they were at one moment, while deliveries may go on coming in.

One snapshot of the database says which archived files belong to it. These never change, and were on the disk before
the ledger knew of them, so they can be copied after the dump.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import psycopg

from doudi.backup import noted, programs
from doudi.backup.sets import ENCRYPTED, STORE, BackupError, BackupSet, Kept, kept
from doudi.deliveries import MANIFEST_SUFFIX
from doudi.erasures.record import keep_in_file, recorded
from doudi.ledger import ARCHIVE_LOCK
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse.connection import connect

DUMP, ACCOUNTS, SOURCES = "warehouse.dump", "accounts.json", "sources.yml"
_ACCOUNTS = """
    select member.rolname, array_agg(role.rolname order by role.rolname), {verifier}
    from pg_auth_members as membership
    inner join access.reader as reader on reader.role::regrole = membership.roleid
    inner join pg_roles as role on membership.roleid = role.oid
    inner join pg_roles as member on membership.member = member.oid
    {secrets}
    where member.rolcanlogin and has_database_privilege(member.oid, current_database(), 'connect')
    group by member.rolname
    order by member.rolname
"""


def take(
    destination: Path,
    *,
    url: str,
    settings: Settings,
    recipients: Sequence[str] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write a set into a new folder of ``destination`` and return it.

    With ``recipients``, public keys of age, every file is encrypted. The keys of this installation are in no set.
    Raises BackupError.
    """
    keys = [_recipient(text) for text in recipients]
    with connect(url, autocommit=True, step="backup") as keeper:
        # Nothing is removed from the archive between the dump that names it and its copy.
        keeper.execute(f"select pg_advisory_lock_shared({ARCHIVE_LOCK})")
        return _take(destination, url=url, settings=settings, keys=keys, progress=progress)


def _take(
    destination: Path, *, url: str, settings: Settings, keys: list[object], progress: Callable[[str], None]
) -> Path:
    moment = datetime.now(TIME_ZONE)
    folder = destination / f"doudi_{moment:%Y%m%dT%H%M%S}"
    destination.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    with connect(url, step="backup") as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = session.execute("select pg_export_snapshot()").fetchone()[0]
        loads, head, fingerprint = session.execute(
            """
            select
                (select count(*) from ops.load),
                coalesce((select hash from ops.disclosure order by disclosure_id desc limit 1), ''),
                coalesce((select fingerprint from ops.identifier_key), '')
            """
        ).fetchone()
        named = session.execute(
            "select distinct archive_path from ops.load where archive_removed_at is null order by 1"
        ).fetchall()
        keep_in_file(settings.erasures, recorded(session))  # where it was lost
        accounts = _accounts(session)
        version = session.info.server_version
        # Tables of a load under way are unlogged and begin anew, whatever becomes of it.
        programs.run(
            "pg_dump", "--format=custom", "--no-unlogged-table-data", f"--snapshot={snapshot}",
            f"--file={folder / DUMP}", url=url,
        )  # fmt: skip
    progress(f"{DUMP}: {(folder / DUMP).stat().st_size:,} bytes")
    (folder / ACCOUNTS).write_text(json.dumps(accounts, indent=1), encoding="utf-8")
    if settings.sources.exists():
        shutil.copyfile(settings.sources, folder / SOURCES)
    for path in sorted(folder.iterdir()):
        _close(path, keys)
    files = tuple(kept(path, below=folder) for path in sorted(folder.iterdir()))
    archived, lost, new = _store(
        [Path(path) for (path,) in named], archive=settings.archive, store=destination / STORE, keys=keys
    )
    BackupSet(
        taken_at=moment.isoformat(), server_version=version, home=str(settings.home), key_fingerprint=fingerprint,
        encrypted=bool(keys), loads=loads, head=head, files=files, archived=archived, lost=lost,
    ).write(folder)  # fmt: skip
    if settings.erasures.exists():  # beside the sets: whichever of them is restored is erased again
        target = destination / f"{settings.erasures.name}{ENCRYPTED if keys else ''}"
        _copy(settings.erasures, target.with_name(f".{target.name}.part"), keys)
        target.with_name(f".{target.name}.part").replace(target)
    noted.note(settings.home, "set", taken_at=moment, folder=folder)
    progress(f"archive: {len(archived)} files, {new} of them new")
    for path in lost:
        progress(f"not in the archive any more: {path}")
    return folder


def _accounts(session: psycopg.Connection) -> list[dict[str, object]]:
    """The readers' accounts with their roles and, where ours may read it, what their passwords are checked against."""
    (superuser,) = session.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    query = _ACCOUNTS.format(
        verifier="max(secret.rolpassword)" if superuser else "null::text",
        secrets="inner join pg_authid as secret on secret.oid = member.oid" if superuser else "",
    )
    rows = session.execute(query).fetchall()
    return [{"login": login, "roles": list(roles), "verifier": verifier} for login, roles, verifier in rows]


def _store(
    paths: list[Path], *, archive: Path, store: Path, keys: list[object]
) -> tuple[tuple[Kept, ...], tuple[str, ...], int]:
    """Copy what the store lacks; returns all files of the set, the lost ones, and how many were new."""
    suffix = ENCRYPTED if keys else ""
    store.mkdir(exist_ok=True, mode=0o700)
    found, lost, new = [], [], 0
    for path in paths:
        if not path.is_file():
            lost.append(str(path))
            continue
        beside = path.with_name(path.name + MANIFEST_SUFFIX)
        for source in filter(Path.is_file, (path, beside)):
            target = store / f"{source.relative_to(archive)}{suffix}"
            if not target.exists() or source == beside:  # a manifest may have come later, or again
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                partial = target.with_name(f".{target.name}.part")
                _copy(source, partial, keys)
                partial.replace(target)
                new += 1
            found.append(kept(target, below=store))
    return tuple(found), tuple(lost), new


def _copy(source: Path, target: Path, keys: list[object]) -> None:
    if keys:
        import pyrage

        pyrage.encrypt_file(str(source), str(target), keys)
    else:
        shutil.copyfile(source, target)
    target.chmod(0o600)


def _close(path: Path, keys: list[object]) -> None:
    """Encrypt a file in its place where there are keys; nobody else reads it in any case."""
    path.chmod(0o600)
    if keys:
        _copy(path, path.with_name(path.name + ENCRYPTED), keys)
        path.unlink()


def _recipient(text: str) -> object:
    import pyrage

    try:
        return (pyrage.ssh if text.startswith("ssh-") else pyrage.x25519).Recipient.from_str(text)
    except pyrage.RecipientError:
        raise BackupError(f"{text} is no public key of age") from None
