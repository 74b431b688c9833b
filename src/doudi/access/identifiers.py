"""The key that the identifiers of people, households and warnings are made with; it is never in the database.

Without one, whoever knows a citizen ID could compute its person_id and, trying all citizen IDs, the reverse. It is
handed to dbt's sessions as a setting of the session, which no other session and no statement shows.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import psycopg

from doudi.access.declaration import AccessError
from doudi.settings import Settings, read_secret

VARIABLE = "DOUDI_IDENTIFIER_KEY"
_LEAST_CHARACTERS = 32
_BLOCK = 64  # bytes that SHA-256 takes at a time


def identifier_key(connection: psycopg.Connection, *, settings: Settings) -> str:
    """The key as ``ops.keyed_hash`` takes it; empty where the warehouse has made identifiers without one before.

    The first call for a warehouse decides: it notes the fingerprint of the key, which is made where there is none.
    Raises AccessError where the key is missing, weak, open to others, or not the one of this warehouse.
    """
    noted = _noted(connection)
    if noted is None:
        key = None if _built_before(connection) else (_read(settings) or _make(settings))
        connection.execute(
            "insert into ops.identifier_key (fingerprint) values (%s) on conflict do nothing",
            (_fingerprint(key) if key else "",),
        )
        noted = _noted(connection)
    key = _read(settings)
    if noted == "":
        if read_secret(VARIABLE):
            raise AccessError(f"this warehouse has made its identifiers without a key so far: unset {VARIABLE}")
        return ""
    if key is None:
        raise AccessError(
            f"the identifiers' key of this warehouse is missing: set {VARIABLE}, or bring back {_path(settings)}"
        )
    if not hmac.compare_digest(_fingerprint(key), noted):
        raise AccessError(
            f"this is not the key that the warehouse's identifiers are made with (its fingerprint is {noted}): "
            f"look at {VARIABLE} and {_path(settings)}"
        )
    return _blocks(key)


def fingerprint_at_hand(settings: Settings) -> str:
    """The fingerprint of the key that this installation has, empty where it has none. Raises AccessError as above."""
    key = _read(settings)
    return _fingerprint(key) if key else ""


def keyed_hash(key: str, content: str) -> bytes:
    """As ops.keyed_hash makes it, but here, so that the key stays out of the database.

    ``key`` is as `identifier_key` gives it; 32 bytes.
    """
    blocks = bytes.fromhex(key)
    digest = hashlib.sha256(blocks[:_BLOCK] + content.encode()).digest()
    return hashlib.sha256(blocks[_BLOCK:] + digest).digest() if key else digest


def _noted(connection: psycopg.Connection) -> str | None:
    row = connection.execute("select fingerprint from ops.identifier_key").fetchone()
    return row[0] if row else None


def _built_before(connection: psycopg.Connection) -> bool:
    query = "select exists (select from ops.build where status = 'succeeded')"
    return connection.execute(query).fetchone()[0]


def _path(settings: Settings) -> Path:
    return settings.keys / "identifiers"


def _read(settings: Settings) -> bytes | None:
    given, path = read_secret(VARIABLE), _path(settings)
    if not given and not path.exists():
        return None
    if not given and path.stat().st_mode & 0o077:
        raise AccessError(f"others may read {path}: chmod 600 it")
    key = (given or path.read_text(encoding="ascii")).strip()
    if len(key) < _LEAST_CHARACTERS:
        raise AccessError(f"the identifiers' key has fewer than {_LEAST_CHARACTERS} characters")
    return key.encode()


def _make(settings: Settings) -> bytes:
    """Under its name only when whole, so that of two processes the second takes what the first has made."""
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.keys.chmod(0o700)
    path = _path(settings)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.touch(mode=0o600)
    written.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    try:
        path.hardlink_to(written)
    except FileExistsError:
        pass
    finally:
        written.unlink()
    return _read(settings)


def _fingerprint(key: bytes) -> str:
    return hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()[:16]


def _blocks(key: bytes) -> str:
    """The inner and the outer block of RFC 2104, which SQL has no operator to mix: 256 hexadecimals."""
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return b"".join(bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C)).hex()
