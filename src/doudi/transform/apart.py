"""Models computed beside the present, in schemas of their own and without a trace in ops.build: trials and replays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psycopg

from doudi.settings import Settings
from doudi.transform.builds import drop_schemas, lock
from doudi.transform.record import content, loaded_seeds
from doudi.transform.runner import BuildError, Progress, Runner, refuse_failures
from doudi.warehouse.connection import connect


@dataclass(frozen=True, kw_only=True)
class Apart:
    """A session that keeps builds away, and the means to compute models into schemas with a suffix of their own."""

    session: psycopg.Connection
    url: str
    settings: Settings
    progress: Progress

    def compute(self, *selected: str, as_of: date, suffix: str, seed_suffix: str = "") -> None:
        """Run the models and tests that dbt's selectors name. Raises BuildError that names those that failed."""
        runner = Runner(
            url=self.url,
            settings=self.settings,
            as_of=as_of,
            schema_suffix=suffix,
            seed_suffix=seed_suffix,
            progress=self.progress,
        )
        left_out = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "seed")
        refuse_failures(runner.run("build", "--select", *selected, "--indirect-selection", "empty", *left_out))


@contextmanager
def apart(
    *, url: str, settings: Settings, suffixes: tuple[str, ...], keep: bool = False, progress: Progress | None = None
) -> Iterator[Apart]:
    """Room for computing in schemas that end in one of ``suffixes``; they are empty at first, and go at the end.

    Builds wait meanwhile, as the schemas of the present may be read. Raises BuildError where no build has loaded the
    seeds since they changed.
    """
    say = progress or (lambda line: None)
    with connect(url, autocommit=True, step="apart", role="transformer") as session:
        lock(session, say)
        if loaded_seeds(session) != content(settings)["seeds"]:
            raise BuildError("the seeds are not loaded as they stand in their files: run doudi build first")
        _drop_all(session, suffixes)
        try:
            yield Apart(session=session, url=url, settings=settings, progress=say)
        finally:
            if not keep:
                _drop_all(session, suffixes)


def _drop_all(session: psycopg.Connection, suffixes: tuple[str, ...]) -> None:
    for suffix in suffixes:
        drop_schemas(session, suffix)
        session.execute(f"drop schema if exists reference{suffix} cascade")
