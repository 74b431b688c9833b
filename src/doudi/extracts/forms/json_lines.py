"""JSON lines: one object per row under the columns' names; Postgres writes them and their bytes go to the file."""

from pathlib import Path

import psycopg
from psycopg import sql

from doudi.extracts.forms.about import About
from doudi.extracts.forms.copying import copy_out
from doudi.extracts.query import Query

# JSON holds neither of these characters nor a line end unescaped, so that as a CSV field it needs no quotes.
_AS_IT_IS = r"format csv, quote E'\x01', delimiter E'\x02', encoding 'UTF8'"


def write(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    """Numbers, booleans and null as such; dates and all else as text."""
    command = sql.SQL("copy (select row_to_json(line)::text from ({}) as line) to stdout ({})").format(
        query.typed(), sql.SQL(_AS_IT_IS)
    )
    return copy_out(connection, command, path)
