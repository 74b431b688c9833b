"""The same file into one table of texts by a tool of general use; runs in .venv-bench, one tool per process.

    python benchmarks/others.py TOOL URL FILE ROWS

Prints one JSON object: ``seconds`` and ``rows`` of what was loaded (tools that go row by row get the first ROWS rows).
Each tool is used as its documentation advises for bulk loads, and each only lands: none of them types, judges or keeps
history.
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

TABLE = "other_tool"


def with_pandas(url: str, path: Path, rows: int) -> int:
    import pandas
    import sqlalchemy

    frame = pandas.read_csv(path, encoding="gb18030", dtype=str, nrows=rows)
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    frame.to_sql(TABLE, engine, if_exists="replace", index=False, chunksize=10_000)
    return len(frame)


def with_dlt(url: str, path: Path, rows: int) -> int:
    import dlt
    from pyarrow import csv

    def batches():
        with path.open("rb") as file:
            width = file.readline().count(b",") + 1
        names = [f"column_{position}" for position in range(width)]  # dlt makes the same name of all Chinese headings
        options = {
            "read_options": csv.ReadOptions(encoding="gb18030", block_size=16 << 20, column_names=names, skip_rows=1),
            "convert_options": csv.ConvertOptions(column_types=dict.fromkeys(names, "string")),
        }
        yield from csv.open_csv(path, **options)

    with TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench", destination=dlt.destinations.postgres(url), dataset_name="other_tool_dlt", pipelines_dir=folder
        )
        pipeline.run(batches(), table_name=TABLE, write_disposition="replace", loader_file_format="csv")
    return rows


def with_polars(url: str, path: Path, rows: int) -> int:
    import polars

    frame = polars.read_csv(path, encoding="gb18030", infer_schema=False)
    frame.write_database(TABLE, url, engine="adbc", if_table_exists="replace")
    return len(frame)


TOOLS = {"pandas": with_pandas, "dlt": with_dlt, "polars": with_polars}

if __name__ == "__main__":
    tool, url, path, rows = sys.argv[1:]
    begun = time.perf_counter()
    loaded = TOOLS[tool](url, Path(path), int(rows))
    print(json.dumps({"seconds": time.perf_counter() - begun, "rows": loaded}))
