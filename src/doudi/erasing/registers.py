"""What registers hold of somebody: their own records, and their name and ID in the records of others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg

from doudi.contracts import Contract
from doudi.erasures.leaving_out import let_be_empty
from doudi.identity import people

VISITS = "household_visit"


@dataclass(frozen=True, kw_only=True)
class Held:
    """``rows`` are the origins of their own records as ``<feed> <load_id> <row_no>``; ``load_ids`` the deliveries
    whose files have lines that name them."""

    rows: tuple[str, ...]
    load_ids: frozenset[int]


def held(connection: psycopg.Connection, contracts: Iterable[Contract], citizen_ids: Sequence[str]) -> Held:
    """What is there, before anything is removed.

    A record that did not change has one row for many lists: all of its area between its first day and its end have it.
    """
    rows: set[str] = set()
    load_ids: set[int] = set()
    for contract in contracts:
        for person in people(contract):
            versions = connection.execute(
                f"""
                select _load_id, _row_no, _area_code, _valid_from::text, _valid_to::text
                from register.{contract.name} where {person["column"]} = any(%s)
                """,
                (list(citizen_ids),),
            ).fetchall()
            if person["is_own"]:
                rows |= {f"{contract.name} {load_id} {row_no}" for load_id, row_no, *_ in versions}
            load_ids |= _deliveries(connection, contract, versions)
    return Held(rows=tuple(sorted(rows)), load_ids=frozenset(load_ids))


def _deliveries(connection: psycopg.Connection, contract: Contract, versions: list[tuple]) -> set[int]:
    loads, _, areas, first, last = zip(*versions, strict=True) if versions else ((),) * 5
    found = connection.execute(
        """
        select load.load_id
        from ops.load as load
        inner join unnest(%s::bigint[], %s::text[], %s::date[], %s::date[]) as version (load_id, area, first, last)
            on load.load_id = version.load_id
            or load.status = 'published' and load.mode = 'snapshot' and starts_with(version.area, load.area_code)
            and load.data_date >= version.first and load.data_date < version.last
        where load.feed = %s
        """,
        (list(loads), list(areas), list(first), list(last), contract.name),
    )
    return {load_id for (load_id,) in found}


def remove_own(connection: psycopg.Connection, contract: Contract, citizen_ids: Sequence[str]) -> int:
    """Remove all versions of their own records; returns how many."""
    own = [person["column"] for person in people(contract) if person["is_own"]]
    if not own:
        return 0
    condition = " or ".join(f"{column} = any(%(ids)s)" for column in own)
    query = f"delete from register.{contract.name} where {condition}"
    return connection.execute(query, {"ids": list(citizen_ids)}).rowcount


def empty_mentions(connection: psycopg.Connection, contract: Contract, citizen_ids: Sequence[str]) -> int:
    """Empty where the records of others name them as head or guardian; returns in how many versions.

    These records are then known by another text: a later list that names the person again is read, and says so again.
    """
    emptied = 0
    for person in people(contract):
        if person["is_own"]:
            continue
        names = [name for name in (person["column"], person["name_column"]) if name]
        condition = f"where {person['column']} = any(%s)"
        query = f"select exists (select from register.{contract.name} {condition})"
        (there,) = connection.execute(query, (list(citizen_ids),)).fetchone()
        if there:
            let_be_empty(connection, contract, names)
            emptied += connection.execute(
                f"""
                update register.{contract.name}
                set {", ".join(f"{name} = null" for name in names)}, {another_text()}
                {condition}
                """,
                (list(citizen_ids),),
            ).rowcount
    return emptied


def another_text() -> str:
    """An assignment by which a version is no longer known by the text of the row that it came from."""
    return "_row_hash = md5(_row_hash::text || ' erased')::uuid"


def remove_visits(connection: psycopg.Connection, warning_ids: Sequence[str]) -> int:
    """Remove what visits said that answered for nothing but these warnings; returns how many versions."""
    if not warning_ids:
        return 0
    query = f"delete from register.{VISITS} where ops.warning_ids(warning_id) <@ %s::text[]"
    return connection.execute(query, (list(warning_ids),)).rowcount
