"""SG01, SG02, SG03: children, elders and women whom the young left behind."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _child(
    scene: Scene, *, guardian: bool = True, capable: bool | None = False, age: int = 9, in_days: int = 0
) -> Person:
    members = scene.family("skipped_generation")
    scene.aged(members[2], age, in_days=in_days)
    scene.left_behind(members[2], guardian=members[0] if guardian else None, guardian_capable=capable)
    return members[2]


def _child_whose_guardian_is(scene: Scene, *, named: bool, numbered: bool) -> Person:
    """Whether the guardian can is not said; only a name, or only an ID, is."""
    child = _child(scene, capable=None)
    empty = {} if named else {"guardian_name": None}
    scene.records[-1].change(0, **empty if numbered else empty | {"guardian_citizen_id": None})
    return child


def _guardian_grown_old(scene: Scene) -> Person:
    child = _child(scene, capable=True)
    scene.records[-1].change(-1, guardian_capable=False)
    return child


def _no_longer_left_behind(scene: Scene) -> Person:
    child = _child(scene)
    scene.records[-1].end(-1)
    return child


def _elder(
    scene: Scene, *, age: int = 70, in_days: int = 0, grade: str | None = None, kind: str = "elder", expires: int = 0
) -> Person:
    elder = scene.family("elder_alone")[0]
    scene.aged(elder, age, in_days=in_days)
    scene.left_behind(elder, kind=kind)
    if grade:
        scene.certificate(elder, grade=grade, expires_on=scene.timeline.days(expires))
    return elder


def _woman(scene: Scene, *, per_cent: int = 120, covered: slice | None = None, end: int = 0) -> Person:
    """Of a registered household that is not at risk."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.standard * 12 * per_cent // 100)
    if covered:
        scene.allowance(members[covered], end=scene.timeline.days(end), income=scene.standard)
    scene.left_behind(members[1], kind="woman")
    return members[1]


CASES = (
    Case("guardian.not_capable", "SG01", True, _child),
    Case("guardian.capable", "SG01", False, partial(_child, capable=True)),
    Case("guardian.not_known_to_be_capable", "SG01", False, partial(_child, capable=None)),
    Case("guardian.none", "SG01", True, partial(_child, guardian=False, capable=None)),
    Case("guardian.only_a_name", "SG01", False, partial(_child_whose_guardian_is, named=True, numbered=False)),
    Case("guardian.only_an_id", "SG01", False, partial(_child_whose_guardian_is, named=False, numbered=True)),
    Case("guardian.neither", "SG01", True, partial(_child_whose_guardian_is, named=False, numbered=False)),
    Case("guardian.no_longer_capable", "SG01", True, _guardian_grown_old),
    Case("guardian.of_one_sixteen_today", "SG01", False, partial(_child, age=16)),
    Case("guardian.of_one_sixteen_tomorrow", "SG01", True, partial(_child, age=16, in_days=1)),
    Case("guardian.parents_are_back", "SG01", False, _no_longer_left_behind),
    Case("elder.eighty_today", "SG02", True, partial(_elder, age=80)),
    Case("elder.eighty_tomorrow", "SG02", False, partial(_elder, age=80, in_days=1)),
    Case("elder.severely_disabled", "SG02", True, partial(_elder, grade="1")),
    Case("elder.disabled", "SG02", False, partial(_elder, grade="3")),
    Case("elder.certificate_expired_yesterday", "SG02", False, partial(_elder, grade="1", expires=-1)),
    Case("elder.of_another_kind", "SG02", False, partial(_elder, age=85, kind="woman")),
    Case("woman.on_margin", "SG03", True, _woman),
    Case("woman.above_margin", "SG03", False, partial(_woman, per_cent=150)),
    Case("woman.only_child_covered", "SG03", True, partial(_woman, covered=slice(2, 3))),
    Case("woman.covered_until_today", "SG03", False, partial(_woman, covered=slice(1, 2))),
    Case("woman.coverage_ended_yesterday", "SG03", True, partial(_woman, covered=slice(1, 2), end=-1)),
)
