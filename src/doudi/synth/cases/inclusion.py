"""CG01, CG04, CG05, CG06: people whom a benefit is made for and does not reach."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _severe(scene: Scene, *, status: str = "lifted", per_cent: int = 120, **values: object) -> Person:
    """A registered household whose income is some per cent of the standard; the wife's certificate is severe."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status=status, annual_income=scene.standard * 12 * per_cent // 100)
    scene.certificate(members[1], **{"grade": "1"} | values)
    return members[1]


def _severe_until(scene: Scene, *, days: int) -> Person:
    return _severe(scene, expires_on=scene.timeline.days(days))


def _severe_and_covered(scene: Scene, *, who: int, end: int = 0, status: str = "not_lifted") -> Person:
    wife = _severe(scene, status=status)
    scene.allowance(scene.home.members[who : who + 1], end=scene.timeline.days(end))
    return wife


def _over_limit(scene: Scene) -> Person:
    wife = _severe(scene)
    scene.check(scene.home.head, on=scene.timeline.last, income=scene.standard * 12 // 10, over_limit=True)
    return wife


def _gravely_ill(
    scene: Scene, *, days_after_year_ago: int = 100, major: bool = True, per_cent: int = 120, fen: int = 0
) -> Person:
    """Known by an economic check only, as on the margin or not; some days after the edge of the twelve months."""
    person = scene.family("alone")[0]
    scene.aged(person, 40)
    income = scene.standard * per_cent // 100 + fen
    scene.check(person, on=scene.timeline.before_last(50), income=income)
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.settlement(person, on=on, self_paid=900_00, major_illness=major)
    return person


def _alone(
    scene: Scene,
    *,
    age: int = 60,
    in_days: int = 0,
    fen: int | None = -1,
    grade: str | None = None,
    urban: bool = False,
) -> Person:
    """Somebody of whom an economic check, if any, is all that is known of the income."""
    person = scene.family("alone", urban=urban)[0]
    scene.aged(person, age, in_days=in_days)
    if fen is not None:
        scene.check(person, on=scene.timeline.before_last(70), income=scene.standard + fen)
    if grade:
        scene.certificate(person, grade=grade)
    elif fen is None:
        scene.house(person, works="completed")
    return person


def _alone_and_covered(scene: Scene, *, end: int) -> Person:
    person = _alone(scene, age=70)
    scene.allowance([person], end=scene.timeline.days(end))
    return person


def _not_alone(scene: Scene) -> Person:
    """An old couple on one certificate, which has ended."""
    members = scene.family("elder_couple")
    scene.allowance(members, end=scene.timeline.days(-1))
    return members[0]


def _alone_on_certificate(scene: Scene) -> Person:
    """As before, but only one of them was on it: the other is no member."""
    members = scene.family("elder_couple")
    scene.allowance(members[:1], end=scene.timeline.days(-1))
    return members[0]


def _cared_for(
    scene: Scene,
    *,
    self_care: str = "full_care",
    in_institution: bool = False,
    start: int | None = None,
    end: int | None = None,
) -> Person:
    person = scene.family("elder_alone")[0]
    days = scene.timeline.days
    scene.hardship(
        person,
        start=None if start is None else days(start),
        end=None if end is None else days(end),
        self_care=self_care,
        in_institution=in_institution,
    )
    return person


def _needs_more_care(scene: Scene) -> Person:
    person = scene.family("elder_alone")[0]
    scene.hardship(person, self_care="partial").change(-1, self_care="full_care")
    return person


def _protected(
    scene: Scene,
    *,
    amount: int | None = None,
    age: int = 10,
    in_days: int = 0,
    start: int | None = -600,
    end: int | None = None,
) -> Person:
    child = scene.family("orphans")[2]
    scene.aged(child, age, in_days=in_days)
    scene.child_protection(
        child,
        monthly_amount=amount,
        start_date=None if start is None else scene.timeline.days(start),
        end_date=None if end is None else scene.timeline.days(end),
    )
    return child


def _paid_since_last_month(scene: Scene) -> Person:
    child = _protected(scene)
    scene.records[-1].change(-1, monthly_amount=1_400_00)
    return child


CASES = (
    Case("single.severe_on_margin", "CG01", True, _severe),
    Case("single.severe_below_standard", "CG01", False, partial(_severe, per_cent=90)),
    Case("single.severe_above_margin", "CG01", False, partial(_severe, per_cent=150)),
    Case("single.severe_not_lifted", "CG01", True, partial(_severe, status="not_lifted", per_cent=90)),
    Case("single.severe_returned", "CG01", False, partial(_severe, status="returned", per_cent=90)),
    Case("single.severe_mental", "CG01", True, partial(_severe, grade="3", category="6")),
    Case("single.not_severe", "CG01", False, partial(_severe, grade="3", category="4")),
    Case("single.expires_today", "CG01", True, partial(_severe_until, days=0)),
    Case("single.expired_yesterday", "CG01", False, partial(_severe_until, days=-1)),
    Case("single.covered_until_today", "CG01", False, partial(_severe_and_covered, who=1)),
    Case("single.coverage_ended_yesterday", "CG01", True, partial(_severe_and_covered, who=1, end=-1)),
    Case("single.husband_covered", "CG01", True, partial(_severe_and_covered, who=0)),
    Case("single.husband_covered_and_lifted", "CG01", False, partial(_severe_and_covered, who=0, status="lifted")),
    Case("single.over_limit", "CG01", False, _over_limit),
    Case("single.gravely_ill", "CG01", True, _gravely_ill),
    Case("single.not_gravely_ill", "CG01", False, partial(_gravely_ill, major=False)),
    Case("single.gravely_ill_12_months_ago", "CG01", False, partial(_gravely_ill, days_after_year_ago=0)),
    Case("single.gravely_ill_the_day_after", "CG01", True, partial(_gravely_ill, days_after_year_ago=1)),
    Case("single.gravely_ill_at_standard", "CG01", True, partial(_gravely_ill, per_cent=100)),
    Case("single.gravely_ill_below_standard", "CG01", False, partial(_gravely_ill, per_cent=100, fen=-1)),
    Case("alone.sixty_today", "CG04", True, _alone),
    Case("alone.sixty_tomorrow", "CG04", False, partial(_alone, in_days=1)),
    Case("alone.sixteen_today", "CG04", False, partial(_alone, age=16)),
    Case("alone.sixteen_tomorrow", "CG04", True, partial(_alone, age=16, in_days=1)),
    Case("alone.severely_disabled", "CG04", True, partial(_alone, age=40, grade="2")),
    Case("alone.disabled", "CG04", False, partial(_alone, age=40, grade="3")),
    Case("alone.at_standard", "CG04", False, partial(_alone, fen=0)),
    Case("alone.in_town", "CG04", True, partial(_alone, urban=True)),
    Case("alone.at_standard_in_town", "CG04", False, partial(_alone, fen=0, urban=True)),
    Case("alone.income_not_known", "CG04", False, partial(_alone, fen=None)),
    Case("alone.severely_disabled_income_not_known", "CG04", False, partial(_alone, fen=None, grade="1")),
    Case("alone.covered_until_today", "CG04", False, partial(_alone_and_covered, end=0)),
    Case("alone.coverage_ended_yesterday", "CG04", True, partial(_alone_and_covered, end=-1)),
    Case("alone.two_on_one_certificate", "CG04", False, _not_alone),
    Case("alone.one_on_the_certificate", "CG04", True, _alone_on_certificate),
    Case("care.full_at_home", "CG05", True, _cared_for),
    Case("care.full_in_institution", "CG05", False, partial(_cared_for, in_institution=True)),
    Case("care.partial_at_home", "CG05", False, partial(_cared_for, self_care="partial")),
    Case("care.full_since_last_month", "CG05", True, _needs_more_care),
    Case("care.ends_today", "CG05", True, partial(_cared_for, end=0)),
    Case("care.ended_yesterday", "CG05", False, partial(_cared_for, end=-1)),
    Case("care.starts_today", "CG05", True, partial(_cared_for, start=0)),
    Case("care.starts_tomorrow", "CG05", False, partial(_cared_for, start=1)),
    Case("child.amount_empty", "CG06", True, _protected),
    Case("child.amount_zero", "CG06", True, partial(_protected, amount=0)),
    Case("child.paid", "CG06", False, partial(_protected, amount=1)),
    Case("child.paid_since_last_month", "CG06", False, _paid_since_last_month),
    Case("child.eighteen_today", "CG06", False, partial(_protected, age=18)),
    Case("child.eighteen_tomorrow", "CG06", True, partial(_protected, age=18, in_days=1)),
    Case("child.no_day_of_beginning", "CG06", True, partial(_protected, start=None)),
    Case("child.starts_today", "CG06", True, partial(_protected, start=0)),
    Case("child.starts_tomorrow", "CG06", False, partial(_protected, start=1)),
    Case("child.ends_today", "CG06", True, partial(_protected, end=0)),
    Case("child.ended_yesterday", "CG06", False, partial(_protected, end=-1)),
)
