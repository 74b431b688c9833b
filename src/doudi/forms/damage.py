"""A damaged archive fails in many ways, all of which mean the same."""

import errno
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from doudi.deliveries import DeliveryRefused

_SIGNS = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError)


@contextmanager
def refusing_damage(code: str, message: str, *signs: type[Exception]) -> Iterator[None]:
    """Raise DeliveryRefused(``code``) for what reading a damaged or wrongly decrypted archive raises.

    ``signs``: what a reader of others' making raises besides.

    A full disk or a lost mount stays the OSError it is, since it passes.
    """
    try:
        yield
    except (*_SIGNS, *signs):
        raise DeliveryRefused(code, message) from None
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # a place before the file's start; gzip's own have no number
            raise
        raise DeliveryRefused(code, message) from None
