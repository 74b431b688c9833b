"""What people decided about proposals: only ever added to, and the joins that follow from it."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from doudi.identity.numbers import ReviewError

Decision = Literal["accept", "reject", "undo"]
STATES = ("open", "accepted", "rejected")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A row of identity.review with the ``state`` that the last decision about it left.

    Of a ``row``, ``feed`` and ``file_name`` are those of the delivery that it was refused of, and ``citizen_id`` is
    whose it most likely is. Of a ``pair``, ``citizen_id`` is kept and ``other_id`` counts as it, once it is accepted as
    was decided.
    """

    review_no: int
    kind: Literal["row", "pair"]
    load_id: int | None
    row_no: int | None
    column_name: str | None
    citizen_id: str
    other_id: str | None
    county_code: str
    score: Decimal
    reasons: list[dict[str, Any]]
    feed: str | None
    file_name: str | None
    state: str

    def turned(self) -> "Proposal":
        """The same pair with the other ID kept."""
        return replace(self, citizen_id=self.other_id, other_id=self.citizen_id)


_PROPOSALS = """
    select
        review.review_no, review.kind, review.load_id, review.row_no, review.column_name,
        case last.decision when 'accept' then last.citizen_id else review.citizen_id end as citizen_id,
        case last.decision when 'accept' then last.other_id else review.other_id end as other_id,
        review.county_code, review.score, review.reasons, load.feed, load.file_name,
        case last.decision when 'accept' then 'accepted' when 'reject' then 'rejected' else 'open' end as state
    from identity.review as review
    left join ops.load as load using (load_id)
    left join lateral (
        select decision.decision, decision.citizen_id, decision.other_id
        from ops.identity_decision as decision
        where decision.subject = review.subject
        order by decision.decision_id desc
        limit 1
    ) as last on true
"""


def proposals(connection: psycopg.Connection) -> list[Proposal]:
    """All proposals, the surest first."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(f"{_PROPOSALS} order by review.score desc, review.review_no").fetchall()


def find(connection: psycopg.Connection, review_no: int) -> Proposal:
    """The proposal of that number. Raises ReviewError where there is none."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        found = cursor.execute(f"{_PROPOSALS} where review.review_no = %s", (review_no,)).fetchone()
    if found is None:
        raise ReviewError(f"there is no proposal {review_no}")
    return found


def history(connection: psycopg.Connection, proposal: Proposal) -> list[tuple[str, str, datetime, str]]:
    """What was decided about a proposal, the first first: decision, by whom, when and why."""
    return connection.execute(
        """
        select decision.decision, decision.decided_by, decision.decided_at, decision.reason
        from identity.review as review
        inner join ops.identity_decision as decision using (subject)
        where review.review_no = %s
        order by decision.decision_id
        """,
        (proposal.review_no,),
    ).fetchall()


def accepted_of_row(connection: psycopg.Connection, *, load_id: int, row_no: int) -> list[Proposal]:
    """The accepted proposals about one refused row: one for each of its columns."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        found = cursor.execute(
            f"{_PROPOSALS} where review.load_id = %s and review.row_no = %s order by review.review_no",
            (load_id, row_no),
        ).fetchall()
    return [proposal for proposal in found if proposal.state == "accepted"]


def refuse_out_of_turn(proposals: Sequence[Proposal], decision: Decision) -> None:
    """Raise ReviewError where a decision does not follow from what was decided before."""
    for proposal in proposals:
        if (proposal.state == "open") == (decision == "undo"):
            raise ReviewError(f"proposal {proposal.review_no} is {proposal.state}")


def record(connection: psycopg.Connection, proposals: Sequence[Proposal], decision: Decision, *, reason: str) -> None:
    """Add a decision about each of ``proposals``. Runs in the caller's transaction.

    Raises ReviewError where no reason is given, or the decision does not follow from what was decided before.
    """
    if not reason.strip():
        raise ReviewError("a decision has a reason: --reason TEXT")
    refuse_out_of_turn(proposals, decision)
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.identity_decision (
                kind, load_id, row_no, column_name, citizen_id, other_id, decision, reason, score, reasons, decided_by
            )
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    *(each.kind, each.load_id, each.row_no, each.column_name, each.citizen_id, each.other_id),
                    *(decision, reason.strip(), each.score, Jsonb(each.reasons), getpass.getuser()),
                )
                for each in proposals
            ],
        )


def rejoin(connection: psycopg.Connection) -> None:
    """Make identity.joined_id anew from the pairs that are accepted. Runs in the caller's transaction.

    Where an ID that is kept in one pair counts as another's in a second, all count as the last: nobody has two.
    """
    connection.execute("lock table identity.joined_id in exclusive mode")
    pairs = connection.execute(
        """
        select citizen_id, other_id
        from (
            select distinct on (subject) *
            from ops.identity_decision
            where kind = 'pair'
            order by subject, decision_id desc
        ) as last
        where decision = 'accept'
        order by decision_id
        """
    ).fetchall()
    kept_for: dict[str, str] = {}

    def canonical(citizen_id: str) -> str:
        while citizen_id in kept_for:
            citizen_id = kept_for[citizen_id]
        return citizen_id

    for kept, other in pairs:
        if canonical(kept) != canonical(other):
            kept_for[canonical(other)] = canonical(kept)
    connection.execute("delete from identity.joined_id")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into identity.joined_id (citizen_id, canonical_id) values (%s, %s)",
            [(citizen_id, canonical(citizen_id)) for citizen_id in kept_for],
        )
