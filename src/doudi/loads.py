"""Taking deliveries in: fetch, archive, land, check, publish, each step on the ledger.

A delivery ends as published, superseded or refused, and is then done with; one that failed for what may pass (a lost
connection, a full disk) is taken up again. One bad delivery never keeps the next from being taken in.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from doudi import deliveries, ledger
from doudi.connectors import spool
from doudi.connectors.connections import SourceError
from doudi.contracts import Contract, load_contracts
from doudi.deliveries import Delivery, DeliveryRefused, Origin
from doudi.intake import Intake, Progress
from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.sources import load_sources
from doudi.warehouse.connection import connect, warehouse_url

FEED_LOCK = "hashtext('doudi.load'), hashtext(%s)"  # whoever holds it takes in the feed, and nobody else


def take_in(
    feed: str, *, settings: Settings, progress: Progress = lambda line: None, shared_out: bool = True
) -> list[LoadResult]:
    """Take in every delivery of ``feed`` that the ledger is not done with, the oldest data date first.

    Its queries are shared out among Postgres's workers, or not, which leaves these to another feed.

    Raises WarehouseError or OSError (SourceError where a source could not be read) for what may pass, after the other
    deliveries have been taken in.
    """
    contract = load_contracts(settings.contracts)[feed]
    with session(settings, feed) as (connection, url):
        if not shared_out:
            connection.execute("set max_parallel_workers_per_gather to 0; set max_parallel_maintenance_workers to 0")
            connection.commit()
        faults = _pull(connection, feed, settings=settings, progress=progress)
        own, _ = deliveries.in_folder(settings.inbox, feeds=[feed])
        pulled = spool.deliveries_in(settings.spool, feeds=[feed])
        known = ledger.seen(connection, [delivery.origin for delivery in own + pulled])
        for delivery in own + pulled:
            if delivery.origin not in known:
                _enrol(connection, delivery, contract=contract, settings=settings)
        connection.commit()
        for delivery in pulled:  # not before the ledger has them: a source is not asked for them again
            spool.remove(delivery)
        work = Intake(connection=connection, url=url, contract=contract, settings=settings, progress=progress)
        results = work.all(ledger.unfinished(connection, feed))
    if faults:
        raise faults[0]
    return results


def fetch(feeds: Iterable[str], *, settings: Settings, progress: Progress = lambda line: None) -> list[SourceError]:
    """Pull what is new at the sources of ``feeds`` and take nothing in. Returns what kept a source from being read."""
    faults = []
    for feed in feeds:
        with session(settings, feed) as (connection, _):
            faults += _pull(connection, feed, settings=settings, progress=progress)
    return faults


def _pull(connection: psycopg.Connection, feed: str, *, settings: Settings, progress: Progress) -> list[SourceError]:
    sources = [
        source
        for source in load_sources(settings.sources, feeds=load_contracts(settings.contracts))
        if source.feed == feed
    ]
    if not sources:
        return []
    from doudi.connectors.pulling import pull_all  # brings the libraries of all kinds of sources

    def seen(origins: Collection[Origin]) -> set[Origin]:
        known = ledger.seen(connection, origins)
        connection.commit()  # no transaction stays open while files come in
        return known

    return pull_all(sources, folder=settings.spool, as_of=settings.date_of_run(), seen=seen, tell=progress)


def land_files(
    paths: Iterable[Path], *, settings: Settings, progress: Progress = lambda line: None
) -> list[LoadResult]:
    """Take in the files named, a refused one again, in the order of their data dates.

    Raises DeliveryRefused for a file whose name does not say what it is, and for one that is not there.
    """
    contracts = load_contracts(settings.contracts)
    found = sorted((deliveries.parse_name(path, feeds=contracts) for path in paths), key=lambda each: each.order)
    _refuse_missing([delivery.path for delivery in found], settings=settings)
    results = []
    for delivery in found:
        contract = contracts[delivery.feed]
        with session(settings, delivery.feed) as (connection, url):
            load_id, status = _enrol(connection, delivery, contract=contract, settings=settings)
            connection.commit()
            work = Intake(connection=connection, url=url, contract=contract, settings=settings, progress=progress)
            done = status in ("published", "superseded")
            results += [ledger.read(connection, load_id)] if done else work.all([load_id])
    return results


def _refuse_missing(paths: list[Path], *, settings: Settings) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        with connect(warehouse_url(settings), step="land", role="loader") as connection:
            for path in missing:
                ledger.refuse_removed(connection, path.resolve())
        raise DeliveryRefused("file.missing", f"{missing[0]}: there is no such file")


def waiting(*, settings: Settings) -> Counter[str]:
    """The feeds with deliveries, in the inbox, pulled or on the ledger, that are still to be taken in, and their bytes.

    Of a feed with one that was begun all bytes that lie here count. What lies at a source is not asked for: each feed
    pulls for itself.
    """
    contracts = load_contracts(settings.contracts)
    found, _ = deliveries.in_folder(settings.inbox, feeds=contracts)
    found += spool.deliveries_in(settings.spool, feeds=contracts)
    with connect(warehouse_url(settings), step="waiting", role="loader") as connection:
        known = ledger.seen(connection, [delivery.origin for delivery in found])
        begun = ledger.unfinished_feeds(connection)
    sizes = Counter(dict.fromkeys(begun & set(contracts), 0))
    for delivery in found:
        if delivery.origin not in known or delivery.feed in begun:
            sizes[delivery.feed] += delivery.origin.size
    return sizes


@contextmanager
def session(settings: Settings, feed: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection on which no other process takes in the same feed at the same time."""
    url = warehouse_url(settings)
    with connect(url, step=f"load {feed}", role="loader") as connection:
        connection.execute(f"select pg_advisory_lock({FEED_LOCK})", (feed,))
        connection.commit()
        yield connection, url


def _enrol(
    connection: psycopg.Connection, delivery: Delivery, *, contract: Contract, settings: Settings
) -> tuple[int, str]:
    archived = deliveries.archive(delivery, folder=settings.archive)
    return ledger.register(connection, delivery=delivery, contract=contract, archived=archived)
