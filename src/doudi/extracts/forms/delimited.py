"""CSV: Postgres writes the lines and their bytes go to the file as they come."""

import csv
import io
from pathlib import Path

import psycopg
from psycopg import sql

from doudi.extracts.forms.about import About
from doudi.extracts.forms.copying import copy_out
from doudi.extracts.query import Query


def write_utf8(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    """In UTF-8, with the byte order mark that Excel knows it by."""
    return _write(connection, query, path, encoding="UTF8", python_encoding="utf-8-sig")


def write_gb18030(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    """In GB18030, which has every character there is; for receivers that read no UTF-8."""
    return _write(connection, query, path, encoding="GB18030", python_encoding="gb18030")


def _write(connection: psycopg.Connection, query: Query, path: Path, *, encoding: str, python_encoding: str) -> int:
    headings = io.StringIO()
    csv.writer(headings, lineterminator="\n").writerow(query.headings)
    command = sql.SQL("copy ({}) to stdout (format csv, encoding {})").format(query.cells(), sql.Literal(encoding))
    return copy_out(connection, command, path, before=headings.getvalue().encode(python_encoding))
