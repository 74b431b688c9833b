"""From the first commit at which a night ran to now, with data in it: nothing is lost, and the marts are the same.

That commit makes a county and takes in what came up to February; today's code takes over, and March comes. Beside it
the same deliveries go into a new warehouse. The new one makes its identifiers without a key as well, since the old one
always has: that is the one thing which an upgrade leaves otherwise than a new installation has it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from warehouse_state import NUMBER_OF_A_LOAD

FIRST_COMMIT = "f52e47c"
PROJECT = Path(__file__).resolve().parents[2]
FEBRUARY, MARCH = "2020-02-29", "2020-03-31"
_COMMAND = "from doudi.cli import main; main()"
# When and under which number something was done; a row's hash follows from the rules by which it was last read.
_OF_THE_RUN = "load_id|build_id|review_no|hash|built_at|computed_at|changed_at|proposed_at"

# Columns by name and not by place, since one that was added later stands last.
_STRUCTURE = """
    select
        'column', table_schema || '.' || table_name || '.' || column_name,
        concat_ws(' ', data_type, numeric_precision, is_nullable, column_default, generation_expression)
    from information_schema.columns
    where table_schema in ('ops', 'access', 'register') or table_name in ('review', 'joined_id')
    union all
    select 'index', schemaname || '.' || indexname, indexdef
    from pg_indexes
    where schemaname in ('ops', 'access', 'register') or tablename in ('review', 'joined_id')
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    from pg_constraint
    where connamespace in ('ops'::regnamespace, 'access'::regnamespace, 'register'::regnamespace)
    union all
    select 'function', oid::regprocedure::text, pg_get_functiondef(oid)
    from pg_proc
    where pronamespace in ('ops'::regnamespace, 'access'::regnamespace) and prokind = 'f'
"""


@dataclass(frozen=True)
class Installation:
    """One home and the code that works on it: with today's packages, which hold all that the first needs."""

    home: Path
    project: Path = PROJECT

    def doudi(self, *arguments: object) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DOUDI_", "AIRFLOW"))}
        environment |= {
            "DOUDI_HOME": str(self.home),
            "DOUDI_PROJECT": str(self.project),
            "PYTHONPATH": str(self.project / "src"),
        }
        command = [sys.executable, "-P", "-c", _COMMAND, *map(str, arguments)]
        result = subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True)
        told = result.stderr[-2000:]
        assert result.returncode in (0, 1), told  # 1: a delivery was refused, as some are planted to be
        assert not re.search("^Traceback|^doudi: ", result.stderr, flags=re.MULTILINE), told
        return result.stdout.strip()

    def rows(self, *schemas: str, without: str = _OF_THE_RUN) -> dict[str, Counter[str]]:
        """Every table of ``schemas`` as its rows' texts, but for the columns whose names match ``without``.

        A load in an evidence is told by its file's name: two installations number the same deliveries otherwise.
        """
        with psycopg.connect(self.doudi("db", "url")) as session:
            files = {str(number): name for number, name in session.execute("select load_id, file_name from ops.load")}
            left_out = session.execute(
                """
                select
                    table_schema || '.' || table_name,
                    coalesce(array_agg(column_name::text) filter (where column_name ~ %s), '{}')
                from information_schema.columns
                inner join information_schema.tables using (table_schema, table_name)
                where table_schema = any(%s) and table_type = 'BASE TABLE'
                group by 1
                """,
                (without, list(schemas)),
            ).fetchall()
            told = "select (to_jsonb(row) - %s::text[])::text from {} as row"
            return {
                table: Counter(
                    NUMBER_OF_A_LOAD.sub(lambda load: load[1] + files[load[2]], text)
                    for (text,) in session.execute(told.format(table), (columns,))
                )
                for table, columns in left_out
            }

    def structure(self) -> set[tuple[str, str, str]]:
        """Kind, name and definition of what `doudi init` makes and migrates."""
        with psycopg.connect(self.doudi("db", "url")) as session:
            return set(session.execute(_STRUCTURE).fetchall())


@pytest.fixture(scope="module")
def first_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    archived = subprocess.run(["git", "archive", FIRST_COMMIT], cwd=PROJECT, capture_output=True)  # noqa: S607
    if archived.returncode:
        pytest.skip(f"needs the history of git with the commit {FIRST_COMMIT}: not in an export or a shallow clone")
    subprocess.run(["tar", "-x", "-C", folder], input=archived.stdout, check=True)  # noqa: S607
    return folder


def _deliver(county: Path, inbox: Path, *, march: bool) -> None:
    inbox.mkdir(exist_ok=True)
    for path in county.iterdir():
        if path.is_file() and (MARCH.replace("-", "") in path.name) == march:
            shutil.copy2(path, inbox)


def _differences(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> dict[str, tuple[int, int]]:
    """By table how many rows each side has more than the other."""
    return {
        table: ((one[table] - other[table]).total(), (other[table] - one[table]).total())
        for table in one.keys() & other.keys()
        if one[table] != other[table]
    }


def test_an_upgrade_loses_nothing_and_ends_as_a_new_installation(first_project: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    county, out = tmp_path / "county", tmp_path / "out"
    old = Installation(tmp_path / "upgraded", first_project)
    upgraded, fresh = Installation(tmp_path / "upgraded"), Installation(tmp_path / "fresh")
    inbox = {each: each.home.with_suffix(".inbox") for each in (upgraded, fresh)}
    try:
        old.doudi("synth", county, "--persons", 600, "--seed", 1, "--as-of", MARCH)
        for place in inbox.values():
            _deliver(county, place, march=False)
        old.doudi("run", "--inbox", inbox[upgraded], "--as-of", FEBRUARY, "--out", out)
        before = old.rows("register", "ops", without="^_row_hash$")

        upgraded.doudi("init")
        after = upgraded.rows("register", "ops", without="^_row_hash$")
        for table in (table for table in before if table.startswith("register.")):
            assert after[table] == before[table]
        for table in ("ops.load", "ops.quarantine", "ops.build", "ops.extract"):
            assert after[table].total() == before[table].total() > 0
        upgraded.doudi("build", "--as-of", FEBRUARY)

        fresh.doudi("init")
        assert upgraded.structure() == fresh.structure()
        with psycopg.connect(fresh.doudi("db", "url")) as session:
            session.execute("update ops.identifier_key set fingerprint = ''")
        (fresh.home / "keys" / "identifiers").unlink()
        fresh.doudi("run", "--inbox", inbox[fresh], "--as-of", FEBRUARY, "--out", out)
        for each, place in inbox.items():
            _deliver(county, place, march=True)
            each.doudi("run", "--inbox", place, "--as-of", MARCH, "--out", out)

        for schemas in (("register",), ("identity", "marts")):
            ours, theirs = upgraded.rows(*schemas), fresh.rows(*schemas)
            assert ours.keys() == theirs.keys()
            assert _differences(ours, theirs) == {}
    finally:
        for each in (upgraded, fresh):
            each.doudi("db", "stop")
