"""What a warehouse holds, in a form in which two that took in the same deliveries are equal.

Load numbers may differ (a killed process has used some up), so a row is told by its delivery's file name instead.
"""

import hashlib
import re
from pathlib import Path

import psycopg

_VERSIONS = """
    select md5(coalesce(string_agg(line, E'\\n' order by line), ''))
    from (
        select coalesce(load.file_name, 'nobody') || ' ' || (to_jsonb(version) - '_load_id')::text as line
        from register.{feed} as version left join ops.load as load on load.load_id = version._load_id
    ) as told
"""
_LEDGER = """
    select
        file_name, status, encoding, rows_read, rows_published, rows_unchanged, rows_quarantined, rows_ended,
        control_totals_declared::text, control_totals_actual::text, error_code
    from ops.load
    order by file_name
"""
_QUARANTINE = """
    select
        load.file_name, refused.row_no, refused.line_no, refused.part, refused.column_name, refused.rule,
        refused.reason, refused.faults::text, refused.raw::text, refused.status
    from ops.quarantine as refused inner join ops.load as load using (load_id)
    order by load.file_name, refused.row_no
"""
_CHECKS = """
    select
        load.file_name, result.suite, result.rule, coalesce(result.column_name, ''), result.success, result.evaluated,
        result.unexpected
    from ops.check_result as result inner join ops.load as load using (load_id)
    order by 1, 2, 3, 4, 5, 6, 7
"""
_TABLES = """
    select format('%%I.%%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = any(%s) and relkind in ('r', 'p')
    order by 1
"""
_WHEN = "'{proposed_at,decided_at,noted_at}'::text[]"  # something was written down, which no two runs have in common
# A load's number, also where it begins what names a proposal: 40-260-citizen_id-…
NUMBER_OF_A_LOAD = re.compile(r'(load_id": |"subject": ")(\d{1,9})(?=\D)')
SUM_RULE_BROKEN = """
    select file_name from ops.load
    where status = 'published'
        and rows_read is distinct from rows_published + rows_unchanged + rows_quarantined
        or rows_quarantined is distinct from (
            select count(*) from ops.quarantine as refused where refused.load_id = load.load_id
        ) and status in ('published', 'superseded')
"""


def content(url: str) -> dict[str, object]:
    """The checksum of each register, and the rows of the ledger, the quarantine and the check results."""
    with psycopg.connect(url) as session:
        feeds = session.execute("select tablename from pg_tables where schemaname = 'register' order by 1").fetchall()
        registers = {feed: session.execute(_VERSIONS.format(feed=feed)).fetchone()[0] for (feed,) in feeds}
        return registers | {
            "ops.load": session.execute(_LEDGER).fetchall(),
            "ops.quarantine": session.execute(_QUARANTINE).fetchall(),
            "ops.check_result": session.execute(_CHECKS).fetchall(),
        }


def checksums(url: str, *schemas: str) -> dict[str, tuple[int, str]]:
    """Of every table in ``schemas`` how many rows it has, and a checksum of them."""
    with psycopg.connect(url) as session:
        names = {str(number): name for number, name in session.execute("select load_id, file_name from ops.load")}
        found = {}
        for (table,) in session.execute(_TABLES, (list(schemas),)).fetchall():
            rows = session.execute(f"select (to_jsonb(told) - {_WHEN})::text from {table} as told")
            lines = sorted(NUMBER_OF_A_LOAD.sub(lambda load: load[1] + names[load[2]], line) for (line,) in rows)
            found[table] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return found


def left_over(url: str, home: Path) -> list[str]:
    """What a finished run must not leave: tables of a delivery, loads not done with, sums that do not hold, and files
    beside those that the archive keeps whole under their SHA-256."""
    with psycopg.connect(url) as session:
        tables = session.execute("select 'landing.' || tablename from pg_tables where schemaname = 'landing'")
        undone = session.execute("select file_name from ops.load where status not in ('published', 'superseded')")
        found = [name for (name,) in [*tables, *undone, *session.execute(SUM_RULE_BROKEN)]]
        archived = dict(session.execute("select archive_path, sha256 from ops.load").fetchall())
    files = {str(path) for path in home.rglob("*") if path.is_file() and not path.name.endswith(".manifest.json")}
    broken = [
        path
        for path, sha256 in archived.items()
        if path in files and hashlib.sha256(Path(path).read_bytes()).hexdigest() != sha256
    ]
    return found + sorted(files ^ set(archived)) + broken
