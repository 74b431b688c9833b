"""Extracts that lie in our own folders for longer than their declarations say."""

from doudi.extracts import retention
from doudi.maintenance.work import Outcome, Work, size_of
from doudi.warehouse.connection import connect


def extracts(work: Work) -> Outcome:
    """The rule is the declarations' own (``retention_days``), and the night follows it too."""
    with connect(work.url, autocommit=True, step="maintain", role="extractor") as connection:
        past = retention.past_their_time(connection, now=work.now)
        size = size_of(retention.folder_of(each) for each in past)
        if not work.dry_run:
            retention.prune(connection, settings=work.settings)
    return work.outcome("extracts", "delivered extracts", count=len(past), size=size, kept="as declared")
