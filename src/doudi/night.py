"""A night in one go: what the DAGs do on the scheduler, in the same order and by the same functions."""

from collections.abc import Callable
from contextlib import closing
from functools import partial

from doudi import deliveries, extracts, lineage, loads, quality, transform
from doudi.connectors.connections import SourceError
from doudi.contracts import load_contracts
from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.side_by_side import WorkerLost, beside, each_done, workers_for
from doudi.sources import load_sources
from doudi.summary import print_summary
from doudi.warehouse.connection import WarehouseError, warehouse_url

Progress = Callable[[str], None]


def run_in_process(settings: Settings, *, progress: Progress) -> int:
    """Take in the inbox, build the marts as of the settings' date, hand out.

    Returns 0, or 1 where a delivery was refused, or a source or a recipient out of reach. Where a delivery failed for
    what may pass, the other feeds are taken in before it is raised.
    """
    url, as_of = warehouse_url(settings), settings.date_of_run()
    _, strange = deliveries.in_folder(settings.inbox, feeds=load_contracts(settings.contracts))
    for refusal in strange:
        progress(str(refusal))
    told, preparation = lineage.is_wanted(settings), transform.Preparation()
    prepare = partial(preparation.make, url=url, settings=settings, as_of=as_of, artifacts=told)
    results, out_of_reach = _take_in(settings=settings, meanwhile=prepare, progress=progress)
    # Pages on what came in are made beside the rest, as on the scheduler.
    with beside(partial(_write_pages, url=url, settings=settings), tell=progress) as pages:
        if transform.is_needed(url, as_of):
            result = transform.build(
                url=url, settings=settings, as_of=as_of, artifacts=told, preparation=preparation, progress=progress
            )
            lineage.built(result, settings=settings)
        else:
            progress("nothing new to build")
        try:
            files = extracts.send_all(settings=settings, as_of=as_of, progress=progress)
            for file in files:
                progress(f"{file.file_name}: {file.rows} rows")
            lineage.sent(files, settings=settings)
        except extracts.NotDeliveredError:  # told already; what lies ready goes out the next night
            out_of_reach = True
        try:
            pages()
        except (quality.SuiteError, WarehouseError) as error:  # pages about the night are no reason to lose it
            progress(str(error))
        except WorkerLost as loss:
            progress(f"data docs: {loss}")
    print_summary(settings)
    return int(bool(strange) or out_of_reach or any(result.status == "refused" for result in results))


def _write_pages(progress: Progress, *, url: str, settings: Settings) -> None:
    from doudi.quality.data_docs import build_data_docs

    build_data_docs(url=url, settings=settings, progress=progress)


def _take_in(*, settings: Settings, meanwhile: Callable[[], None], progress: Progress) -> tuple[list[LoadResult], bool]:
    """Take in all feeds side by side; returns what became of their deliveries, and whether a source was out of reach.

    ``meanwhile`` is done by this process where anything waits to be taken in.
    Raises the first feed's error that is no source's, when all others are taken in.
    """
    waiting = loads.waiting(settings=settings)
    # The most bytes first, so that no long one begins when the others end.
    feeds = sorted(_with_sources(settings).union(waiting), key=lambda feed: (-waiting[feed], feed))
    workers = workers_for(len(feeds))
    if waiting and workers > 1:
        quality.prepare()  # takes seconds and 200 MB: once, before the processes are forked
    results, errors = [], {}
    longest = next((feed for feed in feeds if waiting[feed] > waiting.total() / 2), None)
    work = partial(_take_in_one, settings=settings, longest=longest)
    beside_them = meanwhile if waiting else None
    with closing(each_done(work, feeds, workers=workers, tell=progress, meanwhile=beside_them)) as done:
        for feed, outcome in done:
            if isinstance(outcome, Exception):
                errors[feed] = outcome
            else:
                lineage.loaded(feed, outcome, settings=settings)
                results += outcome
    for feed, error in sorted(errors.items()):
        if isinstance(error, WorkerLost):
            raise WorkerLost(f"{feed}: {error}; what it had begun is taken up again the next time")
        if not isinstance(error, SourceError):
            raise error
    return results, bool(errors)  # a source's error was told; what is there is worth a build all the same


def _take_in_one(feed: str, progress: Progress, *, settings: Settings, longest: str | None) -> list[LoadResult]:
    """The night waits for its longest feed: where one has most of the bytes, it alone has its queries shared out."""
    return loads.take_in(feed, settings=settings, progress=progress, shared_out=longest in (None, feed))


def _with_sources(settings: Settings) -> set[str]:
    """The feeds that are pulled: what is new at their sources shows only then."""
    return {source.feed for source in load_sources(settings.sources, feeds=load_contracts(settings.contracts))}
