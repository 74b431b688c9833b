"""BL04, CG02, CG03: disability certificates that should bring help and do not."""

from datetime import date
from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _new(scene: Scene, *, issued: int = -40, grade: str = "2", category: str = "4", **values: object) -> Person:
    """A certificate issued so many days from the day asked about, whose holder no other register knows."""
    person = scene.family("alone")[0]
    scene.certificate(person, grade=grade, category=category, issued_on=scene.timeline.days(issued), **values)
    return person


def _new_until(scene: Scene, *, expires: int) -> Person:
    return _new(scene, expires_on=scene.timeline.days(expires))


def _new_and_family_covered(scene: Scene, *, covered: slice, end: int | None = None) -> Person:
    """Head and spouse; the spouse has the certificate, ``covered`` of them the allowance."""
    members = scene.family("young_couple")
    scene.allowance(members[covered], end=None if end is None else scene.timeline.days(end))
    scene.certificate(members[1], issued_on=scene.timeline.days(-40))
    return members[1]


def _new_in_special_hardship(scene: Scene) -> Person:
    person = scene.family("elder_alone")[0]
    scene.hardship(person)
    scene.certificate(person, issued_on=scene.timeline.days(-40))
    return person


def _two_new(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    scene.certificate(person, category="1", grade="1", issued_on=scene.timeline.days(-60))
    scene.certificate(person, category="7", grade="1", issued_on=scene.timeline.days(-30))
    return person


def _on_allowance(
    scene: Scene,
    *,
    living_subsidy: bool = False,
    start: int | None = None,
    end: int | None = None,
    expires: int | None = None,
    **values: object,
) -> Person:
    person = scene.family("alone")[0]
    scene.allowance([person], start=_day(scene, start), end=_day(scene, end))
    scene.certificate(
        person, grade="4", living_subsidy=living_subsidy, care_subsidy=False, expires_on=_day(scene, expires), **values
    )
    return person


def _day(scene: Scene, days: int | None) -> date | None:
    return None if days is None else scene.timeline.days(days)


def _on_both_benefits(scene: Scene, *, hardship_end: int | None = None) -> Person:
    person = scene.family("elder_alone")[0]
    scene.allowance([person])
    scene.hardship(person, end=_day(scene, hardship_end))
    scene.certificate(person, grade="4", care_subsidy=False)
    return person


def _reissued(scene: Scene, *, old_status: str) -> Person:
    """The subsidy hangs on the old certificate, which is still listed beside the new one."""
    person = scene.family("alone")[0]
    scene.allowance([person])
    scene.certificate(person, grade="3", living_subsidy=True, care_subsidy=False, status=old_status)
    scene.certificate(
        person, grade="3", care_subsidy=False, reissue=1, issued_on=scene.timeline.days(-100), living_subsidy=False
    )
    return person


def _subsidy_lost(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    scene.allowance([person])
    record = scene.certificate(person, grade="4", living_subsidy=True, care_subsidy=False)
    record.change(-1, living_subsidy=False)
    return person


def _severe(
    scene: Scene, *, grade: str = "1", care_subsidy: bool = False, expires: int | None = None, **values: object
) -> Person:
    person = scene.family("couple_one_child")[1]
    scene.certificate(person, grade=grade, care_subsidy=care_subsidy, expires_on=_day(scene, expires), **values)
    return person


def _severe_in_special_hardship(scene: Scene, *, start: int | None = None, end: int | None = None) -> Person:
    person = scene.family("elder_alone")[0]
    scene.hardship(person, start=_day(scene, start), end=_day(scene, end))
    scene.certificate(person, grade="1", care_subsidy=False)
    return person


def _care_on_one_of_two(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    scene.certificate(person, category="1", grade="2", care_subsidy=True)
    scene.certificate(person, category="7", grade="1", care_subsidy=False)
    return person


CASES = (
    Case("issued.90_days_ago", "BL04", False, partial(_new, issued=-90)),
    Case("issued.89_days_ago", "BL04", True, partial(_new, issued=-89)),
    Case("severity.grade_1", "BL04", True, partial(_new, grade="1", category="1")),
    Case("severity.grade_3_limb", "BL04", False, partial(_new, grade="3", category="4")),
    Case("severity.grade_3_intellectual", "BL04", True, partial(_new, grade="3", category="5")),
    Case("severity.grade_3_mental", "BL04", True, partial(_new, grade="3", category="6")),
    Case("severity.grade_3_multiple", "BL04", False, partial(_new, grade="3", category="7")),
    Case("severity.grade_4_mental", "BL04", False, partial(_new, grade="4", category="6")),
    Case("certificate.expires_today", "BL04", True, partial(_new_until, expires=0)),
    Case("certificate.expired_yesterday", "BL04", False, partial(_new_until, expires=-1)),
    Case("certificate.cancelled", "BL04", False, partial(_new, status="cancelled")),
    Case("certificate.marked_expired", "BL04", False, partial(_new, status="expired")),
    Case("certificate.two_new_ones", "BL04", True, _two_new),
    Case("holder.covered", "BL04", False, partial(_new_and_family_covered, covered=slice(0, 2))),
    Case("holder.only_spouse_covered", "BL04", True, partial(_new_and_family_covered, covered=slice(0, 1))),
    Case(
        "holder.coverage_ended_yesterday", "BL04", True, partial(_new_and_family_covered, covered=slice(0, 2), end=-1)
    ),
    Case("holder.special_hardship", "BL04", False, _new_in_special_hardship),
    Case("living_subsidy.no", "CG02", True, _on_allowance),
    Case("living_subsidy.yes", "CG02", False, partial(_on_allowance, living_subsidy=True)),
    Case("living_subsidy.lost_last_month", "CG02", True, _subsidy_lost),
    Case("living_subsidy.certificate_expires_today", "CG02", True, partial(_on_allowance, expires=0)),
    Case("living_subsidy.certificate_expired_yesterday", "CG02", False, partial(_on_allowance, expires=-1)),
    Case("living_subsidy.certificate_cancelled", "CG02", False, partial(_on_allowance, status="cancelled")),
    Case("living_subsidy.allowance_ends_today", "CG02", True, partial(_on_allowance, end=0)),
    Case("living_subsidy.allowance_ended_yesterday", "CG02", False, partial(_on_allowance, end=-1)),
    Case("living_subsidy.allowance_starts_today", "CG02", True, partial(_on_allowance, start=0)),
    Case("living_subsidy.allowance_starts_tomorrow", "CG02", False, partial(_on_allowance, start=1)),
    Case("living_subsidy.special_hardship_too", "CG02", False, _on_both_benefits),
    Case("living_subsidy.special_hardship_ended", "CG02", True, partial(_on_both_benefits, hardship_end=-1)),
    Case("living_subsidy.on_cancelled_certificate", "CG02", True, partial(_reissued, old_status="cancelled")),
    Case("living_subsidy.on_other_valid_certificate", "CG02", False, partial(_reissued, old_status="valid")),
    Case("care_subsidy.no", "CG03", True, _severe),
    Case("care_subsidy.yes", "CG03", False, partial(_severe, care_subsidy=True)),
    Case("care_subsidy.grade_2", "CG03", True, partial(_severe, grade="2")),
    Case("care_subsidy.grade_3", "CG03", False, partial(_severe, grade="3", category="6")),
    Case("care_subsidy.certificate_expires_today", "CG03", True, partial(_severe, expires=0)),
    Case("care_subsidy.certificate_expired_yesterday", "CG03", False, partial(_severe, expires=-1)),
    Case("care_subsidy.special_hardship", "CG03", False, _severe_in_special_hardship),
    Case("care_subsidy.special_hardship_ends_today", "CG03", False, partial(_severe_in_special_hardship, end=0)),
    Case("care_subsidy.special_hardship_ended_yesterday", "CG03", True, partial(_severe_in_special_hardship, end=-1)),
    Case("care_subsidy.special_hardship_starts_tomorrow", "CG03", True, partial(_severe_in_special_hardship, start=1)),
    Case("care_subsidy.on_one_of_two_certificates", "CG03", False, _care_on_one_of_two),
)
