"""A night in one process: what the DAGs do on the scheduler, in the same order and by the same functions."""

from collections.abc import Callable

from doudi import deliveries, extracts, lineage, loads, quality
from doudi.connectors.connections import SourceError
from doudi.contracts import load_contracts
from doudi.settings import Settings
from doudi.summary import print_summary
from doudi.warehouse.connection import WarehouseError, warehouse_url


def run_in_process(settings: Settings, *, progress: Callable[[str], None]) -> int:
    """Take in the inbox, build the marts as of the settings' date, hand out.

    Returns 0, or 1 where a delivery was refused, or a source or a recipient out of reach.
    """
    from doudi.quality.data_docs import build_data_docs
    from doudi.transform import build, is_needed

    url, as_of = warehouse_url(settings), settings.date_of_run()
    feeds = load_contracts(settings.contracts)
    _, strange = deliveries.in_folder(settings.inbox, feeds=feeds)
    for refusal in strange:
        progress(str(refusal))
    results, out_of_reach = [], False
    for feed in feeds:
        try:
            taken_in = loads.take_in(feed, settings=settings, progress=progress)
            lineage.loaded(feed, taken_in, settings=settings)
            results += taken_in
        except SourceError:  # told already; what is there is worth a build all the same
            out_of_reach = True
    if is_needed(url, as_of):
        lineage.built(build(url=url, settings=settings, as_of=as_of, progress=progress), settings=settings)
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
        build_data_docs(url=url, settings=settings, progress=progress)
    except (quality.SuiteError, WarehouseError) as error:  # pages about the night are no reason to lose it
        progress(str(error))
    print_summary(settings)
    return int(bool(strange) or out_of_reach or any(result.status == "refused" for result in results))
