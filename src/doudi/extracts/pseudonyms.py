"""Pseudonyms: by a key per recipient that never reaches the database, so that no two recipients can join their lists.

A pseudonym is ``<version of the key>-<24 characters>``: HMAC-SHA256 of recipient, kind and identifier. Who has the key
can find the person again by trying all; nobody else can.
"""

import base64
import fcntl
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import yaml
from psycopg import sql
from pydantic import Field, ValidationError

from doudi.closed import Closed, read_yaml
from doudi.extracts.errors import ExtractError
from doudi.settings import TIME_ZONE, read_secret

_BATCH = 10_000
_SECRET_BYTES = 32
_CHARACTERS = 24  # 120 bits: two people in a billion share one with a chance of 1 in 10^18


class _Version(Closed):
    version: int = Field(ge=1)
    secret: str = Field(min_length=_SECRET_BYTES)
    made_on: str


class _Keys(Closed):
    """The file: of each recipient all versions, the last in use; older ones tell whose a pseudonym was."""

    recipients: dict[str, tuple[_Version, ...]]


@dataclass(frozen=True, kw_only=True)
class Key:
    """The key in use for one recipient."""

    recipient: str
    version: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(recipient={self.recipient!r}, version={self.version})"

    def pseudonym(self, kind: str, value: str) -> str:
        """The same for the same identifier under the same version; another for each recipient and kind."""
        told = "\0".join((self.recipient, kind, value)).encode()
        digest = base64.b32encode(hmac.digest(self.secret, told, "sha256")).decode()
        return f"{self.version}-{digest[:_CHARACTERS]}"


def key_of(recipient: str, *, folder: Path) -> Key:
    """The recipient's key: DOUDI_PSEUDONYM_KEY_<RECIPIENT>, else that in ``folder``, made there if there is none.

    Raises ExtractError where the variable or the file cannot be read as keys.
    """
    variable = f"DOUDI_PSEUDONYM_KEY_{recipient.upper()}"
    if given := read_secret(variable):
        version, _, secret = given.partition(":")
        if not (version.isdecimal() and int(version) and len(secret) >= _SECRET_BYTES):
            raise ExtractError(f"{variable}: write <version>:<secret of {_SECRET_BYTES} characters or more>")
        return Key(recipient=recipient, version=int(version), secret=secret.encode())
    with _locked(folder):
        keys = _read(folder)
        if not keys.recipients.get(recipient):
            keys = _with_new(keys, recipient)
            _write(folder, keys)
    return _last(keys, recipient)


def rotate(recipient: str, *, folder: Path) -> int:
    """Make a new key for the recipient and return its version; the older ones stay in the file."""
    if read_secret(f"DOUDI_PSEUDONYM_KEY_{recipient.upper()}"):
        raise ExtractError(f"the key of {recipient} is in the environment: change it there, with the next version")
    with _locked(folder):
        keys = _with_new(_read(folder), recipient)
        _write(folder, keys)
    return _last(keys, recipient).version


def versions(*, folder: Path) -> list[tuple[str, int, str, bool]]:
    """Recipient, version, day it was made, and whether it is in use, of every key in the file; no secrets."""
    return [
        (recipient, key.version, key.made_on, key is keys[-1])
        for recipient, keys in sorted(_read(folder).recipients.items())
        for key in keys
    ]


def tabulate(
    connection: psycopg.Connection, key: Key, *, table: str, kind: str, values: sql.Composable
) -> sql.Identifier:
    """Put the pseudonym of each of the distinct ``values``, a query of one column, into a table of this transaction.

    Returns the table, with the columns ``value`` and ``pseudonym``.
    """
    name = sql.Identifier(table)
    connection.execute(sql.SQL("create temp table {} (value text, pseudonym text) on commit drop").format(name))
    copy = sql.SQL("copy {} (value, pseudonym) from stdin").format(name)
    with connection.cursor(name="identifiers") as identifiers:
        identifiers.execute(values)
        while some := identifiers.fetchmany(_BATCH):
            with connection.cursor() as cursor, cursor.copy(copy) as rows:
                for (value,) in some:
                    rows.write_row((value, key.pseudonym(kind, value)))
    connection.execute(sql.SQL("analyze {}").format(name))
    return name


def _last(keys: _Keys, recipient: str) -> Key:
    last = keys.recipients[recipient][-1]
    return Key(recipient=recipient, version=last.version, secret=last.secret.encode())


def _with_new(keys: _Keys, recipient: str) -> _Keys:
    before = keys.recipients.get(recipient, ())
    new = _Version(
        version=before[-1].version + 1 if before else 1,
        secret=secrets.token_hex(_SECRET_BYTES),
        made_on=datetime.now(TIME_ZONE).date().isoformat(),
    )
    return _Keys(recipients={**keys.recipients, recipient: (*before, new)})


def _path(folder: Path) -> Path:
    return folder / "pseudonyms.yml"


def _read(folder: Path) -> _Keys:
    path = _path(folder)
    if not path.exists():
        return _Keys(recipients={})
    if path.stat().st_mode & 0o077:
        raise ExtractError(f"{path.name} can be read by others than its owner: chmod 600 it")
    try:
        return _Keys(recipients=read_yaml(path) or {})
    except (ValidationError, yaml.YAMLError):
        raise ExtractError(f"{path.name} does not hold keys as doudi writes them") from None  # without the secrets


def _write(folder: Path, keys: _Keys) -> None:
    partial = folder / ".pseudonyms.yml.part"
    partial.unlink(missing_ok=True)
    content = {name: [key.model_dump() for key in versions] for name, versions in keys.recipients.items()}
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(yaml.safe_dump(content, sort_keys=True))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(_path(folder))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two who make a recipient's first key at once make one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def values_of(columns: Iterable[sql.Composable], *, source: sql.Composable, condition: sql.Composable) -> sql.Composed:
    """The distinct identifiers of some columns, null left out."""
    parts = [
        sql.SQL("select distinct {0}::text as value from {1} where {2} and {0} is not null").format(
            column, source, condition
        )
        for column in columns
    ]
    return sql.SQL(" union ").join(parts)
