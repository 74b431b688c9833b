"""Restoring a set into an installation that holds nothing yet: on this machine, or on another."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from doudi.access import fingerprint_at_hand, load_access, logins
from doudi.backup import programs
from doudi.backup.sets import ENCRYPTED, STORE, BackupError, BackupSet
from doudi.backup.taking import ACCOUNTS, DUMP, SOURCES
from doudi.erasures.record import in_file, keep_in_file
from doudi.settings import Settings
from doudi.warehouse import schema
from doudi.warehouse.connection import connect
from doudi.warehouse.roles import create_role, create_roles

Progress = Callable[[str], None]


def restore(
    folder: Path,
    *,
    url: str,
    settings: Settings,
    identity: Path | None = None,
    progress: Progress = lambda line: None,
) -> BackupSet:
    """Bring a set back into the empty database at ``url`` and the empty archive of ``settings``; returns the set.

    The keys must be in place before (``settings.keys``, or DOUDI_IDENTIFIER_KEY). ``identity`` is a file with the
    private key of age. Every file is checked first. Raises BackupError.
    """
    taken = BackupSet.read(folder)
    taken.verify(folder)
    if taken.key_fingerprint and fingerprint_at_hand(settings) != taken.key_fingerprint:
        raise BackupError(
            f"bring back the identifiers' key first, as {settings.keys / 'identifiers'}: its fingerprint is"
            f" {taken.key_fingerprint}"
        )
    _refuse_what_is_there(url, settings)
    opener = _opener(identity, encrypted=taken.encrypted)
    with TemporaryDirectory(dir=_made(settings.work)) as work:
        plain = Path(work)
        _keep_erasures(folder.parent, plain, settings, identity)
        for each in taken.files:
            opener(folder / each.path, plain / each.path.removesuffix(ENCRYPTED))
        _restore_archive(taken, folder.parent / STORE, settings.archive, opener)
        accounts = json.loads((plain / ACCOUNTS).read_text(encoding="utf-8"))
        with connect(url, step="restore") as session:
            create_roles(session)
            for reader in load_access(settings.access).readers:
                create_role(session, reader.role)
            for role in sorted({role for account in accounts for role in account["roles"]}):
                create_role(session, role)
        progress(f"restoring the database of {taken.taken_at}")
        # Owners follow from the schemas: `initialise` hands every table to its role, whatever the account here is.
        programs.run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={_database(url)}", plain / DUMP, url=url)
        with connect(url, step="restore") as session:
            _move(session, taken, settings)
        schema.initialise(url, settings)
        with connect(url, step="restore") as session:
            _restore_accounts(session, accounts, progress)
            _refuse_difference(session, taken)
        if (plain / SOURCES).exists() and not settings.sources.exists():
            shutil.copyfile(plain / SOURCES, settings.sources)
    progress(f"{taken.loads} loads and {len(taken.archived)} archived files are back")
    return taken


def _refuse_what_is_there(url: str, settings: Settings) -> None:
    with connect(url, step="restore") as session:
        (there,) = session.execute("select to_regnamespace('ops') is not null").fetchone()
    if there:
        raise BackupError("the database holds a warehouse already: restore into an empty one")
    if settings.archive.exists() and any(settings.archive.iterdir()):
        raise BackupError(f"{settings.archive} is not empty: move it away, what of it is needed is in the backup")


def _keep_erasures(beside: Path, plain: Path, settings: Settings, identity: Path | None) -> None:
    """Note whom later backups knew to be erased, before anything of them is there again.

    Sets that are encrypted and sets that are not lie side by side, and the last erasure is beside either.
    """
    for encrypted in (False, True):
        kept = beside / f"{settings.erasures.name}{ENCRYPTED if encrypted else ''}"
        if kept.exists():
            _opener(identity, encrypted=encrypted)(kept, plain / settings.erasures.name)
            keep_in_file(settings.erasures, in_file(plain / settings.erasures.name))


def _opener(identity: Path | None, *, encrypted: bool) -> Callable[[Path, Path], None]:
    """What copies a backup's file to its place, in plain text."""
    if not encrypted:
        return lambda source, target: _written(target, lambda: shutil.copyfile(source, target))
    if identity is None:
        raise BackupError("what is backed up there is encrypted: name the file of the private key with --identity")
    import pyrage

    text = identity.read_text(encoding="utf-8")
    try:
        if "OPENSSH" in text:
            own = pyrage.ssh.Identity.from_buffer(text.encode())
        else:
            line = next((line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")), "")
            own = pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise BackupError(f"{identity} holds no private key of age") from None

    def decrypt(source: Path, target: Path) -> None:
        try:
            _written(target, lambda: pyrage.decrypt_file(str(source), str(target), [own]))
        except pyrage.DecryptError:
            raise BackupError(f"{source} was not encrypted for the key in {identity}") from None

    return decrypt


def _written(target: Path, write: Callable[[], object]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write()
    target.chmod(0o600)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _restore_archive(taken: BackupSet, store: Path, archive: Path, opener: Callable[[Path, Path], None]) -> None:
    _made(archive)
    for each in taken.archived:
        opener(store / each.path, archive / each.path.removesuffix(ENCRYPTED))


def _database(url: str) -> str:
    return psycopg.conninfo.conninfo_to_dict(url)["dbname"]


def _move(session: psycopg.Connection, taken: BackupSet, settings: Settings) -> None:
    """The ledger names the archive's files by their full path; the installation may live elsewhere now."""
    before = str(Path(taken.home) / settings.archive.name)
    session.execute(
        """
        update ops.load set archive_path = %(now)s || substr(archive_path, length(%(before)s) + 1)
        where starts_with(archive_path, %(before)s || '/') and %(now)s <> %(before)s
        """,
        {"now": str(settings.archive), "before": before},
    )


def _restore_accounts(session: psycopg.Connection, accounts: list[dict], progress: Progress) -> None:
    """Accounts of the server that are not there are made; what they read is granted as it was."""
    for account in accounts:
        login = account["login"]
        if not logins.exists(session, login):
            secret = sql.SQL(" password {}").format(sql.Literal(account["verifier"])) if account["verifier"] else None
            session.execute(sql.SQL("create role {} login{}").format(sql.Identifier(login), secret or sql.SQL("")))
            if secret is None:
                progress(f"{login} has no password: give it one with alter role")
        for role in account["roles"]:
            try:
                with session.transaction():
                    logins.grant(session, login, role=role, password=None)
            except logins.AccessError as error:  # access.yml has changed since
                progress(str(error))


def _refuse_difference(session: psycopg.Connection, taken: BackupSet) -> None:
    found = session.execute(
        """
        select
            (select count(*) from ops.load),
            coalesce((select hash from ops.disclosure order by disclosure_id desc limit 1), '')
        """
    ).fetchone()
    if found != (taken.loads, taken.head):
        raise BackupError("the restored ledger is not that of the backup: do not work with it, and restore anew")
