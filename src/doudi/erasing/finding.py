"""Whose hash it is: every citizen ID that the warehouse holds is hashed, which only who has the key can do."""

from collections.abc import Collection, Iterable

import psycopg

from doudi.contracts import Contract
from doudi.erasures import refused_rows
from doudi.erasures.record import id_hash

_HELD = """
    select citizen_id from identity.joined_id
    union select canonical_id from identity.joined_id
    union select citizen_id from ops.identity_decision
    union select other_id from ops.identity_decision
    union select citizen_id from ops.touched_person
"""


def by_hash(
    connection: psycopg.Connection, hashes: Collection[str], *, key: str, contracts: Iterable[Contract]
) -> dict[str, str]:
    """The citizen ID behind each of ``hashes`` that is one of somebody whom the warehouse knows."""
    queries = [
        f"select distinct {column.name} from register.{contract.name}"
        for contract in contracts
        for column in contract.columns
        if column.type == "id"
    ]
    if connection.execute("select to_regclass('identity.person')").fetchone() != (None,):
        queries.append("select citizen_id from identity.person")
    found: dict[str, str] = {}
    for load_id in refused_rows.loads_with_text(connection):
        found |= _among(refused_rows.ids_in(connection, load_id), hashes, key)
    for query in (_HELD, *queries):
        with connection.cursor(name="held") as cursor:
            cursor.itersize = 50_000
            found |= _among((citizen_id for (citizen_id,) in cursor.execute(query)), hashes, key)
    return found


def _among(citizen_ids: Iterable[str | None], hashes: Collection[str], key: str) -> dict[str, str]:
    hashed = ((id_hash(each, key), each) for each in citizen_ids if each)
    return {digest: citizen_id for digest, citizen_id in hashed if digest in hashes}
