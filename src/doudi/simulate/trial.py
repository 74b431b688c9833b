"""A simulation from the seeds it changes to the figures it gives."""

from dataclasses import dataclass
from datetime import date

from doudi.settings import Settings
from doudi.simulate.changes import Changes, lay_out, refuse_uninhabited
from doudi.simulate.comparing import Figure, compare
from doudi.transform import Apart, apart
from doudi.transform.record import computed_everybody, content, holds_everything, schema_suffix
from doudi.transform.runner import Progress

CHANGED, UNCHANGED = "_simulated", "_unchanged"
_COMPUTED = ("+int_signal", "parameters_hold_everywhere")


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What the changes would do on a date."""

    as_of: date
    changes: Changes
    figures: list[Figure]


def simulate(
    changes: Changes, *, url: str, settings: Settings, as_of: date, keep: bool = False, progress: Progress | None = None
) -> Simulation:
    """Compute a date's findings with the changed seeds and compare them with those of the seeds as they stand.

    Nothing of the present is written; ``keep`` leaves the simulation's own schemas behind, for a look. Raises
    SimulationError for what is not there, BuildError where a model or a parameter's test fails.
    """
    with apart(url=url, settings=settings, suffixes=(CHANGED, UNCHANGED), keep=keep, progress=progress) as place:
        lay_out(place.session, changes, suffix=CHANGED, settings=settings)
        before = _before(place, as_of)
        refuse_uninhabited(place.session, changes.area, schema=before)
        place.compute(*_COMPUTED, as_of=as_of, suffix=CHANGED, seed_suffix=CHANGED)
        figures = compare(place.session, before=before, after=f"intermediate{CHANGED}")
    return Simulation(as_of=as_of, changes=changes, figures=figures)


def _before(place: Apart, as_of: date) -> str:
    """The schema with everybody's findings as they are: the last build's where it has them all, else computed now."""
    suffix = schema_suffix(place.session, as_of)
    up_to_date = holds_everything(place.session, as_of, made_from=content(place.settings))
    if up_to_date and computed_everybody(place.session, suffix):
        return f"intermediate{suffix}"
    place.compute("+int_signal", as_of=as_of, suffix=UNCHANGED)
    return f"intermediate{UNCHANGED}"
