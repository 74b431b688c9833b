"""Encryption for a recipient: age, with the public key that the extra of its connection holds as ``age_recipient``."""

from pathlib import Path

from doudi.extracts.declaration import Declaration
from doudi.extracts.delivering import connection_id, connection_of

SUFFIX = ".age"


def public_key(declaration: Declaration) -> str | None:
    """The recipient's key, None where it has none. Raises ExtractError where it needs one, or it is no key."""
    connection = connection_of(declaration.recipient)
    key = connection.extra_dejson.get("age_recipient") if connection else None
    if key is None and declaration.encrypt == "required":
        raise declaration.fault(
            f"encrypt: required, and the extra of {connection_id(declaration.recipient)} has no age_recipient"
        )
    if key is not None:
        _parse(key, declaration)
    return key


def encrypt(file: Path, key: str, declaration: Declaration) -> Path:
    """Put the encrypted file in the place of a file; the plain one is gone afterwards. Returns the new path."""
    import pyrage

    encrypted = file.with_name(file.name + SUFFIX)
    pyrage.encrypt_file(str(file), str(encrypted), [_parse(key, declaration)])
    file.unlink()
    return encrypted


def _parse(key: str, declaration: Declaration) -> object:
    import pyrage

    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise declaration.fault(f"the age_recipient of {connection_id(declaration.recipient)} is no key") from None
