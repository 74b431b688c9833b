"""PT04, PT05, MR01: trouble that comes after a refusal or a benefit, or together with other trouble."""

from datetime import timedelta
from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene

_MUCH = 12_000_00  # without insurance: BL03, whatever the income
_INCOME = 60_000_00  # a year: nothing else holds of such a household


def _well_off(scene: Scene, *, status: str = "lifted") -> list[Person]:
    """Both children are of school age."""
    members = scene.family("couple_two_children")
    for child in members[2:]:
        scene.aged(child, 12)
    scene.poverty(members, status=status, annual_income=_INCOME)
    return members


def _falls_ill(scene: Scene, person: Person, *, days: int) -> None:
    scene.settlement(person, on=scene.timeline.before_last(days), self_paid=_MUCH, insured=False)


def _refused(scene: Scene, *, ill: int | None, results: tuple[str, ...] = ("refused",)) -> Person:
    """Checked sixty days before the last list and every ten days again; a member fell ill some days before it."""
    members = _well_off(scene)
    for place, result in enumerate(results):
        on = scene.timeline.before_last(60 - 10 * place)
        scene.check(members[0], on=on, income=_INCOME // 12, result=result)
    if ill is not None:
        _falls_ill(scene, members[1], days=ill)
    return members[0]


def _refused_a_year_ago(scene: Scene, *, days_after: int) -> Person:
    """A child applied, so to say: any member's check is the household's."""
    members = _well_off(scene)
    scene.check(members[2], on=scene.timeline.after_year_ago(days_after), income=_INCOME // 12)
    _falls_ill(scene, members[1], days=20)
    return members[0]


def _refused_then_out_of_school(scene: Scene, *, days_before: int) -> Person:
    """The last list of a term is the first that says so; the check was so many days before it."""
    members = _well_off(scene)
    listed = scene.timeline.dates["education_assistance"][-1]
    scene.check(members[0], on=listed - timedelta(days=days_before), income=_INCOME // 12)
    scene.pupil(members[2]).change(-1, enrolment="suspended")
    return members[0]


def _refused_and_unsubsidised(scene: Scene) -> Person:
    """What came after is no lack of the basic living."""
    members = _well_off(scene)
    scene.check(members[0], on=scene.timeline.before_last(60), income=_INCOME // 12)
    scene.certificate(members[1], grade="1", care_subsidy=False, issued_on=scene.timeline.days(-20)).start(-1)
    scene.allowance(members[1:2])
    return members[0]


def _left(
    scene: Scene,
    *,
    end: int | None = None,
    gone: bool = False,
    trouble: bool = True,
    benefit: str = "minimum_allowance",
    days_after_year_ago: int | None = None,
) -> Person:
    """The wife's benefit ended; ``trouble`` is a house that is not safe."""
    members = _well_off(scene)
    last = None if end is None else scene.timeline.days(end)
    if days_after_year_ago is not None:
        last = scene.timeline.after_year_ago(days_after_year_ago)
    if benefit == "minimum_allowance":
        record = scene.allowance(members[1:2], end=last)[0]
    else:
        record = scene.hardship(members[1], end=last)
    record.change(0, start_date=scene.timeline.days(-900))
    if gone:
        record.change(-2, end_date=last)
        record.end(-1)
    if trouble:
        scene.house(members[0])
    return members[0]


def _left_and_covered_again(scene: Scene) -> Person:
    head = _left(scene, end=-40)
    scene.hardship(scene.home.members[3])
    return head


def _left_before_it_began(scene: Scene) -> Person:
    """The list of the month before last told of a benefit to come; it never came."""
    head = _left(scene, gone=True)
    next(record for record in scene.records if record.feed == "minimum_allowance").change(
        0, start_date=scene.timeline.days(20)
    )
    return head


def _left_onto_the_margin(scene: Scene, *, per_cent: int) -> Person:
    """The trouble is PT01 or PT02 where the income is no higher than the margin's."""
    person = scene.family("alone")[0]
    scene.allowance([person], end=scene.timeline.days(-30), income=scene.standard // 2)
    scene.check(person, on=scene.timeline.last, income=scene.standard * per_cent // 100)
    return person


def _left_unsubsidised(scene: Scene) -> Person:
    head = _left(scene, end=-40, trouble=False)
    scene.certificate(scene.home.members[1], grade="1", care_subsidy=False)
    return head


def _risks(
    scene: Scene, *, out_of_school: int = 0, unsafe: bool = False, lapsed: bool = False, unsubsidised: bool = False
) -> Person:
    """At risk and not covered, which is one; and more."""
    members = _well_off(scene, status="marginal")
    for child in members[2 : 2 + out_of_school]:
        scene.pupil(child, enrolment="suspended")
    if unsafe:
        scene.house(members[0])
    if lapsed:
        scene.certificate(members[1], grade="4", status="expired", living_subsidy=True)
    if unsubsidised:
        scene.certificate(members[0], grade="1", care_subsidy=False)
    return members[0]


def _risk_after_refusal(scene: Scene, *, unsafe: bool) -> Person:
    """A child that leaves school after a refusal is two of three."""
    head = _refused_then_out_of_school(scene, days_before=1)
    if unsafe:
        scene.house(head)
    return head


CASES = (
    Case("refusal.then_ill", "PT04", True, partial(_refused, ill=59)),
    Case("refusal.ill_on_the_day", "PT04", False, partial(_refused, ill=60)),
    Case("refusal.ill_before", "PT04", False, partial(_refused, ill=80)),
    Case("refusal.not_ill", "PT04", False, partial(_refused, ill=None)),
    Case("refusal.none", "PT04", False, partial(_refused, ill=20, results=("approved",))),
    Case("refusal.then_approved", "PT04", False, partial(_refused, ill=20, results=("refused", "approved"))),
    Case("refusal.after_approval", "PT04", True, partial(_refused, ill=20, results=("approved", "refused"))),
    Case("refusal.between_two", "PT04", False, partial(_refused, ill=55, results=("refused", "refused"))),
    Case("refusal.12_months_ago", "PT04", False, partial(_refused_a_year_ago, days_after=0)),
    Case("refusal.the_day_after", "PT04", True, partial(_refused_a_year_ago, days_after=1)),
    Case("refusal.then_out_of_school", "PT04", True, partial(_refused_then_out_of_school, days_before=1)),
    Case("refusal.out_of_school_that_day", "PT04", False, partial(_refused_then_out_of_school, days_before=0)),
    Case("refusal.then_no_subsidy", "PT04", False, _refused_and_unsubsidised),
    Case("left.yesterday", "PT05", True, partial(_left, end=-1)),
    Case("left.not_before_tomorrow", "PT05", False, partial(_left, end=0)),
    Case("left.12_months_ago", "PT05", False, partial(_left, days_after_year_ago=0)),
    Case("left.the_day_after", "PT05", True, partial(_left, days_after_year_ago=1)),
    Case("left.no_longer_listed", "PT05", True, partial(_left, gone=True)),
    Case("left.ended_12_months_ago_and_listed_since", "PT05", False, partial(_left, gone=True, days_after_year_ago=0)),
    Case("left.ended_the_day_after_and_listed_since", "PT05", True, partial(_left, gone=True, days_after_year_ago=1)),
    Case("left.special_hardship", "PT05", True, partial(_left, benefit="special_hardship", end=-1)),
    Case("left.special_hardship_list", "PT05", True, partial(_left, benefit="special_hardship", gone=True)),
    Case("left.covered_again", "PT05", False, _left_and_covered_again),
    Case("left.before_it_began", "PT05", False, _left_before_it_began),
    Case("left.no_trouble", "PT05", False, partial(_left, end=-1, trouble=False)),
    Case("left.no_subsidy", "PT05", False, _left_unsubsidised),
    Case("left.below_standard", "PT05", True, partial(_left_onto_the_margin, per_cent=90)),
    Case("left.on_the_margin", "PT05", True, partial(_left_onto_the_margin, per_cent=120)),
    Case("left.above_the_margin", "PT05", False, partial(_left_onto_the_margin, per_cent=200)),
    Case("risks.one", "MR01", False, _risks),
    Case("risks.two", "MR01", False, partial(_risks, out_of_school=1)),
    Case("risks.two_of_one_kind", "MR01", False, partial(_risks, out_of_school=2)),
    Case("risks.three", "MR01", True, partial(_risks, out_of_school=1, unsafe=True)),
    Case("risks.third_opens_a_review", "MR01", False, partial(_risks, out_of_school=1, lapsed=True)),
    Case("risks.third_is_a_gap", "MR01", True, partial(_risks, out_of_school=1, unsubsidised=True)),
    Case("risks.refused_and_out_of_school", "MR01", False, partial(_risk_after_refusal, unsafe=False)),
    Case("risks.refused_out_of_school_and_unsafe", "MR01", True, partial(_risk_after_refusal, unsafe=True)),
)
