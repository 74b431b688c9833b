"""CR01 to CR05: registers that contradict one another or pay twice."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _two_benefits(scene: Scene, *, end: int | None = None, start: int | None = None) -> Person:
    """``start`` and ``end`` are the special hardship's, counted from the day asked about."""
    person = scene.family("elder_alone")[0]
    days = scene.timeline.days
    scene.allowance([person])
    scene.hardship(person, start=None if start is None else days(start), end=None if end is None else days(end))
    return person


def _couple_with_one_each(scene: Scene) -> Person:
    members = scene.family("elder_couple")
    scene.allowance(members[:1])
    scene.hardship(members[1])
    return members[0]


def _two_counties(scene: Scene, *, end: int | None = None, start: int | None = None, gone: bool = False) -> Person:
    """On the county's list and on its neighbour's."""
    person = scene.family("alone")[0]
    days = scene.timeline.days
    scene.allowance([person])
    record = scene.allowance_elsewhere(
        person, start=None if start is None else days(start), end=None if end is None else days(end)
    )
    if gone:
        record.end(-1)
    return person


def _two_certificates(scene: Scene) -> Person:
    """Both of one county."""
    person = scene.family("alone")[0]
    scene.allowance([person])
    scene.allowance([person])[0].change(0, certificate_no=f"DB{person.citizen_id}")
    return person


def _elsewhere_only(scene: Scene) -> Person:
    person = scene.family("alone")[0]
    scene.allowance_elsewhere(person)
    return person


def _hardship_and_subsidy(
    scene: Scene, *, living_subsidy: bool = True, status: str = "valid", end: int | None = None
) -> Person:
    person = scene.family("elder_alone")[0]
    scene.hardship(person, end=None if end is None else scene.timeline.days(end))
    scene.certificate(person, grade="3", living_subsidy=living_subsidy, care_subsidy=False, status=status)
    return person


def _named(scene: Scene, *, name: str | None, until_last_month: bool = False) -> Person:
    """The disabled persons' federation knows somebody by another name than the poverty register."""
    person = scene.family("couple_one_child")[1]
    scene.poverty(scene.home.members, status="lifted")
    record = scene.certificate(person, grade="4")
    own = person.name
    record.change(0, name=name or f"{own[:-1]}{'玉' if own[-1] != '玉' else '秀'}")
    if until_last_month:
        record.change(-1, name=own)
    return person


def _named_with_spaces(scene: Scene) -> Person:
    """Written with a space in the middle, which is no other name."""
    person = scene.family("couple_one_child")[1]
    scene.poverty(scene.home.members, status="lifted")
    scene.certificate(person, grade="4").change(0, name=f"{person.name[:1]} {person.name[1:]}")
    return person


def _named_in_one_feed(scene: Scene) -> Person:
    """Two names, but the same department's: it knows best."""
    person = scene.family("alone")[0]
    scene.settlement(person, on=scene.timeline.before_last(60), self_paid=200_00)
    second = scene.settlement(person, on=scene.timeline.before_last(30), self_paid=300_00)
    second.change(0, name=f"{person.name}子")
    return person


def _named_as(scene: Scene, *, role: str) -> Person:
    """Somebody else's row calls the grandfather otherwise, as guardian or as head."""
    grandfather, _, child, _ = scene.family("skipped_generation")
    scene.poverty(scene.home.members, status="lifted")
    if role == "guardian":
        record = scene.left_behind(child, guardian=grandfather, guardian_capable=True)
        record.change(0, guardian_name=f"{grandfather.name}阿普")
    else:
        record = scene.allowance([child], head=grandfather)[0]
        record.change(0, head_name=f"{grandfather.name}阿普")
    return grandfather


def _subsidised(
    scene: Scene,
    *,
    status: str = "valid",
    expires: int | None = None,
    living_subsidy: bool = False,
    care_subsidy: bool = True,
) -> Person:
    person = scene.family("couple_one_child")[1]
    scene.certificate(
        person,
        grade="2",
        status=status,
        expires_on=None if expires is None else scene.timeline.days(expires),
        living_subsidy=living_subsidy,
        care_subsidy=care_subsidy,
    )
    return person


def _renewed(scene: Scene) -> Person:
    """A valid certificate beside it does not make the lapsed one's subsidy right."""
    person = _subsidised(scene, status="expired")
    scene.certificate(person, grade="2", reissue=1, issued_on=scene.timeline.days(-100), care_subsidy=False)
    return person


CASES = (
    Case("benefits.both", "CR01", True, _two_benefits),
    Case("benefits.second_ends_today", "CR01", True, partial(_two_benefits, end=0)),
    Case("benefits.second_ended_yesterday", "CR01", False, partial(_two_benefits, end=-1)),
    Case("benefits.second_starts_today", "CR01", True, partial(_two_benefits, start=0)),
    Case("benefits.second_starts_tomorrow", "CR01", False, partial(_two_benefits, start=1)),
    Case("benefits.one_each", "CR01", False, _couple_with_one_each),
    Case("counties.two", "CR02", True, _two_counties),
    Case("counties.second_ends_today", "CR02", True, partial(_two_counties, end=0)),
    Case("counties.second_ended_yesterday", "CR02", False, partial(_two_counties, end=-1)),
    Case("counties.second_starts_today", "CR02", True, partial(_two_counties, start=0)),
    Case("counties.second_starts_tomorrow", "CR02", False, partial(_two_counties, start=1)),
    Case("counties.second_no_longer_lists", "CR02", False, partial(_two_counties, gone=True)),
    Case("counties.two_certificates_in_one", "CR02", False, _two_certificates),
    Case("counties.elsewhere_only", "CR02", False, _elsewhere_only),
    Case("hardship.with_living_subsidy", "CR03", True, _hardship_and_subsidy),
    Case("hardship.on_cancelled_certificate", "CR03", True, partial(_hardship_and_subsidy, status="cancelled")),
    Case("hardship.without", "CR03", False, partial(_hardship_and_subsidy, living_subsidy=False)),
    Case("hardship.ends_today", "CR03", True, partial(_hardship_and_subsidy, end=0)),
    Case("hardship.ended_yesterday", "CR03", False, partial(_hardship_and_subsidy, end=-1)),
    Case("names.differ", "CR04", True, partial(_named, name=None)),
    Case("names.differed_until_last_month", "CR04", False, partial(_named, name=None, until_last_month=True)),
    Case("names.differ_by_spaces", "CR04", False, _named_with_spaces),
    Case("names.differ_in_one_feed", "CR04", False, _named_in_one_feed),
    Case("names.guardian", "CR04", True, partial(_named_as, role="guardian")),
    Case("names.head", "CR04", True, partial(_named_as, role="head")),
    Case("lapsed.care_subsidy", "CR05", True, partial(_subsidised, status="expired")),
    Case(
        "lapsed.living_subsidy",
        "CR05",
        True,
        partial(_subsidised, status="cancelled", living_subsidy=True, care_subsidy=False),
    ),
    Case("lapsed.no_subsidy", "CR05", False, partial(_subsidised, status="expired", care_subsidy=False)),
    Case("lapsed.not", "CR05", False, _subsidised),
    Case("lapsed.expires_today", "CR05", False, partial(_subsidised, expires=0)),
    Case("lapsed.expired_yesterday", "CR05", True, partial(_subsidised, expires=-1)),
    Case("lapsed.renewed", "CR05", True, _renewed),
)
