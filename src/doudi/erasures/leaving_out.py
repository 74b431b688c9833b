"""A delivery for a day up to an erasure leaves the erased out, however often and from wherever it comes.

Their own rows are refused, by the rule ``erased`` and without their text; where the record of somebody else names them
as head or guardian, the name and the ID are left empty and the record is taken in. Where a text of it holds the ID,
such as a household's number, the same takes its place as when they were erased. A delivery for a later day is taken in
whole, since whoever applies again must be covered, and the ledger notes that it names somebody who was erased.
"""

from collections.abc import Iterable
from datetime import date

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from doudi.contracts import Contract
from doudi.erasures import refused_rows
from doudi.erasures.record import Known, id_hash, known, stand_in
from doudi.identity import people
from doudi.settings import Settings
from doudi.typed_rows import RowTyping

RULE = "erased"
NAMED_AGAIN = "named_again"  # of ops.load.notes: how many erased people a later delivery names
_FIRST = -1  # before all other faults of a row, so that it is the one by which the row is refused
# A record without whom it named is not known by the text of its row any more: a later list that says the same is read.
ANOTHER_TEXT = "_row_hash = md5(_row_hash::text || ' erased')::uuid"


def leave_out(connection: psycopg.Connection, *, typing: RowTyping, settings: Settings) -> None:
    """Refuse the rows of the erased, and empty where others' rows name them; commits. Nothing where nobody is.

    A row that was known by its text is nobody's who was erased: their records are gone, and those that named them are
    not known by it any more.
    """
    erased = known(connection, settings=settings)
    if erased is None:
        return
    named = _named(connection, typing, erased)
    left_out = [citizen_id for citizen_id, day in named.items() if typing.data_date <= day]
    if left_out:
        for person in people(typing.contract):
            if person["is_own"]:
                theirs = f"select _row_no from {typing.tables.typed} where {person['column']} = any(%(ids)s)"
                typing.refuse(theirs, {"ids": left_out}, column=person["column"], rule=RULE, position=_FIRST)
            else:
                _empty(connection, typing, [person["column"], person["name_column"]], left_out)
    for column in typing.contract.columns:
        if column.type == "text":
            _replace(connection, typing, column.name, erased)
    if again := len(named) - len(left_out):
        connection.execute(
            "update ops.load set notes = notes || %s where load_id = %s",
            (Jsonb({NAMED_AGAIN: again}), typing.tables.load_id),
        )
    connection.commit()


def clean_refused(connection: psycopg.Connection, *, load_id: int, contract: Contract, settings: Settings) -> int:
    """Take the erased out of what is kept of a load's refused rows, in the caller's transaction.

    Returns how many of these were refused for nothing else than that they are an erased person's.
    """
    erased = known(connection, settings=settings)
    if erased is None:
        return 0
    ((day,),) = connection.execute("select data_date from ops.load where load_id = %s", (load_id,)).fetchall()
    refused_rows.clean(
        connection,
        load_id,
        is_erased=lambda ids: {each: until for each, until in erased.among(ids).items() if day <= until},
        key=erased.key,
        contracts={contract.name: contract},
        contracts_folder=settings.contracts,
    )
    return connection.execute(
        """
        update ops.quarantine
        set raw = '{}', status = 'discarded', discard_reason = %(rule)s, discarded_by = current_user,
            discarded_at = now()
        where load_id = %(load)s and rule = %(rule)s
        """,
        {"load": load_id, "rule": RULE},
    ).rowcount


def _named(connection: psycopg.Connection, typing: RowTyping, erased: Known) -> dict[str, date]:
    """The erased whom a typed row names, each with the day up to which they are left out."""
    columns = [person["column"] for person in people(typing.contract)]
    if not columns:
        return {}
    each = " union ".join(
        f"select {column} from {typing.tables.typed} where {column} is not null" for column in columns
    )
    return _among(connection, each, erased)


def _among(connection: psycopg.Connection, query: str, erased: Known) -> dict[str, date]:
    with connection.cursor(name="named") as cursor:
        cursor.itersize = 50_000
        return erased.among(citizen_id for (citizen_id,) in cursor.execute(query))


def _empty(
    connection: psycopg.Connection, typing: RowTyping, columns: Iterable[str | None], citizen_ids: Iterable[str]
) -> None:
    names = [name for name in columns if name]
    emptied = connection.execute(
        f"""
        update {typing.tables.typed} set {", ".join(f"{name} = null" for name in names)}, {ANOTHER_TEXT}
        where {names[0]} = any(%s)
        """,
        (list(citizen_ids),),
    ).rowcount
    if emptied:
        let_be_empty(connection, typing.contract, names)


def _replace(connection: psycopg.Connection, typing: RowTyping, column: str, erased: Known) -> None:
    typed = typing.tables.typed
    held = f"""
        select distinct upper(written[1])
        from {typed} cross join lateral regexp_matches({column}, '[0-9]{{17}}[0-9Xx]', 'g') as written
        where octet_length({column}) >= 18
    """
    for citizen_id, day in _among(connection, held, erased).items():
        if typing.data_date <= day:
            connection.execute(
                f"""
                update {typed} set {column} = regexp_replace({column}, %(id)s, %(other)s, 'gi'), {ANOTHER_TEXT}
                where strpos(upper({column}), %(id)s) > 0
                """,
                {"id": citizen_id, "other": stand_in(id_hash(citizen_id, erased.key))},
            )


def let_be_empty(connection: psycopg.Connection, contract: Contract, columns: Iterable[str]) -> None:
    """Let a register's columns be empty although the contract requires them, which is asked of deliveries only."""
    for (column,) in connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnotnull and attname = any(%s)",
        (f"register.{contract.name}", list(columns)),
    ).fetchall():
        connection.execute(
            sql.SQL("alter table {} alter column {} drop not null").format(
                sql.Identifier("register", contract.name), sql.Identifier(column)
            )
        )
