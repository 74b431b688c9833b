"""All deliveries of a run, open at once; and what the register must make of each row."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from doudi.contracts import Contract
from doudi.synth import style
from doudi.synth.answers import Answers
from doudi.synth.places import COUNTY, NEIGHBOUR
from doudi.synth.records import Fault, History, Record, Row, Version
from doudi.synth.timeline import Timeline
from doudi.synth.writer import DeliveryFile

_FROM_NEIGHBOUR = "minimum_allowance"


def file_names(timeline: Timeline) -> dict[tuple[str, str], list[str]]:
    """The names of the deliveries by feed and county, oldest first; the neighbour sends its list on the same days."""
    senders = [(feed, COUNTY) for feed in timeline.dates] + [(_FROM_NEIGHBOUR, NEIGHBOUR)]
    return {
        (feed, county): [f"{feed}_{county}_{data_date:%Y%m%d}.csv" for data_date in timeline.dates[feed]]
        for feed, county in senders
    }


class Inbox:
    """Writes records into their deliveries and follows what the register then holds."""

    def __init__(
        self,
        out: Path,
        *,
        contracts: Mapping[str, Contract],
        contracts_folder: Path,
        timeline: Timeline,
        seed: int,
        answers: Answers,
    ) -> None:
        self._timeline = timeline
        self._answers = answers
        self._ends = {feed: contract.mode == "snapshot" for feed, contract in contracts.items()}
        self._files: dict[tuple[str, str], list[DeliveryFile]] = {}
        for feed_no, ((feed, county), names) in enumerate(file_names(timeline).items()):
            forms = style.of_feed(
                contracts[feed], feed_no=feed_no, deliveries=len(names), seed=seed, contracts_folder=contracts_folder
            )
            self._files[feed, county] = [
                DeliveryFile(out / name, contract=contracts[feed], style=form, data_date=data_date, seed=seed)
                for name, form, data_date in zip(names, forms, timeline.dates[feed], strict=True)
            ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._all():
            file.abandon()

    def _all(self) -> list[DeliveryFile]:
        return [file for of_feed in self._files.values() for file in of_feed]

    def deliver(self, record: Record) -> History | None:
        """Write every row of a record; returns what its register took in of it, None where that is nothing.

        A refused row leaves what is held as it is; a snapshot without the record ends it.
        """
        versions: list[Version] = []
        held: Row | None = None
        since = 0
        dates = self._timeline.dates[record.feed]
        files = self._files[record.feed, record.county]
        for index, (file, row) in enumerate(zip(files, record.states, strict=True)):
            if record.beside:
                self._write_beside(file, record, index, first=True)
            if row is None:
                if held is not None and self._ends[record.feed]:
                    versions.append(Version(held, dates[since], dates[index]))
                    held = None
            elif index in record.refused:
                self._refuse(file, row, record.refused[index])
            else:
                file.write(row)
                if held is row or held == row:
                    file.rows_unchanged += 1
                else:
                    file.rows_published += 1
                    if held is not None:
                        versions.append(Version(held, dates[since], dates[index]))
                    held, since = row, index
            if record.beside:
                self._write_beside(file, record, index, first=False)
        if held is not None:
            versions.append(Version(held, dates[since]))
        return History(record.feed, record.county, tuple(versions)) if versions else None

    def _write_beside(self, file: DeliveryFile, record: Record, index: int, *, first: bool) -> None:
        for beside in record.beside:
            if beside.index == index and beside.first == first:
                self._refuse(file, beside.row, beside.fault)

    def _refuse(self, file: DeliveryFile, row: Row, fault: Fault) -> None:
        self._answers.refused(file.path.name, file.refuse(row, fault), fault)

    def close(self) -> list[DeliveryFile]:
        """Finish all files; they then say how many rows they hold."""
        files = self._all()
        for file in files:
            file.close()
            self._answers.delivered(file)
        return files
