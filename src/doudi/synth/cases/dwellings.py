"""BL08: unsafe only homes."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene


def _house(scene: Scene, *, grade: str = "D", works: str = "under_way", only_home: bool = True) -> Person:
    head = scene.family("elder_couple")[0]
    scene.house(head, grade=grade, works=works, only_home=only_home)
    return head


def _completed_last_month(scene: Scene) -> Person:
    head = scene.family("elder_couple")[0]
    last = scene.timeline.last
    scene.house(head).change(-1, works="completed", completed_on=last)
    return head


def _grandfathers_house(scene: Scene) -> Person:
    """Housing names the grandfather; the household's head is his son."""
    members = scene.family("both_grandparents")
    scene.poverty(members, status="lifted")
    scene.house(members[3])
    return members[0]


def _not_the_grandfather(scene: Scene) -> Person:
    _grandfathers_house(scene)
    return scene.home.members[3]


def _two_houses(scene: Scene) -> Person:
    """Two members are each named for a house; the household is warned about once."""
    members = scene.family("both_grandparents")
    scene.allowance(members)
    scene.house(members[0], grade="C")
    scene.house(members[4])
    return members[0]


CASES = (
    Case("works.under_way", "BL08", True, _house),
    Case("works.completed", "BL08", False, partial(_house, works="completed")),
    Case("works.completed_last_month", "BL08", False, _completed_last_month),
    Case("works.listed", "BL08", True, partial(_house, works="listed")),
    Case("works.not_listed", "BL08", True, partial(_house, works="not_listed")),
    Case("grade.c", "BL08", True, partial(_house, grade="C")),
    Case("grade.b", "BL08", False, partial(_house, grade="B")),
    Case("home.not_the_only_one", "BL08", False, partial(_house, only_home=False)),
    Case("home.in_grandfathers_name", "BL08", True, _grandfathers_house),
    Case("home.grandfather_is_not_the_head", "BL08", False, _not_the_grandfather),
    Case("home.two_of_one_household", "BL08", True, _two_houses),
)
