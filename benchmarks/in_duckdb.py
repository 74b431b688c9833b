"""One model of dbt in DuckDB, over files of what it reads; runs in .venv-bench.

    python benchmarks/in_duckdb.py FOLDER THREADS

FOLDER holds ``model.sql``, the model as dbt compiled it for Postgres, ``tables.json`` ({"schema.name": {column: type}})
and for each of these tables ``schema.name.csv``. Prints one JSON object: the ``seconds`` of reading the files, of the
model alone, and the ``rows`` and ``checksum`` of its result.
"""

import json
import re
import sys
import time
from pathlib import Path

import duckdb

# An identifier takes two hashes here as there, only without the key, which stays in the warehouse.
_IDENTIFIER = re.compile(r"encode\(substring\(ops\.keyed_hash\((.+?)\) from 1 for 16\), 'hex'\)::uuid", re.DOTALL)


def main(folder: Path, threads: int) -> dict[str, float | int | str]:
    tables = json.loads((folder / "tables.json").read_text())
    with duckdb.connect(str(folder / "doudi.duckdb"), config={"threads": threads}) as session:
        begun = time.perf_counter()
        for table, columns in tables.items():
            schema, name = table.split(".")
            typed = ", ".join(f"'{column}': '{_type(kind)}'" for column, kind in columns.items())
            session.execute(f"create schema if not exists {schema}")
            session.execute(
                f"create table {schema}.{name} as "
                f"from read_csv('{folder}/{table}.csv', auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
                f" header = true, columns = {{{typed}}})"
            )
        read = time.perf_counter()
        model = (folder / "model.sql").read_text().replace('"doudi".', "")
        session.execute("create table result as " + _IDENTIFIER.sub(r"left(sha256(sha256(\1)), 32)::uuid", model))
        made = time.perf_counter()
        rows, checksum = session.execute((folder / "checksum.sql").read_text()).fetchone()
    return {"read_s": read - begun, "model_s": made - read, "rows": rows, "checksum": str(checksum)}


def _type(postgres: str) -> str:
    return {"jsonb": "varchar", "double precision": "double"}.get(postgres, postgres)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
