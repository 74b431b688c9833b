"""BL02, BL03, BL05, BL06, BL07, BL09: illness without low income, disability, schooling and grants."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene
from doudi.synth.standards import EDUCATION_FEN, LARGE_SELF_PAY_OF_OTHERS_FEN, UNINSURED_COST_FEN

_OTHERS = LARGE_SELF_PAY_OF_OTHERS_FEN


def _well_off(scene: Scene) -> list[Person]:
    """A registered household with far more than the margin."""
    members = scene.family("couple_two_children")
    scene.poverty(members, status="lifted", annual_income=40_000_00)
    return members


def _low_income(scene: Scene) -> list[Person]:
    """One of them, not the ones the cases are about, is covered."""
    members = scene.family("couple_two_children")
    scene.poverty(members, status="lifted")
    scene.allowance(members[:1])
    return members


def _paid(scene: Scene, *, fen: int, low_income: bool = False, days_after_year_ago: int = 100) -> Person:
    members = _low_income(scene) if low_income else _well_off(scene)
    scene.settlement(members[1], on=scene.timeline.after_year_ago(days_after_year_ago), self_paid=_OTHERS - 2_000_00)
    scene.settlement(members[1], on=scene.timeline.before_last(9), self_paid=2_000_00 + fen)
    return members[1]


def _paid_by_nobody_registered(scene: Scene) -> Person:
    """Nothing is known but the settlement: no income, so not low-income."""
    person = scene.family("alone")[0]
    scene.settlement(person, on=scene.timeline.before_last(30), self_paid=_OTHERS + 1)
    return person


def _uninsured(scene: Scene, *, fen: int, insured: bool = False, days_after_year_ago: int = 180) -> Person:
    person = scene.family("alone")[0]
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.settlement(person, on=on, self_paid=UNINSURED_COST_FEN + fen, insured=insured)
    return person


def _uninsured_once(scene: Scene, *, days_after_year_ago: int) -> Person:
    """A small bill without insurance and, later, a large one with it: all bills of the months count."""
    person = scene.family("alone")[0]
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.settlement(person, on=on, self_paid=300_00, insured=False)
    scene.settlement(person, on=scene.timeline.before_last(20), self_paid=6_000_00)
    return person


def _insured_after_all(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    on = scene.timeline.before_last(100)
    record = scene.settlement(person, on=on, self_paid=UNINSURED_COST_FEN + 500_00, insured=False)
    scene.correct(record, index=-1, insured=True)
    return person


def _disabled(scene: Scene, *, holders: tuple[int, ...] = (1, 2), low_income: bool = True, **values: object) -> Person:
    """Members with a certificate each; ``values`` are the last one's."""
    members = _low_income(scene) if low_income else _well_off(scene)
    for place, holder in enumerate(holders):
        last = place == len(holders) - 1
        scene.certificate(members[holder], category=str(1 + place), grade="4", **(values if last else {}))
    return members[0]


def _disabled_until(scene: Scene, *, days: int) -> Person:
    return _disabled(scene, expires_on=scene.timeline.days(days))


def _pupil(scene: Scene, *, enrolment: str = "suspended", age: int = 12, in_days: int = 0) -> Person:
    child = scene.family("couple_one_child")[2]
    scene.aged(child, age, in_days=in_days)
    scene.pupil(child, stage="junior", enrolment=enrolment)
    return child


def _pupil_changed(scene: Scene, *, before: str, now: str) -> Person:
    child = scene.family("couple_one_child")[2]
    scene.aged(child, 12)
    scene.pupil(child, enrolment=before).change(-1, enrolment=now)
    return child


def _in_two_schools(scene: Scene) -> Person:
    """The old school's record still says that the child has dropped out: somebody must look."""
    child = scene.family("couple_one_child")[2]
    scene.aged(child, 13)
    scene.pupil(child, enrolment="dropped_out")
    scene.pupil(child, enrolment="enrolled").change(0, student_no=f"L{child.citizen_id}")
    return child


def _fees(scene: Scene, *, amounts: tuple[int | None, ...], low_income: bool = True) -> Person:
    """What the two children and, if there is a third amount, their mother pay."""
    members = _low_income(scene) if low_income else _well_off(scene)
    for person, amount in zip((members[2], members[3], members[1]), amounts, strict=False):
        scene.pupil(person, stage="college", self_paid=amount)
    return members[0]


def _fees_changed(scene: Scene, *, before: int, now: int) -> Person:
    members = _low_income(scene)
    scene.pupil(members[2], stage="college", self_paid=before).change(-1, self_paid=now)
    return members[0]


def _grants(
    scene: Scene, *, count: int = 2, days_after_year_ago: int = 150, covered: bool = False, ended: int = 0
) -> Person:
    """The first grant stands at the edge of the twelve months, the others lie within."""
    person = scene.family("elder_couple")[0]
    scene.grant(person, on=scene.timeline.after_year_ago(days_after_year_ago))
    for serial in range(1, count):
        scene.grant(person, on=scene.timeline.before_last(15), serial=serial)
    if covered:
        scene.allowance([person], end=scene.timeline.days(ended))
    return person


def _grants_of_two(scene: Scene) -> Person:
    members = scene.family("elder_couple")
    scene.poverty(members, status="lifted")
    for person in members:
        scene.grant(person, on=scene.timeline.before_last(50))
    return members[0]


def _grant_sent_twice(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    record = scene.grant(person, on=scene.timeline.before_last(80))
    scene.correct(record, index=-1, amount=2500_00)
    return person


def _grants_but_only_spouse_covered(scene: Scene) -> Person:
    members = scene.family("elder_couple")
    scene.allowance(members[1:])
    for serial in range(2):
        scene.grant(members[0], on=scene.timeline.before_last(60), serial=serial)
    return members[0]


CASES = (
    Case("paid.exactly_26000", "BL02", False, partial(_paid, fen=0)),
    Case("paid.one_fen_more", "BL02", True, partial(_paid, fen=1)),
    Case("paid.low_income", "BL02", False, partial(_paid, fen=1, low_income=True)),
    Case("paid.12_months_ago", "BL02", False, partial(_paid, fen=1, days_after_year_ago=0)),
    Case("paid.the_day_after", "BL02", True, partial(_paid, fen=1, days_after_year_ago=1)),
    Case("paid.no_income_known", "BL02", True, _paid_by_nobody_registered),
    Case("uninsured.exactly_10000", "BL03", False, partial(_uninsured, fen=0)),
    Case("uninsured.one_fen_more", "BL03", True, partial(_uninsured, fen=1)),
    Case("uninsured.insured", "BL03", False, partial(_uninsured, fen=1, insured=True)),
    Case("uninsured.12_months_ago", "BL03", False, partial(_uninsured, fen=1, days_after_year_ago=0)),
    Case("uninsured.the_day_after", "BL03", True, partial(_uninsured, fen=1, days_after_year_ago=1)),
    Case("uninsured.once", "BL03", True, partial(_uninsured_once, days_after_year_ago=1)),
    Case("uninsured.once_12_months_ago", "BL03", False, partial(_uninsured_once, days_after_year_ago=0)),
    Case("uninsured.corrected", "BL03", False, _insured_after_all),
    Case("disabled.two", "BL05", True, _disabled),
    Case("disabled.three", "BL05", True, partial(_disabled, holders=(1, 2, 3))),
    Case("disabled.one", "BL05", False, partial(_disabled, holders=(1,))),
    Case("disabled.one_with_two_certificates", "BL05", False, partial(_disabled, holders=(1, 1))),
    Case("disabled.not_low_income", "BL05", False, partial(_disabled, low_income=False)),
    Case("disabled.second_cancelled", "BL05", False, partial(_disabled, status="cancelled")),
    Case("disabled.second_expires_today", "BL05", True, partial(_disabled_until, days=0)),
    Case("disabled.second_expired_yesterday", "BL05", False, partial(_disabled_until, days=-1)),
    Case("school.suspended", "BL06", True, _pupil),
    Case("school.dropped_out", "BL06", True, partial(_pupil, enrolment="dropped_out")),
    Case("school.enrolled", "BL06", False, partial(_pupil, enrolment="enrolled")),
    Case("school.graduated", "BL06", False, partial(_pupil, enrolment="graduated")),
    Case("school.six_today", "BL06", True, partial(_pupil, age=6)),
    Case("school.six_tomorrow", "BL06", False, partial(_pupil, age=6, in_days=1)),
    Case("school.eighteen_today", "BL06", False, partial(_pupil, age=18)),
    Case("school.eighteen_tomorrow", "BL06", True, partial(_pupil, age=18, in_days=1)),
    Case("school.left_this_term", "BL06", True, partial(_pupil_changed, before="enrolled", now="suspended")),
    Case("school.back_this_term", "BL06", False, partial(_pupil_changed, before="suspended", now="enrolled")),
    Case("school.left_one_of_two", "BL06", True, _in_two_schools),
    Case("fees.exactly_10000", "BL07", False, partial(_fees, amounts=(6_000_00, EDUCATION_FEN - 6_000_00))),
    Case("fees.one_fen_more", "BL07", True, partial(_fees, amounts=(6_000_00, EDUCATION_FEN - 6_000_00 + 1))),
    Case("fees.one_not_told", "BL07", False, partial(_fees, amounts=(EDUCATION_FEN, None))),
    Case("fees.of_three", "BL07", True, partial(_fees, amounts=(EDUCATION_FEN // 2, None, EDUCATION_FEN // 2 + 1))),
    Case("fees.not_low_income", "BL07", False, partial(_fees, amounts=(EDUCATION_FEN, 1_00), low_income=False)),
    Case("fees.risen", "BL07", True, partial(_fees_changed, before=2_000_00, now=EDUCATION_FEN + 1)),
    Case("fees.fallen", "BL07", False, partial(_fees_changed, before=EDUCATION_FEN + 1, now=2_000_00)),
    Case("grants.one", "BL09", False, partial(_grants, count=1)),
    Case("grants.two", "BL09", True, _grants),
    Case("grants.three", "BL09", True, partial(_grants, count=3)),
    Case("grants.first_12_months_ago", "BL09", False, partial(_grants, days_after_year_ago=0)),
    Case("grants.first_the_day_after", "BL09", True, partial(_grants, days_after_year_ago=1)),
    Case("grants.covered_until_today", "BL09", False, partial(_grants, covered=True)),
    Case("grants.coverage_ended_yesterday", "BL09", True, partial(_grants, covered=True, ended=-1)),
    Case("grants.only_spouse_covered", "BL09", True, _grants_but_only_spouse_covered),
    Case("grants.one_to_each_of_two", "BL09", False, _grants_of_two),
    Case("grants.one_corrected", "BL09", False, _grant_sent_twice),
)
