"""RP03: households of the poverty register that are at risk and covered by nothing."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.places import COUNTY
from doudi.synth.scene import Case, Scene


def _status(scene: Scene, *, status: str) -> Person:
    members = scene.family("couple_one_child")
    scene.poverty(members, status=status)
    return members[0]


def _status_changed(scene: Scene, *, before: str, now: str) -> Person:
    members = scene.family("couple_two_children")
    for record in scene.poverty(members, status=before):
        record.change(-1, status=now)
    return members[0]


def _covered(scene: Scene, *, start: int | None = None, end: int | None = None) -> Person:
    """Days of beginning and end count from the day asked about."""
    members = scene.family("couple_one_child")
    scene.poverty(members)
    scene.allowance(
        members,
        start=None if start is None else scene.timeline.days(start),
        end=None if end is None else scene.timeline.days(end),
    )
    return members[0]


def _child_covered(scene: Scene) -> Person:
    members = scene.family("couple_two_children")
    scene.poverty(members)
    scene.allowance(members[2:3])
    return members[0]


def _elder_in_special_hardship(scene: Scene, *, end: int | None = None) -> Person:
    members = scene.family("three_generations")
    scene.poverty(members)
    scene.hardship(members[4], end=None if end is None else scene.timeline.days(end))
    return members[0]


def _allowance_gained(scene: Scene) -> Person:
    members = scene.family("one_parent")
    scene.poverty(members)
    for record in scene.allowance(members):
        record.start(-1)
    return members[0]


def _allowance_lost(scene: Scene) -> Person:
    members = scene.family("one_parent")
    scene.poverty(members)
    for record in scene.allowance(members):
        record.end(-1)
    return members[0]


def _head_died(scene: Scene) -> Person:
    members = scene.family("three_generations")
    scene.poverty(members)[0].end(-2)
    return members[4]  # the eldest


def _other_composition(scene: Scene) -> Person:
    """The allowance's household is a registered child with a grandmother whom the poverty register does not know."""
    members = scene.family("three_generations")
    scene.poverty(members[:4])
    scene.allowance([members[2], members[4]], head=members[4])
    return members[0]


def _other_composition_uncovered(scene: Scene) -> Person:
    members = scene.family("three_generations")
    scene.poverty(members[:4])
    scene.allowance([members[2], members[4]], head=members[4], end=scene.timeline.days(-1))
    return members[0]


def _moved_out(scene: Scene) -> Person:
    """A grown son stands in a new household of his own and still in his father's: the newer record decides."""
    members = scene.family("grown_children")
    scene.poverty(members, status="lifted")
    own = scene.poverty([members[2]], household_no=_second_household(scene), head=members[2])
    own[0].start(-2)
    return members[2]


def _moved_back(scene: Scene) -> Person:
    """Both know the son from the beginning; his father's household changed last, so it decides."""
    members = scene.family("grown_children")
    for record in scene.poverty(members, status="lifted"):
        record.change(-1, annual_income_per_capita=scene.standard * 15)
    scene.poverty([members[2]], household_no=_second_household(scene), head=members[2])
    return members[2]


def _second_household(scene: Scene) -> str:
    return f"{COUNTY}{scene.home.number:08d}2"


CASES = (
    Case("at_risk.not_lifted", "RP03", True, partial(_status, status="not_lifted")),
    Case("at_risk.returned", "RP03", True, partial(_status, status="returned")),
    Case("at_risk.unstable", "RP03", True, partial(_status, status="unstable")),
    Case("at_risk.marginal", "RP03", True, partial(_status, status="marginal")),
    Case("at_risk.lifted_is_not", "RP03", False, partial(_status, status="lifted")),
    Case("at_risk.since_last_month", "RP03", True, partial(_status_changed, before="lifted", now="unstable")),
    Case("at_risk.until_last_month", "RP03", False, partial(_status_changed, before="unstable", now="lifted")),
    Case("covered.open_ended", "RP03", False, _covered),
    Case("covered.ends_today", "RP03", False, partial(_covered, end=0)),
    Case("covered.ended_yesterday", "RP03", True, partial(_covered, end=-1)),
    Case("covered.starts_today", "RP03", False, partial(_covered, start=0)),
    Case("covered.starts_tomorrow", "RP03", True, partial(_covered, start=1)),
    Case("covered.one_child_covers_the_household", "RP03", False, _child_covered),
    Case("covered.by_special_hardship", "RP03", False, _elder_in_special_hardship),
    Case("covered.special_hardship_ends_today", "RP03", False, partial(_elder_in_special_hardship, end=0)),
    Case("covered.special_hardship_ended_yesterday", "RP03", True, partial(_elder_in_special_hardship, end=-1)),
    Case("covered.since_last_month", "RP03", False, _allowance_gained),
    Case("covered.until_last_month", "RP03", True, _allowance_lost),
    Case("household.head_died", "RP03", True, _head_died),
    Case("household.other_composition", "RP03", False, _other_composition),
    Case("household.other_composition_uncovered", "RP03", True, _other_composition_uncovered),
    Case("household.moved_out", "RP03", True, _moved_out),
    Case("household.moved_back", "RP03", False, _moved_back),
)
