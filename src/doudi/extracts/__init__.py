"""Extracts: what each department is handed out, as declared in extracts/<recipient>.yml and recorded in ops.extract.

A file appears under its name only when it is whole, and its manifest after it; so whoever finds a manifest finds all.
"""

from doudi.extracts.declaration import Declaration, load_declaration, load_declarations
from doudi.extracts.errors import ExtractError, NotBuiltError, NotDeliveredError
from doudi.extracts.sending import SentExtract, send, send_all

__all__ = [
    "Declaration",
    "ExtractError",
    "NotBuiltError",
    "NotDeliveredError",
    "SentExtract",
    "load_declaration",
    "load_declarations",
    "send",
    "send_all",
]
