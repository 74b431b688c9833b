"""A synthetic county: what its departments would send, and beside it exactly what should come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from doudi.contracts import load_contracts
from doudi.settings import load_settings
from doudi.synth import county, truth
from doudi.synth.answers import Answers
from doudi.synth.inbox import Inbox, file_names
from doudi.synth.places import load_places
from doudi.synth.standards import FIRST_DAY, Standards
from doudi.synth.timeline import Timeline
from doudi.synth.world import World


@dataclass(frozen=True)
class Summary:
    """What was made: ``faults`` counts the refused rows by rule, ``warnings`` the expected ones by indicator."""

    files: int
    rows: int
    people: int
    households: int
    faults: Mapping[str, int]
    warnings: Mapping[str, int]


def generate(
    out: Path,
    *,
    persons: int,
    seed: int,
    as_of: date,
    clean: bool = False,
    division_file: Path | None = None,
    contracts_folder: Path | None = None,
) -> Summary:
    """Write the deliveries into ``out`` and what should come of them into ``out/truth``.

    At least ``persons`` people (the last household is completed). ``clean`` leaves out every row that is to be
    refused, not the messy form. ``division_file`` (columns code, name) and ``contracts_folder`` are the project's own
    unless given. The same arguments give the same bytes; memory does not grow with ``persons``.

    Under ``truth``: quarantine.csv (refused rows), deliveries.csv (rows of each delivery, loaded in the order of data
    dates), warnings.csv (of the day ``as_of``), warnings_<YYYYMMDD>.csv (of two earlier month ends: what a build of
    that day alone finds) and cases.csv (what each planted case was made for on the day ``as_of``).

    Raises ValueError for a day before the first published standard, a division file without the county, more persons
    than there are citizen IDs, or an ``out`` that holds other deliveries.
    """
    settings = load_settings()
    contracts_folder = contracts_folder or settings.contracts
    division_file = division_file or settings.dbt_project / "seeds" / "division.csv"
    timeline = Timeline.up_to(as_of)
    known = load_contracts(contracts_folder)
    contracts = {feed: known[feed] for feed in timeline.dates}  # a feed that was added since is left to its owner
    world = World(timeline=timeline, standards=Standards.on(as_of), places=load_places(division_file))
    past = {day: Standards.on(day) for day in timeline.past_days if day >= FIRST_DAY}
    _make_room(out, timeline)
    people = homes = 0
    with (
        Answers(out / "truth", past_days=past) as answers,
        Inbox(
            out,
            contracts=contracts,
            contracts_folder=contracts_folder,
            timeline=timeline,
            seed=seed,
            answers=answers,
        ) as inbox,
    ):
        for unit in county.stream(world, contracts=contracts, seed=seed, clean=clean):
            histories = [history for record in unit.records if (history := inbox.deliver(record))]
            for day, standards in past.items():
                answers.warned_on(day, truth.warnings(histories, day=day, timeline=timeline, standards=standards))
            answers.warned(truth.warnings(histories, day=as_of, timeline=timeline, standards=world.standards))
            if unit.case:
                answers.planted(unit.case, unit.subject)
            people += unit.people
            homes += unit.people > 0
            if people >= persons:
                break
        files = inbox.close()
    return Summary(
        files=len(files),
        rows=sum(file.rows_read for file in files),
        people=people,
        households=homes,
        faults=dict(sorted(answers.faults.items())),
        warnings=dict(sorted(answers.warnings.items())),
    )


def _make_room(out: Path, timeline: Timeline) -> None:
    """Other deliveries beside this run's would make its truth untrue."""
    names = {name for of_feed in file_names(timeline).values() for name in of_feed}
    foreign = sorted(path.name for path in out.glob("*.csv") if path.name not in names)
    if foreign:
        raise ValueError(f"{out} already holds other deliveries, such as {foreign[0]}; choose an empty folder")
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        (out / f"{name}.manifest.json").unlink(missing_ok=True)
