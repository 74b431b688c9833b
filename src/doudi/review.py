"""The review list at work: proposals accepted, rejected and taken back.

Accepting a proposal about a refused row replays the row with that ID, as a load of its own. Accepting a pair has the
next build count both IDs as one person. What was decided stays on record, whatever is decided later.
"""

import getpass
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

import psycopg

from doudi import ledger
from doudi.contracts import Contract, load_contracts
from doudi.identity import ReviewError, decisions
from doudi.identity.columns import record_numbers
from doudi.identity.decisions import Proposal
from doudi.identity.unusable import read_unusable
from doudi.intake import Progress
from doudi.ledger import LoadResult
from doudi.loads import session
from doudi.quarantine.numbers import RowNumber
from doudi.returns import replay_corrected
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url
from doudi.withdrawing import WithdrawalError, withdraw


def listing(*, settings: Settings, state: str | None = "open", kind: str | None = None) -> list[Proposal]:
    """The proposals in a ``state`` (None for all) and of a ``kind`` (row or pair, None for both), the surest first."""
    with connect(warehouse_url(settings), step="review list", role="owner") as connection:
        found = decisions.proposals(connection)
    return [each for each in found if state in (None, each.state) and kind in (None, each.kind)]


def show(review_no: int, *, settings: Settings) -> tuple[Proposal, list[tuple[str, str, datetime, str]]]:
    """One proposal, and what was decided about it: decision, who, when and why, the first first.

    Raises ReviewError where there is none.
    """
    with connect(warehouse_url(settings), step="review show", role="owner") as connection:
        proposal = decisions.find(connection, review_no)
        return proposal, decisions.history(connection, proposal)


def accept(
    review_nos: Sequence[int],
    *,
    settings: Settings,
    reason: str,
    keep_other: bool = False,
    progress: Progress = lambda line: None,
) -> list[LoadResult]:
    """Accept proposals; returns the loads that took rows in again, one for each row.

    Proposals about several columns of one row are taken in together. ``keep_other`` keeps the other ID of a pair.

    Raises ReviewError where one is not open, two differ about the same column, or its delivery holds the record
    already; QuarantineError where the row is not open any more.
    """
    with connect(warehouse_url(settings), step="review accept", role="owner") as connection:
        chosen = [decisions.find(connection, review_no) for review_no in dict.fromkeys(review_nos)]
        decisions.refuse_out_of_turn(chosen, "accept")
        _refuse_two_answers(chosen)
        pairs = [each.turned() if keep_other else each for each in chosen if each.kind == "pair"]
        decisions.record(connection, pairs, "accept", reason=reason)
        decisions.rejoin(connection)
    rows = sorted((each for each in chosen if each.kind == "row"), key=_row)
    return [
        _accept_row(list(columns), number=number, settings=settings, reason=reason, progress=progress)
        for number, columns in groupby(rows, key=_row)
    ]


def _row(proposal: Proposal) -> RowNumber:
    return RowNumber(proposal.load_id, proposal.row_no)


def _refuse_two_answers(chosen: Sequence[Proposal]) -> None:
    columns = [(each.load_id, each.row_no, each.column_name) for each in chosen if each.kind == "row"]
    if len(columns) > len(set(columns)):
        raise ReviewError("two of the proposals answer the same question: accept one of them")


def _accept_row(
    proposals: list[Proposal], *, number: RowNumber, settings: Settings, reason: str, progress: Progress
) -> LoadResult:
    """Replay the row with the IDs proposed. The decision is on record before the row is taken in."""
    corrections = {each.column_name: each.citizen_id for each in proposals}
    contract = load_contracts(settings.contracts)[proposals[0].feed]
    with connect(warehouse_url(settings), step="review accept", role="owner") as connection:
        _refuse_not_open(connection, number)
        _refuse_record_held(connection, contract=contract, number=number, corrections=corrections, settings=settings)
        decisions.record(connection, proposals, "accept", reason=reason)
    return replay_corrected(number, corrections, settings=settings, progress=progress)


def _refuse_not_open(connection: psycopg.Connection, number: RowNumber) -> None:
    open_row = connection.execute(
        """
        select from ops.quarantine
        where load_id = %s and row_no = %s and status = 'open' and replay_load_id is null
        """,
        number,
    ).fetchone()
    if open_row is None:
        raise ReviewError(f"{number} is not open any more: see doudi quarantine show {number.load_id}")


def _refuse_record_held(
    connection: psycopg.Connection,
    *,
    contract: Contract,
    number: RowNumber,
    corrections: Mapping[str, str],
    settings: Settings,
) -> None:
    """The row would take the place of what the same day's list says of the record, and could not be taken back."""
    _read_unusable(connection, settings=settings, load_ids=[number.load_id])
    same = [f"held.{each.name} = (row.record ->> '{each.name}')::{each.physical_type}"
            for each in record_numbers(contract)]  # fmt: skip
    same += [
        f"held.{each.name} = coalesce(%({each.name})s, ops.citizen_id(row.sent ->> '{each.name}'))"
        for each in contract.key
        if each.type == "id"
    ]
    values = {each.name: corrections.get(each.name) for each in contract.key}
    held = connection.execute(
        f"""
        select from unusable as row
        inner join register.{contract.name} as held
            on held._county_code = row.county_code and held._valid_from = row.data_date and {" and ".join(same)}
        where row.load_id = %(load)s and row.row_no = %(row)s
        limit 1
        """,
        values | {"load": number.load_id, "row": number.row_no},
    ).fetchone()
    if held is not None:
        raise ReviewError(f"{number}: its delivery says something else of the same record: have the sender correct it")


def reject(review_no: int, *, settings: Settings, reason: str) -> None:
    """Say no to a proposal. Raises ReviewError where it is not open."""
    with connect(warehouse_url(settings), step="review reject", role="owner") as connection:
        decisions.record(connection, [decisions.find(connection, review_no)], "reject", reason=reason)


def undo(review_no: int, *, settings: Settings, reason: str) -> None:
    """Take a decision back. The proposal is open again; a row that was replayed is withdrawn and open again, with all
    its columns; a pair is two people again from the next build on.

    Raises ReviewError where there is nothing to take back, or a later list has said the same as the row since.
    """
    with connect(warehouse_url(settings), step="review undo", role="owner") as connection:
        proposal = decisions.find(connection, review_no)
    if proposal.state == "accepted" and proposal.kind == "row":
        _undo_row(proposal, settings=settings, reason=reason)
        return
    with connect(warehouse_url(settings), step="review undo", role="owner") as connection:
        decisions.record(connection, [proposal], "undo", reason=reason)
        decisions.rejoin(connection)


def _undo_row(proposal: Proposal, *, settings: Settings, reason: str) -> None:
    contract = load_contracts(settings.contracts)[proposal.feed]
    number = _row(proposal)
    with session(settings, contract.name) as (connection, _):
        accepted = decisions.accepted_of_row(connection, load_id=number.load_id, row_no=number.row_no)
        decisions.record(connection, accepted, "undo", reason=reason)
        replay, text_is_gone = connection.execute(
            """
            select replay_load_id, values_removed_at is not null
            from ops.quarantine where load_id = %s and row_no = %s
            """,
            number,
        ).fetchone()
        if text_is_gone:
            raise ReviewError(f"{number} cannot be opened again: its text was removed, past its time in retention.yml")
        if replay is None:  # the acceptance was cut off before the row was taken in
            return
        result = ledger.read(connection, replay)
        if result.status not in ledger.FINAL:
            raise ReviewError(f"load {replay} that replays {number} is not finished")
        if (result.rows_read or 0) > 1:
            raise ReviewError(f"{number} was taken in with others by load {replay}: have the sender correct it")
        _refuse_replayed_again(connection, replay)
        try:
            withdraw(
                connection, contract=contract, load_id=replay,
                refused_again=_refused_again(connection, number, proposal.column_name, contract, settings),
            )  # fmt: skip
        except WithdrawalError as error:
            raise ReviewError(str(error)) from None
        connection.execute(
            """update ops.load set notes = notes || '{"withdrawn": true}' where load_id = %s""", (replay,)
        )
        connection.execute(
            """
            update ops.quarantine
            set status = 'discarded', discard_reason = %s, discarded_by = %s, discarded_at = now()
            where load_id = %s and status = 'open'
            """,
            (f"withdrawn: {number} is open again", getpass.getuser(), replay),
        )
        connection.execute(
            "update ops.quarantine set status = 'open', replay_load_id = null where load_id = %s and row_no = %s",
            number,
        )


def _refuse_replayed_again(connection: psycopg.Connection, replay: int) -> None:
    again = connection.execute(
        "select replay_load_id from ops.quarantine where load_id = %s and status = 'replayed'", (replay,)
    ).fetchone()
    if again:
        raise ReviewError(f"load {replay} refused the row for another reason, and load {again[0]} took it in since")


def _refused_again(
    connection: psycopg.Connection, number: RowNumber, column: str, contract: Contract, settings: Settings
) -> list[int]:
    """The later lists in which a row about the same record was refused for its ID as well, and is not accepted."""
    later = connection.execute(
        """
        select later.load_id
        from ops.load as this
        inner join ops.load as later
            on later.feed = this.feed and later.status = 'published' and later.data_date > this.data_date
            and later.rows_quarantined > 0
        where this.load_id = %s
        """,
        (number.load_id,),
    ).fetchall()
    _read_unusable(connection, settings=settings, load_ids=[number.load_id, *(load_id for (load_id,) in later)])
    found = connection.execute(
        """
        select other.load_id
        from unusable as this
        inner join unusable as other
            on (other.column_name, other.county_code, other.name, other.record)
            is not distinct from (this.column_name, this.county_code, this.name, this.record)
        where
            this.load_id = %s and this.row_no = %s and this.column_name = %s
            and other.load_id <> this.load_id and other.status <> 'replayed'
        """,
        (*number, column),
    ).fetchall()
    return [load_id for (load_id,) in found]


def _read_unusable(connection: psycopg.Connection, *, settings: Settings, load_ids: list[int]) -> None:
    contracts = load_contracts(settings.contracts)
    read_unusable(connection, contracts=contracts, contracts_folder=settings.contracts, load_ids=load_ids)
