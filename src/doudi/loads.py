"""Taking deliveries in: fetch, archive, land, check, publish, each step on the ledger.

A delivery ends as published, superseded or refused, and is then done with; one that failed for what may pass (a lost
connection, a full disk) is taken up again. One bad delivery never keeps the next from being taken in.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from doudi import deliveries, ledger
from doudi.contracts import Contract, load_contracts
from doudi.deliveries import Delivery
from doudi.intake import Intake, Progress
from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url


def take_in(feed: str, *, settings: Settings, progress: Progress = lambda line: None) -> list[LoadResult]:
    """Take in every delivery of ``feed`` that the ledger is not done with, the oldest data date first.

    Raises WarehouseError or OSError for what may pass, after the other deliveries have been taken in.
    """
    contract = load_contracts(settings.contracts)[feed]
    own, _ = deliveries.in_folder(settings.inbox, feeds=[feed])
    with _session(settings, feed) as (connection, url):
        known = ledger.seen(connection, own)
        for delivery in own:
            if delivery.path not in known:
                _enrol(connection, delivery, contract=contract, settings=settings)
        connection.commit()
        work = Intake(connection=connection, url=url, contract=contract, settings=settings, progress=progress)
        return work.all(ledger.unfinished(connection, feed))


def land_files(
    paths: Iterable[Path], *, settings: Settings, progress: Progress = lambda line: None
) -> list[LoadResult]:
    """Take in the files named, a refused one again, in the order of their data dates.

    Raises DeliveryRefused for a file whose name does not say what it is.
    """
    contracts = load_contracts(settings.contracts)
    found = sorted((deliveries.parse_name(path, feeds=contracts) for path in paths), key=lambda each: each.order)
    results = []
    for delivery in found:
        contract = contracts[delivery.feed]
        with _session(settings, delivery.feed) as (connection, url):
            load_id, status = _enrol(connection, delivery, contract=contract, settings=settings)
            connection.commit()
            work = Intake(connection=connection, url=url, contract=contract, settings=settings, progress=progress)
            done = status in ("published", "superseded")
            results += [ledger.read(connection, load_id)] if done else work.all([load_id])
    return results


def waiting(*, settings: Settings) -> list[str]:
    """The feeds with deliveries, in the inbox or on the ledger, that are still to be taken in."""
    contracts = load_contracts(settings.contracts)
    found, _ = deliveries.in_folder(settings.inbox, feeds=contracts)
    with connect(warehouse_url(settings), step="waiting") as connection:
        known = ledger.seen(connection, found)
        begun = ledger.unfinished_feeds(connection)
    fresh = {delivery.feed for delivery in found if delivery.path not in known}
    return sorted((fresh | begun) & set(contracts))


@contextmanager
def _session(settings: Settings, feed: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection on which no other process takes in the same feed at the same time."""
    url = warehouse_url(settings)
    with connect(url, step=f"load {feed}") as connection:
        connection.execute("select pg_advisory_lock(hashtext('doudi.load'), hashtext(%s))", (feed,))
        connection.commit()
        yield connection, url


def _enrol(
    connection: psycopg.Connection, delivery: Delivery, *, contract: Contract, settings: Settings
) -> tuple[int, str]:
    sha256, size = deliveries.fingerprint(delivery.path)
    archived = deliveries.archive(delivery, sha256=sha256, folder=settings.archive)
    return ledger.register(
        connection, delivery=delivery, contract=contract, sha256=sha256, size=size, archived=archived
    )
