"""Who may read what in the warehouse, as access.yml declares it, and the key that identifiers are made with."""

from doudi.access.declaration import Access, AccessError, load_access
from doudi.access.declaring import declare
from doudi.access.identifiers import fingerprint_at_hand, identifier_key, keyed_hash

__all__ = ["Access", "AccessError", "declare", "fingerprint_at_hand", "identifier_key", "keyed_hash", "load_access"]
