"""Withdrawing: what one replayed row did to its register is taken back, so that the register is as without it.

A replayed row leaves one version, true from its delivery's day on, and cuts off what stood before it. Without it what
stood before would have gone on, since a refused row never ends its record. A later list that the version outlived
either said the same of the record, and then it is the sender's word by now and stays; or had a refused row about it.
"""

from collections.abc import Collection

import psycopg

from doudi.contracts import Contract
from doudi.publishing import join_equal_neighbours


class WithdrawalError(Exception):
    """A row cannot be withdrawn; the message says why in one line, without values of rows."""


def withdraw(
    connection: psycopg.Connection, *, contract: Contract, load_id: int, refused_again: Collection[int]
) -> None:
    """Take the row that load ``load_id`` replayed out of its register again. Runs in the caller's transaction.

    ``refused_again`` are the loads in which a row about the same record was refused as well, and still is.

    Raises WithdrawalError where a later list has said the same of the record since, or the row's version has become
    one with another's.
    """
    (changed,) = connection.execute(
        "select coalesce(rows_published, 0) from ops.load where load_id = %s", (load_id,)
    ).fetchone()
    if not changed:
        return
    (versions,) = connection.execute(
        f"select count(*) from register.{contract.name} where _load_id = %s", (load_id,)
    ).fetchone()
    if versions != 1:
        raise WithdrawalError(
            "the register has taken the row's version together with another, or replaced it: have the sender correct it"
        )
    if contract.mode == "snapshot":
        _refuse_what_was_said_again(connection, contract, load_id, refused_again)
    key = ["_county_code", *(column.name for column in contract.key)]
    register = f"register.{contract.name}"
    connection.execute("drop table if exists change")
    connection.execute(
        f"create temporary table change on commit drop as select {', '.join(key)} from {register} where _load_id = %s",
        (load_id,),
    )
    same_record = " and ".join(f"before.{name} = gone.{name}" for name in key)
    connection.execute(
        f"""
        with gone as (delete from {register} where _load_id = %s returning *)

        update {register} as before
        set _valid_to = gone._valid_to
        from gone
        where {same_record} and before._valid_to = gone._valid_from {_was_kept(contract)}
        """,
        (load_id,),
    )
    join_equal_neighbours(connection, contract)


def _refuse_what_was_said_again(
    connection: psycopg.Connection, contract: Contract, load_id: int, refused_again: Collection[int]
) -> None:
    later = connection.execute(
        f"""
        select later.load_id, later.data_date
        from register.{contract.name} as version
        inner join ops.load as later
            on starts_with(version._area_code, later.area_code)
            and later.data_date > version._valid_from and later.data_date < version._valid_to
        where
            version._load_id = %s and later.feed = %s and later.status = 'published'
            and later.replays_load_id is null and later.load_id <> all(%s)
        order by later.data_date
        limit 1
        """,
        (load_id, contract.name, list(refused_again)),
    ).fetchone()
    if later:
        raise WithdrawalError(
            f"load {later[0]}, the list of {later[1]}, has said the same of the record since, or a row of it was"
            " accepted too: undo that first, or have the sender correct it"
        )


def _was_kept(contract: Contract) -> str:
    """What tells that the record stood until the row came: of a list it did where the refused row could name it.

    Where an ID is part of the key, the refused row named its record by the person's name.
    """
    named = next((name for name in ("name", "head_name") if contract.has(name)), None)
    by_name = contract.mode == "snapshot" and named and any(column.type == "id" for column in contract.key)
    return f"and before.{named} = gone.{named}" if by_name else ""
