"""Whether the chain of disclosures is as it was written: no row changed, none removed, no list of people touched."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from doudi.extracts.disclosures import GENESIS
from doudi.extracts.errors import ExtractError


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How many disclosures and manifests there are, and the first fault, None where all is well."""

    disclosures: int
    manifests: int
    fault: str | None


def verify(connection: psycopg.Connection, *, manifests: Iterable[Path]) -> Verified:
    """Walk the chain in one query and hold it against what manifests say of it.

    The chain shows any change up to its last row. That rows were taken from its end, or that it was made anew from
    some row on, only shows against what recipients have: the manifests. Raises ExtractError for one that is none.
    """
    told = [(path, *pair) for path in manifests for pair in _told_by(path)]
    connection.execute("set local timezone to 'UTC'")
    (count,) = connection.execute("select count(*) from ops.disclosure").fetchone()
    fault = connection.execute(
        _FAULTS,
        {
            "genesis": GENESIS,
            "ids": [number for _, number, _ in told],
            "hashes": [hash_ for _, _, hash_ in told],
        },
    ).fetchone()
    return Verified(
        disclosures=count,
        manifests=len({path for path, _, _ in told}),
        fault=None if fault is None else f"disclosure {fault[0]}: {fault[1]}",
    )


def manifests_in(*folders: Path) -> list[Path]:
    """The manifests that lie below the folders."""
    return sorted(path for folder in folders if folder.is_dir() for path in folder.rglob("manifest*.json"))


def _told_by(path: Path) -> Iterator[tuple[int, str]]:
    try:
        yield from _pairs(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ExtractError(f"{path} is no manifest that can be read") from None


def _pairs(value: Any) -> Iterator[tuple[int, str]]:
    if isinstance(value, dict) and {"disclosure_id", "disclosure_hash"} <= value.keys():
        yield int(value["disclosure_id"]), str(value["disclosure_hash"])
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _pairs(inner)


_FAULTS = """
    with
    chain as (
        select
            disclosure.*,
            row_number() over in_order as place,
            lag(disclosure.hash, 1, %(genesis)s) over in_order as hash_before,
            ops.disclosure_hash(disclosure) as hash_now
        from ops.disclosure as disclosure
        window in_order as (order by disclosure.disclosure_id)
    ),

    listed as (
        select
            disclosure_id,
            count(*) as persons,
            encode(sha256(string_agg(uuid_send(person_id), '' order by person_id)), 'hex') as persons_sha256
        from ops.disclosed_person
        group by disclosure_id
    ),

    told as (
        select disclosure_id, hash from unnest(%(ids)s::bigint[], %(hashes)s::text[]) as pairs (disclosure_id, hash)
    ),

    fault as (
        (select place as disclosure_id, 1 as turn, 'the row is gone' as what
        from chain
        where disclosure_id <> place
        order by place
        limit 1)
        union all
        select disclosure_id, 2, 'the row was changed'
        from chain
        where hash <> hash_now
        union all
        select disclosure_id, 3, 'the row does not follow the one before it'
        from chain
        where previous_hash <> hash_before
        union all
        select chain.disclosure_id, 4, 'the list of its people was changed'
        from chain
        left join listed on chain.disclosure_id = listed.disclosure_id
        where
            chain.persons <> coalesce(listed.persons, 0)
            or chain.persons_sha256 <> coalesce(listed.persons_sha256, encode(sha256(''), 'hex'))
        union all
        select chain.disclosure_id, 5, 'the text of its declaration is gone or was changed'
        from chain
        left join ops.declaration as declaration on chain.declaration_sha256 = declaration.sha256
        where
            declaration.sha256 is null
            or declaration.sha256 <> encode(sha256(convert_to(declaration.content, 'UTF8')), 'hex')
        union all
        select listed.disclosure_id, 6, 'the row is gone, the list of its people is there'
        from listed
        left join chain on listed.disclosure_id = chain.disclosure_id
        where chain.disclosure_id is null
        union all
        select told.disclosure_id, 7, 'the row is gone, its manifest is there'
        from told
        left join chain on told.disclosure_id = chain.disclosure_id
        where chain.disclosure_id is null
        union all
        select told.disclosure_id, 8, 'the row is not the one that its manifest tells of'
        from told
        inner join chain on told.disclosure_id = chain.disclosure_id
        where told.hash <> chain.hash
    )

    select disclosure_id, what from fault order by disclosure_id, turn limit 1
"""
