"""What is kept of deliveries: originals in the archive, refused rows, check results, and what cut loads left."""

import re
from pathlib import Path

from doudi.deliveries import DeliveryRefused, parse_name
from doudi.landing import LoadTables
from doudi.ledger import ARCHIVE_LOCK
from doudi.loads import FEED_LOCK
from doudi.maintenance.work import Outcome, Work, locked, remove, size_of
from doudi.rules import RETURN_NUMBER

# Of each sender the last delivery: what it says is the last word, and the next is compared with it.
_LAST_WORDS = """
    select distinct on (feed, area_code) load_id
    from ops.load
    where status = 'published' and replays_load_id is null
    order by feed, area_code, data_date desc, sequence desc, load_id desc
"""

# A refused delivery is done with once another has come in its place. Rows that wait for somebody need the file in which
# they came first, and those in which they were replayed since. What an earlier maintenance has marked and was cut off
# before removing is found again.
_PAST_ARCHIVED = f"""
    with recursive needed as (
        select load_id, replays_load_id
        from ops.load
        where exists (
            select from ops.quarantine as kept where kept.load_id = load.load_id and kept.status = 'open'
        )
        union
        select earlier.load_id, earlier.replays_load_id
        from needed
        inner join ops.load as earlier on earlier.load_id = needed.replays_load_id
    ),

    last_word as ({_LAST_WORDS})

    select load.load_id, load.archive_path, load.sha256
    from ops.load as load
    inner join ops.load_health as health on health.load_id = load.load_id
    where
        load.feed = %(feed)s
        and (
            load.archive_removed_at is not null
            or (
                greatest(load.received_at, load.finished_at) < %(cutoff)s::timestamptz
                and (
                    load.status in ('published', 'superseded')
                    or (load.status = 'refused' and not health.is_unresolved)
                )
                and load.load_id not in (select load_id from needed)
                and load.load_id not in (select load_id from last_word)
            )
        )
    order by load.load_id
"""


def archived_deliveries(work: Work) -> Outcome:
    """Originals that nothing needs any more. The ledger says of each that and when it was removed, and then it goes."""
    cutoff, count, size, left = work.cutoff("archived_deliveries"), 0, 0, []
    with locked(work.connection, ARCHIVE_LOCK) as free:
        if not free:
            left.append("a backup is being taken")
        for feed in _feeds(work) if free else ():
            with locked(work.connection, FEED_LOCK, feed) as idle:
                if not idle:
                    left.append(f"{feed} is being taken in")
                    continue
                rows = work.connection.execute(_PAST_ARCHIVED, {"feed": feed, "cutoff": cutoff}).fetchall()
                for load_id, path, sha256 in rows:
                    files = _files(work, load_id, Path(path), sha256)
                    count, size = count + bool(files), size + size_of(files)
                    if files and not work.dry_run:
                        _mark(work, load_id)
                        remove(*files)
    return work.outcome("archived_deliveries", "original files", count=count, size=size, left=tuple(left))


def _mark(work: Work, load_id: int) -> None:
    work.connection.execute(
        "update ops.load set archive_removed_at = now() where load_id = %s and archive_removed_at is null", (load_id,)
    )


def _files(work: Work, load_id: int, path: Path, sha256: str) -> list[Path]:
    """What of a delivery is in the archive: all under its SHA-256, but for what is another load's."""
    folder = path.parent
    if folder != work.settings.archive / sha256[:2] / sha256 or not folder.is_dir():
        return []
    (shared,) = work.connection.execute(
        """
        select exists (
            select from ops.load where sha256 = %s and load_id <> %s and archive_removed_at is null
        )
        """,
        (sha256, load_id),
    ).fetchone()
    return [each for each in folder.iterdir() if each.name.startswith(path.name)] if shared else [folder]


def closed_quarantine_rows(work: Work) -> Outcome:
    """The text of rows that were replayed or discarded. The number of an earlier row stays, by which each is traced."""
    cutoff, count, size, left = work.cutoff("closed_quarantine_rows"), 0, 0, []
    closed = """
        kept.feed = %(feed)s and kept.values_removed_at is null
        and (
            kept.status = 'discarded' and kept.discarded_at < %(cutoff)s
            or kept.status = 'replayed' and exists (
                select from ops.load as replay
                where replay.load_id = kept.replay_load_id and replay.finished_at < %(cutoff)s
            )
        )
    """
    for feed in _feeds(work) if cutoff else ():
        with locked(work.connection, FEED_LOCK, feed) as idle:
            if not idle:
                left.append(f"{feed} is being taken in")
                continue
            values = {"feed": feed, "cutoff": cutoff, "number": RETURN_NUMBER}
            rows, bytes_ = work.connection.execute(
                f"""
                select count(*), coalesce(sum(pg_column_size(kept.raw)), 0)
                from ops.quarantine as kept where {closed}
                """,
                values,
            ).fetchone()
            count, size = count + rows, size + bytes_
            if rows and not work.dry_run:
                work.connection.execute(
                    f"""
                    update ops.quarantine as kept
                    set
                        values_removed_at = now(),
                        raw = case
                            when kept.raw ? %(number)s
                            then jsonb_build_object(%(number)s::text, kept.raw -> %(number)s)
                            else '{{}}'
                        end
                    where {closed}
                    """,
                    values,
                )
    return work.outcome("closed_quarantine_rows", "texts of refused rows", count=count, size=size, left=tuple(left))


def check_results(work: Work) -> Outcome:
    cutoff, count, size = work.cutoff("check_results"), 0, 0
    if cutoff:
        past = f"""
            from ops.check_result as result
            where checked_at < %(cutoff)s and load_id not in ({_LAST_WORDS})
        """
        count, size = work.connection.execute(
            f"select count(*), coalesce(sum(pg_column_size(result.*)), 0) {past}", {"cutoff": cutoff}
        ).fetchone()
        if count and not work.dry_run:
            work.connection.execute(f"delete {past}", {"cutoff": cutoff})
    return work.outcome("check_results", "results of checks", count=count, size=size)


def leftovers(work: Work) -> Outcome:
    """Tables and files of loads that were cut off: the next run begins them anew, from the archive.

    They hold what was sent, and where no run comes for them, they would lie there for good.
    """
    count, size, left = 0, 0, []
    tables = _landing_tables(work)
    for feed in sorted({*_feeds(work), *(feed for feed, _ in tables)}):
        with locked(work.connection, FEED_LOCK, feed) as idle:
            files = [path for path in _begun_files(work, feed) if path.exists()]
            own = [tables[key] for key in tables if key[0] == feed]
            if not idle:
                left += [f"{feed} is being taken in"] if own or files else []
                continue
            count, size = count + len(files) + sum(map(len, own)), size + size_of(files)
            size += sum(bytes_ for each in own for bytes_ in each)
            if not work.dry_run:
                remove(*files)
                for name, load_id in [key for key in tables if key[0] == feed]:
                    LoadTables(name, load_id).drop(work.connection)
    return work.outcome(
        "leftovers", "tables and files of loads cut off", count=count, size=size, left=tuple(left), kept=""
    )


def _landing_tables(work: Work) -> dict[tuple[str, int], list[int]]:
    """By feed and load the sizes of the tables that a load has had to itself."""
    rows = work.connection.execute(
        """
        select part[1], part[2]::bigint, array_agg(pg_total_relation_size(class.oid))
        from pg_class as class
        cross join lateral regexp_match(class.relname, '^([a-z][a-z0-9_]*?)_([0-9]+)(_[a-z]+)?$') as part
        where class.relnamespace = 'landing'::regnamespace and class.relkind = 'r' and part is not null
        group by part[1], part[2]
        """
    ).fetchall()
    return {(feed, load_id): sizes for feed, load_id, sizes in rows}


def _begun_files(work: Work, feed: str) -> list[Path]:
    """What was unpacked, archived or written for a replay when its process ended; of one that is at work, too."""
    replays = work.connection.execute("select load_id from ops.load where feed = %s", (feed,)).fetchall()
    begun = {f"replay_{load_id}" for (load_id,) in replays}
    found = [work.settings.work / feed]
    found += [path for path in work.settings.spool.glob("replay_*") if path.name in begun]
    for path in work.settings.archive.glob(".*.part"):
        try:
            if parse_name(Path(re.sub(r"^\.(.+)\.part$", r"\1", path.name)), feeds=None).feed == feed:
                found.append(path)
        except DeliveryRefused:
            continue
    return found


def _feeds(work: Work) -> list[str]:
    """Those that ever sent anything, with a contract yet or not."""
    return [feed for (feed,) in work.connection.execute("select distinct feed from ops.load order by feed").fetchall()]
