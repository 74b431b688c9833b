"""All deliveries of a run, open at once; and what the register must make of each row."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from doudi.contracts import Contract
from doudi.synth import style
from doudi.synth.answers import Answers
from doudi.synth.places import COUNTY
from doudi.synth.records import Fact, Fault, Record, Row
from doudi.synth.timeline import Timeline
from doudi.synth.writer import DeliveryFile


def file_names(timeline: Timeline) -> dict[str, list[str]]:
    """The names of each feed's deliveries, oldest first."""
    return {
        feed: [f"{feed}_{COUNTY}_{data_date:%Y%m%d}.csv" for data_date in dates]
        for feed, dates in timeline.dates.items()
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
        self._files: dict[str, list[DeliveryFile]] = {}
        for feed_no, (feed, names) in enumerate(file_names(timeline).items()):
            forms = style.of_feed(
                contracts[feed], feed_no=feed_no, deliveries=len(names), seed=seed, contracts_folder=contracts_folder
            )
            self._files[feed] = [
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

    def deliver(self, record: Record) -> Fact | None:
        """Write every row of a record; returns what the register holds of it after the last delivery.

        A refused row leaves what is held as it is; a snapshot without the record ends it.
        """
        held: Row | None = None
        since = 0
        for index, (file, row) in enumerate(zip(self._files[record.feed], record.states, strict=True)):
            if record.beside:
                self._write_beside(file, record, index, first=True)
            if row is None:
                if self._ends[record.feed]:
                    held = None
            elif index in record.refused:
                self._refuse(file, row, record.refused[index])
            else:
                file.write(row)
                if held is row or held == row:
                    file.rows_unchanged += 1
                else:
                    file.rows_published += 1
                    held, since = row, index
            if record.beside:
                self._write_beside(file, record, index, first=False)
        return held and Fact(record.feed, held, self._timeline.dates[record.feed][since])

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
