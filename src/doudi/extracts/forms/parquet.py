"""Parquet: typed columns under their names, a row group at a time, so that memory stays flat."""

import re
from pathlib import Path

import psycopg

from doudi.extracts.forms.about import About
from doudi.extracts.query import Field, Query
from doudi.settings import TIME_ZONE

_BATCH_ROWS = 10_000  # as Python objects they take more room than a group of five such batches does afterwards
_GROUP_BATCHES = 5
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


def write(connection: psycopg.Connection, query: Query, path: Path, about: About) -> int:
    import pyarrow as arrow
    from pyarrow.parquet import ParquetWriter

    types = {field.name: _arrow_type(field) for field in query.fields}
    casts = {field.name: cast for field in query.fields if (cast := _cast(field))}
    schema = arrow.schema(
        [arrow.field(field.name, types[field.name], metadata={"heading": field.heading}) for field in query.fields],
        metadata={"title": about.title, "as_of": about.as_of.isoformat()},
    )
    count, batches = 0, []
    with ParquetWriter(path, schema, compression="zstd") as writer, connection.cursor(name="extract") as cursor:
        cursor.execute(query.typed(casts))
        while rows := cursor.fetchmany(_BATCH_ROWS):
            columns = zip(*rows, strict=True)
            arrays = [arrow.array(values, type_) for values, type_ in zip(columns, types.values(), strict=True)]
            batches.append(arrow.RecordBatch.from_arrays(arrays, schema=schema))
            count += len(rows)
            if len(batches) == _GROUP_BATCHES:
                writer.write_table(arrow.Table.from_batches(batches))
                batches = []
        if batches:
            writer.write_table(arrow.Table.from_batches(batches))
    return count


def _arrow_type(field: Field) -> "arrow.DataType":  # noqa: F821 (imported where it is needed: it takes a second)
    import pyarrow as arrow

    if numeric := _NUMERIC.fullmatch(field.type):
        return arrow.decimal128(int(numeric[1]), int(numeric[2]))
    known = {
        "smallint": arrow.int16(),
        "integer": arrow.int32(),
        "bigint": arrow.int64(),
        "numeric": arrow.float64(),
        "real": arrow.float32(),
        "double precision": arrow.float64(),
        "boolean": arrow.bool_(),
        "date": arrow.date32(),
        "timestamp with time zone": arrow.timestamp("us", tz=TIME_ZONE.key),
    }
    return arrow.list_(arrow.string()) if field.type.endswith("[]") else known.get(field.type, arrow.string())


def _cast(field: Field) -> str | None:
    """What Postgres makes of a value that Parquet has no type for."""
    if field.type.endswith("[]"):
        return "text[]"
    if field.type == "numeric":
        return "double precision"
    typed = field.is_number or field.type in ("boolean", "date", "timestamp with time zone")
    return None if typed or field.is_text else "text"
