"""What a warehouse holds, in a form in which two that took in the same deliveries are equal.

Load numbers may differ (a killed process has used some up), so a row is told by its delivery's file name instead.
"""

import hashlib
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
    select load.file_name, result.suite, result.rule, result.success, result.evaluated, result.unexpected
    from ops.check_result as result inner join ops.load as load using (load_id)
    order by load.file_name, result.rule
"""
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
