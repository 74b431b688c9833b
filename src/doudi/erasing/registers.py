"""What registers hold of somebody: their own records, and their name and ID in the records of others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from doudi.contracts import Contract
from doudi.erasures.leaving_out import ANOTHER_TEXT, let_be_empty
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


def forget_texts(
    connection: psycopg.Connection, feed: str, which: sql.Composable, values: Mapping[str, object]
) -> None:
    """Forget in which other words lists said what is about to be removed or altered."""
    query = sql.SQL("delete from {} where known_as in (select _row_hash from {} where {})").format(
        sql.Identifier("other_text", feed), sql.Identifier("register", feed), which
    )
    connection.execute(query, values)


def remove_own(connection: psycopg.Connection, contract: Contract, citizen_ids: Sequence[str]) -> int:
    """Remove all versions of their own records; returns how many."""
    own = [person["column"] for person in people(contract) if person["is_own"]]
    if not own:
        return 0
    condition, values = " or ".join(f"{column} = any(%(ids)s)" for column in own), {"ids": list(citizen_ids)}
    forget_texts(connection, contract.name, sql.SQL(condition), values)
    return connection.execute(f"delete from register.{contract.name} where {condition}", values).rowcount


def empty_mentions(connection: psycopg.Connection, contract: Contract, citizen_ids: Sequence[str]) -> int:
    """Empty where the records of others name them as head or guardian; returns in how many versions."""
    emptied = 0
    for person in people(contract):
        if person["is_own"]:
            continue
        names = [name for name in (person["column"], person["name_column"]) if name]
        condition, values = f"{person['column']} = any(%(ids)s)", {"ids": list(citizen_ids)}
        query = f"select exists (select 1 from register.{contract.name} where {condition})"
        (there,) = connection.execute(query, values).fetchone()
        if there:
            forget_texts(connection, contract.name, sql.SQL(condition), values)
            let_be_empty(connection, contract, names)
            emptied += connection.execute(
                f"""
                update register.{contract.name}
                set {", ".join(f"{name} = null" for name in names)}, {ANOTHER_TEXT}
                where {condition}
                """,
                values,
            ).rowcount
    return emptied


def remove_visits(connection: psycopg.Connection, warning_ids: Sequence[str]) -> int:
    """Remove what visits said that answered for nothing but these warnings; returns how many versions."""
    if not warning_ids:
        return 0
    query = f"delete from register.{VISITS} where ops.warning_ids(warning_id) <@ %s::text[]"
    return connection.execute(query, (list(warning_ids),)).rowcount
