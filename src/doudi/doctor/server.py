"""The server under the warehouse: what keeps it from working, or will before long. Only reads."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from doudi.doctor.finding import Finding
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse import cluster

_LEAST_SERVER, _LAST_SERVER = 16, 18
_CLOCK_SECONDS = 60
_IDLE_MINUTES = 30
_MOST_CONNECTIONS = 0.9  # of those that are not kept for administrators
_OLDEST_TRANSACTION = 1_000_000_000  # at twice as many the server takes no more changes

# What libpq says where it does not get in, and what to do; it names hosts and accounts, no row and no password.
_NO_WAY_IN = (
    (
        "is no URL",
        "write %20 for a space in it, %40 for @, %2F for / and so on: postgresql://ACCOUNT:PASSWORD@HOST/doudi",
    ),
    ("authentication failed|no password supplied", "put the account's password of today into {place}"),
    ("no pg_hba.conf entry", "let this machine in, in the server's pg_hba.conf"),
    ('(database|role) ".*" does not exist', "make it there as deploy/postgres.sh does, or correct {place}"),
    ("starting up|recovery|not yet accepting", "wait: it replays what it had not written yet; its log tells how far"),
    ("too many|remaining connection slots", "end what holds the connections, or raise max_connections and restart it"),
    ("refused|No such file", "start it, or correct host and port in {place}"),
    ("timeout|timed out|No route|unreachable", "look at the network and the firewall between here and there"),
    ("resolve|not known", "correct the host in {place}, or mend the name service"),
)


def out_of_reach(said: str, *, settings: Settings) -> Finding:
    """Why there is no connection, in libpq's words, and what that asks for."""
    reason = re.sub(r"^.*failed: (?:FATAL:  )?", "", said.strip().partition("\n")[0])
    place = "DOUDI_DATABASE_URL" if settings.database_url else str(settings.home / "postgres" / "server.log")
    known = (command for pattern, command in _NO_WAY_IN if re.search(pattern, reason))
    return Finding(
        fault="server.unreachable",
        severity="error",
        what=f"no connection to the warehouse: {reason}",
        meaning="nothing can be taken in, built or read",
        command=next(known, "see that the server runs and lets us in: look at {place}").format(place=place),
    )


def version(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    major = connection.info.server_version // 10_000
    if not _LEAST_SERVER <= major <= _LAST_SERVER:
        yield Finding(
            fault="server.version",
            severity="error",
            what=f"the server is PostgreSQL {major}",
            meaning=f"doudi is tested on {_LEAST_SERVER} to {_LAST_SERVER}",
            command="move the warehouse to such a server (docs/deployment.md)",
        )


def clock(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    (there,) = connection.execute("select clock_timestamp()").fetchone()
    apart = abs((there - datetime.now(UTC)).total_seconds())
    if apart > _CLOCK_SECONDS:
        yield Finding(
            fault="clock.apart",
            severity="warning",
            what=f"the clocks of this machine and of the server are {apart:.0f} s apart",
            meaning="a day may begin here while it is still yesterday there; the ledger notes the server's time",
            command="on both, as an administrator: timedatectl set-ntp true",
        )


def time_zone(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    """Our own sessions set theirs; readers have what the server gives them."""
    zone, same, database = connection.execute(
        """
        select reset_val, now() at time zone reset_val = now() at time zone %s, quote_ident(current_database())
        from pg_settings
        where name = 'TimeZone'
        """,
        (TIME_ZONE.key,),
    ).fetchone()
    if not same:
        yield Finding(
            fault="server.time_zone",
            severity="warning",
            what=f"the server's time zone is {zone}, not {TIME_ZONE.key}",
            meaning="readers see other hours than the departments' clocks, and today begins for them at another hour",
            command=_in_psql(f"alter database {database} set timezone to '{TIME_ZONE.key}'"),
        )


def connections(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    used, most, busiest, count = connection.execute(
        """
        with sessions as (
            select coalesce(nullif(application_name, ''), usename::text, 'without a name') as name
            from pg_stat_activity
            where backend_type = 'client backend'
        ),

        busiest as (select name, count(*) as sessions from sessions group by name order by sessions desc limit 1)

        select
            (select count(*) from sessions),
            current_setting('max_connections')::integer
            - current_setting('superuser_reserved_connections')::integer
            - coalesce(current_setting('reserved_connections', true)::integer, 0),
            busiest.name,
            busiest.sessions
        from busiest
        """
    ).fetchone()
    if used > most * _MOST_CONNECTIONS:
        yield Finding(
            fault="server.connections",
            severity="warning",
            what=f"{used} of {most} connections are taken, {count} of them by {busiest}",
            meaning="the next task may not get one, and fails",
            command="close what is not needed (a BI tool's pool), or raise max_connections and restart the server",
        )


def idle_transactions(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    """Other people's: ours wait for a program now and then, and the server ends them when their machine is lost."""
    rows = connection.execute(
        """
        select
            idle.pid,
            coalesce(nullif(idle.application_name, ''), idle.usename::text),
            extract(epoch from clock_timestamp() - idle.state_change)::integer / 60,
            (select count(*) from pg_stat_activity as other where idle.pid = any(pg_blocking_pids(other.pid)))
        from pg_stat_activity as idle
        where
            idle.datname = current_database()
            and idle.state like 'idle in transaction%%'
            and idle.state_change <= clock_timestamp() - make_interval(mins => %s)
            and idle.application_name !~ '^doudi'
        order by idle.state_change
        """,
        (_IDLE_MINUTES,),
    ).fetchall()
    for pid, name, minutes, waiting in rows:
        yield Finding(
            fault="sessions.idle",
            severity="error" if waiting else "warning",
            what=f"session {pid} ({name}) has left a transaction open for {minutes} min, and {waiting} wait for it",
            meaning="what it has locked can be neither loaded nor built, and no old row can be cleared away",
            command=_in_psql(f"select pg_terminate_backend({pid})"),
        )


def transaction_age(connection: psycopg.Connection, _: Settings) -> Iterator[Finding]:
    rows = connection.execute(
        """
        select datname, greatest(age(datfrozenxid), mxid_age(datminmxid)) as age
        from pg_database
        where greatest(age(datfrozenxid), mxid_age(datminmxid)) > %s
        order by age desc
        """,
        (_OLDEST_TRANSACTION,),
    ).fetchall()
    if not rows:
        return
    holder = connection.execute(
        """
        select holder
        from (
            select 'session ' || pid as holder, greatest(age(backend_xid), age(backend_xmin)) as age
            from pg_stat_activity
            union all
            select 'the prepared transaction ' || gid, age(transaction) from pg_prepared_xacts
            union all
            select 'the replication slot ' || slot_name, greatest(age(xmin), age(catalog_xmin))
            from pg_replication_slots
        ) as holders
        where age > %s
        order by age desc
        limit 1
        """,
        (_OLDEST_TRANSACTION,),
    ).fetchone()
    first = f"end {holder[0]}, which holds it back; then, " if holder else ""
    for name, age in rows:
        yield Finding(
            fault="server.transaction_age",
            severity="error",
            what=f"the database {name} has rows {age / 1e6:,.0f} million transactions old that nobody has frozen",
            meaning="at 2,100 million the server takes no more changes, of any database",
            command=f"{first}as an administrator: vacuumdb --freeze --jobs 4 {name}",
        )


def archiving(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    found = connection.execute(
        """
        select last_archived_time::timestamp(0), last_failed_wal
        from pg_stat_archiver
        where last_failed_time > coalesce(last_archived_time, '-infinity') and current_setting('archive_mode') <> 'off'
        """
    ).fetchone()
    if found:
        folder = None if settings.database_url else cluster.wal_folder(settings.home)
        since, segment = found
        yield Finding(
            fault="wal.archiving",
            severity="error",
            what=f"WAL is not archived: {segment} cannot be, and the last that was is of {since or 'never'}",
            meaning="no moment after that can be restored to, and WAL fills the disk until the server stops",
            command=f"make room in {folder or 'the archive'}, or bring it back; it goes on by itself within a minute",
        )


def checksums(connection: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    rows = connection.execute(
        """
        select coalesce(datname, 'what all share'), checksum_failures, checksum_last_failure::timestamp(0)
        from pg_stat_database
        where checksum_failures > 0
        """
    ).fetchall()
    for name, count, last in rows:
        place = "the server's data" if settings.database_url else settings.home / "postgres"
        yield Finding(
            fault="server.checksums",
            severity="error",
            what=f"{count} blocks of {name} came back from the disk other than they were written, the last at {last}",
            meaning="the disk is failing; what stands in those blocks is lost, and backups of them fail",
            command=f"stop the server, copy {place} away, then restore onto another disk (docs/backup.md)",
        )


def _in_psql(statement: str) -> str:
    return f'psql "$(doudi db url)" -c "{statement}"'
