"""ops.disclosure: who was handed out which columns of which people, each row chained to the one before by its hash."""

from dataclasses import asdict, dataclass
from datetime import date

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

_CHAIN = 7_202_006  # any number, as long as every process takes the same
GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class DisclosedColumn:
    """A column as the recipient got it."""

    name: str
    heading: str
    treatment: str


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """A file that is about to leave; ``declaration`` is the text whose SHA-256 is the declaration's hash."""

    recipient: str
    purpose: str
    legal_basis: str
    declaration: str
    columns: tuple[DisclosedColumn, ...]
    build_id: int
    as_of: date
    file_name: str
    file_sha256: str
    rows: int


def record(connection: psycopg.Connection, file: HandedOut, *, people: sql.Composable) -> tuple[int, str]:
    """Add a file to the chain; returns its disclosure_id and hash, which belong into the file's manifest.

    ``people`` is a query of one column, uuid: the person_id of everybody whom a row of the file is about, as often as
    you like, nulls left out here; ``select null::uuid where false`` where rows are about nobody.

    Runs in the caller's transaction, and keeps other senders waiting until it ends: call it last. One of REPEATABLE
    READ must have kept them waiting before its snapshot, or it ends with a unique violation; the chain never forks.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_CHAIN,))
    connection.execute(
        """
        insert into ops.declaration (sha256, recipient, content)
        select encode(sha256(convert_to(%(content)s, 'UTF8')), 'hex'), %(recipient)s, %(content)s
        on conflict do nothing
        """,
        {"content": file.declaration, "recipient": file.recipient},
    )
    return connection.execute(
        _RECORD.format(people=people),
        {
            **asdict(file),
            "columns": Jsonb([asdict(column) for column in file.columns]),
            "genesis": GENESIS,
        },
    ).fetchone()


_RECORD = sql.SQL(
    """
    with
    head as (
        select
            coalesce(max(disclosure_id), 0) + 1 as disclosure_id,
            coalesce((array_agg(hash order by disclosure_id desc))[1], %(genesis)s) as previous_hash
        from (select disclosure_id, hash from ops.disclosure order by disclosure_id desc limit 1) as latest
    ),

    person as materialized (
        select distinct handed_out.person_id
        from ({people}) as handed_out (person_id)
        where handed_out.person_id is not null
        order by 1
    ),

    listed as (
        insert into ops.disclosed_person (person_id, disclosure_id)
        select person.person_id, head.disclosure_id from person cross join head
    ),

    disclosure as (
        select row(
            head.disclosure_id,
            %(recipient)s::text,
            %(purpose)s::text,
            %(legal_basis)s::text,
            encode(sha256(convert_to(%(declaration)s, 'UTF8')), 'hex'),
            %(columns)s::jsonb,
            %(build_id)s::bigint,
            %(as_of)s::date,
            %(file_name)s::text,
            %(file_sha256)s::text,
            %(rows)s::bigint,
            (select count(*) from person),
            (
                select encode(sha256(coalesce(string_agg(uuid_send(person_id), '' order by person_id), '')), 'hex')
                from person
            ),
            clock_timestamp(),
            head.previous_hash,
            ''
        )::ops.disclosure as unsealed
        from head
    )

    insert into ops.disclosure
    select sealed.*
    from disclosure
    cross join lateral jsonb_populate_record(
        unsealed, jsonb_build_object('hash', ops.disclosure_hash(unsealed))
    ) as sealed
    returning disclosure_id, hash
    """
)
