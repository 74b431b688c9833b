"""Extracts: what each department is handed out, as declared in extracts/<recipient>.yml and recorded in ops.extract."""

from doudi.extracts.sending import (
    Declaration,
    ExtractError,
    SentExtract,
    load_declaration,
    load_declarations,
    send,
    send_all,
)

__all__ = [
    "Declaration",
    "ExtractError",
    "SentExtract",
    "load_declaration",
    "load_declarations",
    "send",
    "send_all",
]
