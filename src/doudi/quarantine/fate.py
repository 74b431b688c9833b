"""What becomes of refused rows: claimed by a load that replays them, replayed when it ends, or discarded."""

import getpass
from collections.abc import Sequence

import psycopg

from doudi.ledger import FINAL
from doudi.quarantine.numbers import QuarantineError, RowNumber


def claim(connection: psycopg.Connection, *, load_id: int, row_nos: Sequence[int], replay_load_id: int) -> None:
    """Note which open rows a load takes in again; they stay open until it ends. Runs in the caller's transaction."""
    connection.execute(
        """
        update ops.quarantine set replay_load_id = %s where load_id = %s and row_no = any(%s) and status = 'open'
        """,
        (replay_load_id, load_id, list(row_nos)),
    )


def settle(connection: psycopg.Connection, replay_load_id: int) -> None:
    """Mark the rows that a load took in again as replayed; nothing where it is a delivery of its own.

    Runs in the transaction in which the load is published, so that no cut leaves a row both open and published.
    """
    connection.execute(
        "update ops.quarantine set status = 'replayed' where replay_load_id = %s and status = 'open'", (replay_load_id,)
    )


def unfinished_replays(connection: psycopg.Connection, load_id: int) -> list[int]:
    """The loads that were begun to replay rows of ``load_id`` and have neither been published nor refused."""
    rows = connection.execute(
        "select load_id from ops.load where replays_load_id = %s and status <> all(%s) order by load_id",
        (load_id, list(FINAL)),
    ).fetchall()
    return [found for (found,) in rows]


def discard(connection: psycopg.Connection, *, load_id: int, row_nos: Sequence[int] | None, reason: str) -> int:
    """Give up open rows, all of the delivery where ``row_nos`` is None; returns how many.

    Raises QuarantineError where no reason is given, a row named is not open, or a replay of it is not finished.
    """
    if not reason.strip():
        raise QuarantineError("a row is discarded for a reason: --reason TEXT")
    if begun := unfinished_replays(connection, load_id):
        raise QuarantineError(f"rows of load {load_id} are being replayed by load {begun[0]}, which is not finished")
    discarded = connection.execute(
        """
        update ops.quarantine
        set status = 'discarded', discard_reason = %(reason)s, discarded_by = %(who)s, discarded_at = now()
        where load_id = %(load)s and status = 'open' and (%(rows)s::bigint[] is null or row_no = any(%(rows)s))
        returning row_no
        """,
        {"reason": reason.strip(), "who": getpass.getuser(), "load": load_id, "rows": row_nos and list(row_nos)},
    ).fetchall()
    if missing := sorted(set(row_nos or ()) - {row_no for (row_no,) in discarded}):
        raise QuarantineError(f"not open: {', '.join(str(RowNumber(load_id, row_no)) for row_no in missing)}")
    if not discarded:
        raise QuarantineError(f"load {load_id} has no open rows")
    return len(discarded)
