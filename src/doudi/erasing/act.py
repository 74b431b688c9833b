"""An erasure from the question whom to the last table: looked at first, then done and on record, and done again.

It waits until nobody takes in deliveries, builds or hands out, and keeps them waiting until it has ended. The record is
in the file before the transaction ends: what is cut off in between is found there and done (`again`).
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

import psycopg
from psycopg import sql

from doudi.contracts import load_contracts
from doudi.erasing.finding import by_hash
from doudi.erasing.removing import Person, Removed, remove
from doudi.erasures.record import Erasure, ErasureError, hash_key, in_file, keep_in_file, record, recorded
from doudi.extracts import ExtractError, about, asking
from doudi.extracts.ledger import RECIPIENT_LOCK, Consignment
from doudi.extracts.preparing import clear
from doudi.loads import FEED_LOCK
from doudi.settings import Settings
from doudi.transform.builds import lock as lock_builds
from doudi.warehouse.connection import connect, warehouse_url

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an erasure takes away, or took where it is ``done``, and what of ours it leaves: ``copies`` that were handed
    out and still lie in folders of ours."""

    erasure: Erasure
    copies: list[about.Copy]
    done: bool


def erase(
    written: str,
    *,
    settings: Settings,
    reason: str,
    by: str,
    really: bool,
    progress: Progress = lambda line: None,
) -> Outcome:
    """Take somebody out of the warehouse, or with ``really`` False do so and undo it, to tell what would go.

    ``written`` is a citizen ID in any form. Deliveries for ``settings.date_of_run()`` and before leave the person out
    from then on. Raises ErasureError where it is no ID, nothing is left of it to erase, a later delivery would bring it
    back, or the reason names it.
    """
    told = {"reason": reason.strip(), "by": by.strip()}
    if not all(told.values()):
        raise ErasureError("an erasure has a reason, and somebody who decided it: --reason TEXT --by NAME")
    with _alone(settings, progress) as connection:
        person = _person(connection, written, settings=settings)
        if any(form in text for form in (*person.stand_ins, written.strip()) for text in told.values()):
            raise ErasureError("the reason is kept: do not write the ID into it")
        wanted = Erasure(
            erasure_id=uuid4(),
            id_hashes=person.id_hashes,
            erased_on=settings.date_of_run(),
            erased_at=_now(connection),
            erased_by=told["by"],
            account_name=getpass.getuser(),
            reason=told["reason"],
            counts={},
            archived_load_ids=(),
            recipients=tuple(about.recipients(connection, person.person_ids)),
        )
        erasure, removed, withdrawn = _take_out(connection, person, wanted, settings=settings)
        _refuse_in_vain(connection, erasure)
        outcome = Outcome(erasure=erasure, copies=about.copies(connection, person.person_ids), done=really)
        if really:
            _keep(connection, erasure, removed, withdrawn, settings=settings)
        else:
            connection.rollback()
        return outcome


def again(*, settings: Settings, progress: Progress = lambda line: None) -> int:
    """Do the erasures that the file has and the database has not, as after a restore; returns how many.

    All that the database knows of these people is older than the erasure then, as long as nothing was taken in since.
    The database says of them that they were erased now: what was built of it before lacks what goes with them.
    """
    with _alone(settings, progress) as connection:
        missing = not_done(connection, settings)
        if not missing:
            return 0
        key = hash_key(connection, settings=settings)
        contracts = load_contracts(settings.contracts)
        hashes = {hashed for erasure in missing for hashed in erasure.id_hashes}
        found = by_hash(connection, hashes, key=key, contracts=contracts.values())
        connection.commit()
        for erasure in missing:
            ids = tuple(found[hashed] for hashed in erasure.id_hashes if hashed in found)
            if ids:
                person = Person(citizen_ids=ids, person_ids=tuple(asking.person_id(each, key) for each in ids), key=key)
                wanted = replace(erasure, erased_at=_now(connection))
                _keep(connection, *_take_out(connection, person, wanted, settings=settings), settings=settings)
            else:
                record(connection, erasure)
                connection.commit()
            progress(f"erased again: {erasure.erasure_id}")
    return len(missing)


def not_done(connection: psycopg.Connection, settings: Settings) -> list[Erasure]:
    """The erasures that the file has and the database has not, the oldest first."""
    there = {erasure.erasure_id for erasure in recorded(connection)}
    return [erasure for erasure in in_file(settings.erasures) if erasure.erasure_id not in there]


def _person(connection: psycopg.Connection, written: str, *, settings: Settings) -> Person:
    try:
        ids = tuple(asking.citizen_ids(connection, written))
    except ExtractError:
        raise ErasureError("that is no citizen ID of 18 or 15 characters") from None
    key = hash_key(connection, settings=settings)
    return Person(citizen_ids=ids, person_ids=tuple(asking.person_id(each, key) for each in ids), key=key)


def _now(connection: psycopg.Connection) -> datetime:
    return connection.execute("select clock_timestamp()").fetchone()[0]  # the server's, as builds are timed by


def _take_out(
    connection: psycopg.Connection, person: Person, erasure: Erasure, *, settings: Settings
) -> tuple[Erasure, Removed, list[Consignment]]:
    """The erasure with what it takes away, in a transaction that is still open."""
    removed = remove(connection, person, contracts=load_contracts(settings.contracts), settings=settings)
    withdrawn = about.withdraw(connection, person.person_ids, keys=removed.warning_ids)
    counts = removed.counts | ({"extracts not yet delivered": len(withdrawn)} if withdrawn else {})
    return replace(erasure, counts=counts, archived_load_ids=removed.load_ids), removed, withdrawn


def _keep(
    connection: psycopg.Connection,
    erasure: Erasure,
    removed: Removed,
    withdrawn: list[Consignment],
    *,
    settings: Settings,
) -> None:
    keep_in_file(settings.erasures, [*recorded(connection), erasure])
    record(connection, erasure)
    connection.commit()
    for consignment in withdrawn:
        clear(consignment, settings=settings)
    _forget_what_was_there(connection, removed)


def _refuse_in_vain(connection: psycopg.Connection, erasure: Erasure) -> None:
    """Raise ErasureError where there is nothing to erase, or the next delivery of what there is would bring it back."""
    if not erasure.counts:
        hashes = set(erasure.id_hashes)
        earlier = [each for each in recorded(connection) if hashes <= set(each.id_hashes)]
        if any(each.erased_on >= erasure.erased_on for each in earlier):
            raise ErasureError("that ID was erased already, and nothing in this warehouse is about it")
        if not erasure.recipients:
            raise ErasureError("nothing in this warehouse is about that ID")
    (latest,) = connection.execute(
        "select max(data_date) from ops.load where load_id = any(%s)", (list(erasure.archived_load_ids),)
    ).fetchone()
    if latest and latest > erasure.erased_on:
        raise ErasureError(f"a delivery for {latest} names the person and would bring them back: no --as-of before it")


def _forget_what_was_there(connection: psycopg.Connection, removed: Removed) -> None:
    """Rows that were removed lie in their tables until these are vacuumed, and samples of values until analysed."""
    connection.autocommit = True
    for table in removed.tables:
        schema, _, name = table.partition(".")
        if connection.execute("select to_regclass(%s)", (table,)).fetchone() != (None,):
            connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(schema, name)))
    # Empty between the nights, and an empty table keeps the sample of when it was not: this makes it forget.
    connection.execute("vacuum ops.touched_person")
    connection.execute("alter table ops.touched_person alter column citizen_id type text")
    connection.autocommit = False


@contextmanager
def _alone(settings: Settings, progress: Progress) -> Iterator[psycopg.Connection]:
    """A connection as the owner, while no other process takes in, hands out or builds: they wait, as this one does."""
    with connect(warehouse_url(settings), step="erase", role="owner") as connection:
        for feed in load_contracts(settings.contracts):
            _wait(connection, FEED_LOCK, feed, progress, "is being taken in")
        for declaration in sorted(settings.extracts.glob("*.yml")):  # called by their recipients; one may be wrong
            _wait(connection, RECIPIENT_LOCK, declaration.stem, progress, "is being served")
        lock_builds(connection, progress)
        connection.commit()
        yield connection


def _wait(connection: psycopg.Connection, lock: str, name: str, progress: Progress, busy: str) -> None:
    (free,) = connection.execute(f"select pg_try_advisory_lock({lock})", (name,)).fetchone()
    if not free:
        progress(f"{name} {busy}; waiting for it to end")
        connection.execute(f"select pg_advisory_lock({lock})", (name,))
