"""PT01: households that an economic check found below the standard, and that nothing covers."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _checked(
    scene: Scene, *, fen: int = -1, over_limit: bool = False, days_after_year_ago: int = 250, urban: bool = False
) -> Person:
    """An applicant whom no register knows, with an income at the standard plus some fen."""
    person = scene.family("alone", urban=urban)[0]
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.check(person, on=on, income=scene.standard + fen, over_limit=over_limit)
    return person


def _covered_since(scene: Scene, *, end: int | None = None) -> Person:
    person = _checked(scene)
    scene.allowance(
        [person],
        start=scene.timeline.days(-60),
        end=None if end is None else scene.timeline.days(end),
        income=scene.standard * 7 // 10,
    )
    return person


def _checked_twice(scene: Scene, *, over_limit: tuple[bool, bool]) -> Person:
    person = scene.family("alone")[0]
    for days, over in zip((200, 80), over_limit, strict=True):
        scene.check(person, on=scene.timeline.before_last(days), income=scene.standard // 2, over_limit=over)
    return person


def _registered(scene: Scene, *, fen: int) -> Person:
    """The spouse applied; the register's newer income decides: the yearly standard plus some fen."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.standard * 12 + fen)
    scene.check(members[1], on=scene.timeline.before_last(90), income=scene.standard * 2)
    return members[0]


def _checked_on_data_date(scene: Scene, *, fen: int) -> Person:
    """Check and register are of one day: the check's income goes before."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.standard * 24)
    scene.check(members[0], on=scene.timeline.last, income=scene.standard + fen)
    return members[0]


def _corrected(scene: Scene, *, over_limit: tuple[bool, bool]) -> Person:
    person = scene.family("alone")[0]
    on = scene.timeline.before_last(100)
    record = scene.check(person, on=on, income=scene.standard - 1, over_limit=over_limit[0])
    scene.correct(record, index=-2, assets_over_limit=over_limit[1])
    return person


def _income_corrected(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    record = scene.check(person, on=scene.timeline.before_last(100), income=scene.standard - 1)
    scene.correct(record, index=-1, monthly_income_per_capita=scene.standard)
    return person


CASES = (
    Case("income.one_fen_below", "PT01", True, _checked),
    Case("income.at_standard", "PT01", False, partial(_checked, fen=0)),
    Case("income.urban_one_fen_below", "PT01", True, partial(_checked, urban=True)),
    Case("income.urban_at_standard", "PT01", False, partial(_checked, fen=0, urban=True)),
    Case("income.register_below", "PT01", True, partial(_registered, fen=-12)),
    Case("income.register_at_standard", "PT01", False, partial(_registered, fen=0)),
    Case("income.check_of_same_day_below", "PT01", True, partial(_checked_on_data_date, fen=-1)),
    Case("income.check_of_same_day_at_standard", "PT01", False, partial(_checked_on_data_date, fen=0)),
    Case("income.corrected_to_standard", "PT01", False, _income_corrected),
    Case("assets.over_limit", "PT01", False, partial(_checked, over_limit=True)),
    Case("assets.over_limit_then_not", "PT01", True, partial(_checked_twice, over_limit=(True, False))),
    Case("assets.within_then_over_limit", "PT01", False, partial(_checked_twice, over_limit=(False, True))),
    Case("assets.corrected_to_within", "PT01", True, partial(_corrected, over_limit=(True, False))),
    Case("assets.corrected_to_over", "PT01", False, partial(_corrected, over_limit=(False, True))),
    Case("check.12_months_ago", "PT01", False, partial(_checked, days_after_year_ago=0)),
    Case("check.the_day_after", "PT01", True, partial(_checked, days_after_year_ago=1)),
    Case("check.covered_since", "PT01", False, _covered_since),
    Case("check.coverage_ended_yesterday", "PT01", True, partial(_covered_since, end=-1)),
)
