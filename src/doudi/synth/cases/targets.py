"""PT02, PT03, PT06: households whose income no longer carries what they must pay, or soon will not."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene

_INCOME, _RIGID = 8_000_00, 14_400_00  # a year and person; 60 per cent of it for a family of three
_ALLOWED = 3_000_00  # of _RIGID, what goes to schooling


def _checked(
    scene: Scene,
    *,
    per_cent: int = 120,
    fen: int = 0,
    over_limit: bool = False,
    days_after_year_ago: int = 220,
    urban: bool = False,
) -> Person:
    person = scene.family("alone", urban=urban)[0]
    scene.check(
        person,
        on=scene.timeline.after_year_ago(days_after_year_ago),
        income=scene.standard * per_cent // 100 + fen,
        over_limit=over_limit,
    )
    return person


def _registered(scene: Scene, *, days_after_year_ago: int | None) -> Person:
    """The register's income lies in the margin; whether a check of the wife is recent enough decides."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.standard * 12 * 12 // 10)
    if days_after_year_ago is not None:
        on = scene.timeline.after_year_ago(days_after_year_ago)
        scene.check(members[1], on=on, income=scene.standard * 4)
    return members[0]


def _checked_and_covered(scene: Scene, *, end: int) -> Person:
    person = _checked(scene)
    scene.allowance([person], end=scene.timeline.days(end), income=scene.standard * 12 // 10)
    return person


def _rigid(
    scene: Scene,
    *,
    income: int = _INCOME,
    paid: int = _RIGID,
    fees: int | None = None,
    days_after_year_ago: int = 90,
    covered: bool = False,
) -> Person:
    """A registered family of three whose mother is ill and whose child goes to school."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=income)
    if paid:
        on = scene.timeline.after_year_ago(days_after_year_ago)
        scene.settlement(members[1], on=on, self_paid=paid - (fees or 0))
    scene.pupil(members[2], stage="senior", self_paid=fees)
    if covered:
        scene.allowance(members[2:])
    return members[0]


def _rich(scene: Scene, *, fen: int) -> Person:
    """With the average income of the year before, plus some fen, and a bill that takes all of it."""
    income = scene.world.standards.rural_income + fen
    return _rigid(scene, income=income, paid=income * 3)


def _rich_in_town(scene: Scene, *, fen: int) -> Person:
    """The average of towns is twice that of villages."""
    person = scene.family("alone", urban=True)[0]
    income = scene.world.standards.urban_income // 12 + fen
    scene.check(person, on=scene.timeline.before_last(60), income=income)
    scene.settlement(person, on=scene.timeline.before_last(30), self_paid=income * 12)
    return person


def _income_not_known(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    scene.settlement(person, on=scene.timeline.before_last(30), self_paid=20_000_00)
    return person


def _exit(
    scene: Scene, *, until: int | None, per_cent: int = 120, fen: int = 0, gone: bool = False, urban: bool = False
) -> Person:
    """The allowance goes on for a while although the income has risen."""
    person = scene.family("alone", urban=urban)[0]
    record = scene.allowance(
        [person],
        income=scene.standard * per_cent // 100 + fen,
        gradual_exit_until=None if until is None else scene.timeline.days(until),
    )[0]
    if gone:
        record.end(-1)
    return person


def _exit_of_a_member(scene: Scene) -> Person:
    """The daughter's certificate; the household is the poverty register's, whose head is her father."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted")
    scene.allowance(members[2:], gradual_exit_until=scene.timeline.days(10), income=scene.standard)
    return members[0]


CASES = (
    Case("margin.at_standard", "PT02", True, partial(_checked, per_cent=100)),
    Case("margin.one_fen_below_standard", "PT02", False, partial(_checked, per_cent=100, fen=-1)),
    Case("margin.one_fen_below_upper_end", "PT02", True, partial(_checked, per_cent=150, fen=-1)),
    Case("margin.at_its_upper_end", "PT02", False, partial(_checked, per_cent=150)),
    Case("margin.in_town", "PT02", True, partial(_checked, per_cent=100, urban=True)),
    Case("margin.below_in_town", "PT02", False, partial(_checked, per_cent=100, fen=-1, urban=True)),
    Case("margin.over_limit", "PT02", False, partial(_checked, over_limit=True)),
    Case("margin.checked_12_months_ago", "PT02", False, partial(_checked, days_after_year_ago=0)),
    Case("margin.checked_the_day_after", "PT02", True, partial(_checked, days_after_year_ago=1)),
    Case("margin.registered_and_never_checked", "PT02", False, partial(_registered, days_after_year_ago=None)),
    Case("margin.registered_checked_12_months_ago", "PT02", False, partial(_registered, days_after_year_ago=0)),
    Case("margin.registered_checked_the_day_after", "PT02", True, partial(_registered, days_after_year_ago=1)),
    Case("margin.covered_until_today", "PT02", False, partial(_checked_and_covered, end=0)),
    Case("margin.coverage_ended_yesterday", "PT02", True, partial(_checked_and_covered, end=-1)),
    Case("rigid.exactly_60_per_cent", "PT03", True, _rigid),
    Case("rigid.one_fen_less", "PT03", False, partial(_rigid, paid=_RIGID - 1)),
    Case("rigid.with_fees", "PT03", True, partial(_rigid, fees=_ALLOWED)),
    Case("rigid.with_fees_one_fen_less", "PT03", False, partial(_rigid, paid=_RIGID - 1, fees=_ALLOWED)),
    Case("rigid.nothing_earned_nothing_paid", "PT03", False, partial(_rigid, income=0, paid=0)),
    Case("rigid.nothing_earned_something_paid", "PT03", True, partial(_rigid, income=0, paid=1_00)),
    Case("rigid.12_months_ago", "PT03", False, partial(_rigid, days_after_year_ago=0)),
    Case("rigid.the_day_after", "PT03", True, partial(_rigid, days_after_year_ago=1)),
    Case("rigid.a_child_covered", "PT03", False, partial(_rigid, covered=True)),
    Case("rigid.income_below_average", "PT03", True, partial(_rich, fen=-1)),
    Case("rigid.income_at_average", "PT03", False, partial(_rich, fen=0)),
    Case("rigid.income_below_average_of_towns", "PT03", True, partial(_rich_in_town, fen=-100)),
    Case("rigid.income_above_average_of_towns", "PT03", False, partial(_rich_in_town, fen=100)),
    Case("rigid.income_not_known", "PT03", False, _income_not_known),
    Case("exit.today", "PT06", True, partial(_exit, until=0)),
    Case("exit.yesterday", "PT06", False, partial(_exit, until=-1)),
    Case("exit.in_30_days", "PT06", True, partial(_exit, until=30)),
    Case("exit.in_31_days", "PT06", False, partial(_exit, until=31)),
    Case("exit.none", "PT06", False, partial(_exit, until=None)),
    Case("exit.income_one_fen_below", "PT06", True, partial(_exit, until=10, per_cent=150, fen=-1)),
    Case("exit.income_too_high", "PT06", False, partial(_exit, until=10, per_cent=150)),
    Case("exit.in_town_one_fen_below", "PT06", True, partial(_exit, until=10, per_cent=150, fen=-1, urban=True)),
    Case("exit.in_town_too_high", "PT06", False, partial(_exit, until=10, per_cent=150, urban=True)),
    Case("exit.no_longer_listed", "PT06", False, partial(_exit, until=10, gone=True)),
    Case("exit.of_a_member", "PT06", True, _exit_of_a_member),
)
