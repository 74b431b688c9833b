"""Rows that are refused: what was known before them must keep standing, and nothing of theirs may count."""

from collections.abc import Callable
from functools import partial

from doudi.synth.people import Person
from doudi.synth.records import Beside, Fault
from doudi.synth.scene import Case, Scene
from doudi.synth.standards import LARGE_SELF_PAY_FEN

_MUCH = LARGE_SELF_PAY_FEN + 2_000_00
_BAD_AMOUNT = Fault("type.money", "annual_income_per_capita", text="五千元整")
_NO_HOUSEHOLD = Fault("required", "household_no", text="")
_NO_CERTIFICATE = Fault("required", "certificate_no", text="")


def _bad_check_character(column: str, number: str) -> Fault:
    return Fault("citizen_id.check_character", column, text=number[:17] + ("1" if number[17] != "1" else "2"))


def _head_status_refused(scene: Scene, *, before: str, now: str, fault: Fault | None = None) -> Person:
    """The household's status changes last month, but the head's row of that month is refused."""
    members = scene.family("couple_one_child")
    heads, *_ = records = scene.poverty(members, status=before)
    for record in records:
        record.change(-1, status=now)
    scene.refuse(heads, fault or _bad_check_character("citizen_id", members[0].citizen_id))
    return members[0]


def _refused_twice(scene: Scene) -> Person:
    members = scene.family("couple_one_child")
    records = scene.poverty(members, status="unstable")
    for record in records:
        record.change(-2, status="lifted")
    scene.refuse(records[0], _BAD_AMOUNT, index=-2)
    scene.refuse(records[0], _NO_HOUSEHOLD, index=-1)
    return members[0]


def _refused_then_gone(scene: Scene) -> Person:
    """A refused row keeps the household for a month; that it is not in the next list ends it."""
    members = scene.family("couple_one_child")
    for record in scene.poverty(members):
        record.end(-1)
        scene.refuse(record, Fault("code", "labour", text="未知"), index=-2)
    return members[0]


def _broken_line(scene: Scene, *, line: str) -> Person:
    """The line cannot be read as a record, yet its record may not end: the head's status stays as it was."""
    rule = {"extra": "line.columns", "encoding": "line.encoding", "nul": "line.nul"}[line]
    return _head_status_refused(scene, before="unstable", now="lifted", fault=Fault(rule, line=line))


def _allowance_refused(scene: Scene, *, fault: Fault) -> Person:
    members = scene.family("one_parent")
    scene.poverty(members)
    scene.refuse(scene.allowance(members[1:2])[0], fault)
    return members[0]


def _joins_with_too_many_covered(scene: Scene) -> Person:
    members = scene.family("couple_one_child")
    scene.poverty(members)
    for record in scene.allowance(members, covered_members=4):
        record.start(-1)
        scene.refuse(record, Fault("covered_members_within_household"))
    return members[0]


def _hardship_known_by_name(scene: Scene) -> Person:
    """The certificate's number, which is the only key, is missing: the name tells whose row it is."""
    members = scene.family("three_generations", unique_names=True)
    scene.poverty(members)
    scene.refuse(scene.hardship(members[4]), _NO_CERTIFICATE)
    return members[0]


def _hardship_ends_before_start(scene: Scene) -> Person:
    members = scene.family("three_generations")
    scene.poverty(members)
    record = scene.hardship(members[4], start=scene.timeline.days(-500))
    scene.refuse(record, Fault("end_not_before_start", edits={"end_date": scene.timeline.days(-501)}))
    return members[0]


def _house_known_by_name(scene: Scene) -> Person:
    head = scene.family("elder_couple", unique_names=True)[0]
    record = scene.house(head)
    record.change(-1, works="completed", completed_on=scene.timeline.before_last(20))
    scene.refuse(record, _bad_check_character("head_citizen_id", head.citizen_id))
    return head


def _care_subsidy_refused(scene: Scene) -> Person:
    person = scene.family("couple_one_child")[1]
    record = scene.certificate(person, grade="1", care_subsidy=False)
    record.change(-1, care_subsidy=True)
    scene.refuse(record, Fault("type.bool", "care_subsidy", text="已申请"))
    return person


def _new_certificate_of_other_grade(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    record = scene.certificate(person, grade="3", issued_on=scene.timeline.before_last(15))
    scene.refuse(record, Fault("certificate_matches_holder", edits={"grade": "1"}))
    return person


def _settlement_refused(scene: Scene, *, first: int, correction: int | None) -> Person:
    """A settlement, or the correction of one, whose parts do not add up."""
    members = scene.family("elder_couple")
    scene.allowance(members)
    record = scene.settlement(members[0], on=scene.timeline.before_last(100), self_paid=first)
    fault = Fault("settlement_adds_up", edits={"total_cost": 99_999_00})
    if correction is None:
        scene.refuse(record, fault, index=next(i for i, row in enumerate(record.states) if row))
    else:
        scene.correct(record, index=-1, self_paid=correction)
        scene.refuse(record, fault)
    return members[0]


def _check_without_authorisation(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    record = scene.check(person, on=scene.timeline.before_last(10), income=scene.standard // 2)
    scene.refuse(record, Fault("required", "authorisation_no", text=""))
    return person


def _sent_twice(scene: Scene, *, first: str, second: str) -> Person:
    """Two rows of one key in one delivery: the first stands."""
    members = scene.family("couple_one_child")
    for record in scene.poverty(members, status=first):
        fault = Fault("duplicate_key", edits={"status": second})
        record.beside.append(Beside(len(record.states) - 1, record.states[-1], fault))
    return members[0]


def _second_is_whole(scene: Scene) -> Person:
    """The first of two rows is refused for its content, so the second is the first valid one and stands."""
    members = scene.family("couple_one_child")
    for record in scene.poverty(members, status="unstable"):
        row = {**record.states[-1], "status": "lifted"}
        record.beside.append(Beside(len(record.states) - 1, row, _BAD_AMOUNT, first=True))
    return members[0]


def _child_known_by_name(scene: Scene) -> Person:
    """In two registers whose only key is the citizen ID."""
    grandfather, _, child, other = scene.family("skipped_generation", unique_names=True)
    scene.refuse(
        scene.left_behind(child, guardian=grandfather, guardian_capable=True),
        _bad_check_character("citizen_id", child.citizen_id),
    )
    scene.refuse(scene.child_protection(other), _bad_check_character("citizen_id", other.citizen_id))
    return grandfather


def _refusal(name: str, indicator: str, expected: bool, build: Callable[..., Person], **values: object) -> Case:
    return Case(f"refused.{name}", indicator, expected, partial(build, **values), faulty=True)


CASES = (
    _refusal("newly_at_risk", "RP03", False, _head_status_refused, before="lifted", now="unstable", fault=_BAD_AMOUNT),
    _refusal("no_longer_at_risk", "RP03", True, _head_status_refused, before="unstable", now="lifted"),
    _refusal("two_months", "RP03", True, _refused_twice),
    _refusal("then_gone", "RP03", False, _refused_then_gone),
    _refusal("line_too_long", "RP03", True, _broken_line, line="extra"),
    _refusal("line_no_text", "RP03", True, _broken_line, line="encoding"),
    _refusal("line_with_nul", "RP03", True, _broken_line, line="nul"),
    _refusal("coverage_stands", "RP03", False, _allowance_refused, fault=Fault("code", "area_type", text="城乡")),
    _refusal("coverage_stands_without_number", "RP03", False, _allowance_refused, fault=_NO_CERTIFICATE),
    _refusal("coverage_never_begins", "RP03", True, _joins_with_too_many_covered),
    _refusal("hardship_stands", "RP03", False, _hardship_ends_before_start),
    _refusal("hardship_known_by_name", "RP03", False, _hardship_known_by_name),
    _refusal("sent_twice_at_risk_first", "RP03", True, _sent_twice, first="unstable", second="lifted"),
    _refusal("sent_twice_lifted_first", "RP03", False, _sent_twice, first="lifted", second="unstable"),
    _refusal("second_is_whole", "RP03", True, _second_is_whole),
    _refusal("settlement", "BL01", False, _settlement_refused, first=_MUCH, correction=None),
    _refusal("correction_downwards", "BL01", True, _settlement_refused, first=_MUCH, correction=3_000_00),
    _refusal("correction_upwards", "BL01", False, _settlement_refused, first=3_000_00, correction=_MUCH),
    _refusal("new_certificate", "BL04", False, _new_certificate_of_other_grade),
    _refusal("house_known_by_name", "BL08", True, _house_known_by_name),
    _refusal("child_known_by_name", "BL08", False, _child_known_by_name),
    _refusal("check", "PT01", False, _check_without_authorisation),
    _refusal("care_subsidy", "CG03", True, _care_subsidy_refused),
)
