"""RP01, RP02, RP04, RP05, RP06: what happens to households of the poverty register."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.places import COUNTY
from doudi.synth.scene import Case, Scene

_THEN, _FALLEN = 10_000_00, 7_000_00  # 70 per cent of it


def _income(scene: Scene, *, fen: int) -> Person:
    """Registered with the line's income plus some fen."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.world.standards.poverty_line + fen)
    return members[0]


def _income_since_last_month(scene: Scene, *, before: int, now: int) -> Person:
    members = scene.family("couple_one_child")
    line = scene.world.standards.poverty_line
    for record in scene.poverty(members, annual_income=line + before):
        record.change(-1, annual_income_per_capita=line + now)
    return members[0]


def _income_of_others(scene: Scene, *, head: int, others: int) -> Person:
    """The rows of one household say different incomes: the head's counts."""
    members = scene.family("couple_one_child")
    line = scene.world.standards.poverty_line
    records = scene.poverty(members, status="lifted", annual_income=line + others)
    records[0].change(0, annual_income_per_capita=line + head)
    return members[0]


def _poor_but_not_registered(scene: Scene) -> Person:
    members = scene.family("couple_one_child")
    scene.allowance(members, income=10_00)
    return members[0]


def _fell(scene: Scene, *, now: int = _FALLEN, then: int = _THEN) -> Person:
    members = scene.family("couple_two_children")
    records = scene.poverty(members, status="lifted", annual_income=now)
    scene.a_year_before(records, annual_income_per_capita=then)
    return members[0]


def _fell_before(scene: Scene) -> Person:
    """The list of a year ago already had the lower income; the one before it had not."""
    members = scene.family("couple_two_children")
    for record in scene.poverty(members, status="lifted", annual_income=_THEN):
        record.change(scene.timeline.held_on("poverty_register", scene.timeline.year_ago), **_income_row(_FALLEN))
    return members[0]


def _fell_after(scene: Scene) -> Person:
    """The first list after that of a year ago brought the lower income."""
    members = scene.family("couple_two_children")
    for record in scene.poverty(members, status="lifted", annual_income=_THEN):
        record.change(scene.timeline.held_on("poverty_register", scene.timeline.year_ago) + 1, **_income_row(_FALLEN))
    return members[0]


def _income_row(income: int) -> dict[str, int]:
    return {"annual_income_per_capita": income}


def _registered_since(scene: Scene) -> Person:
    """A year ago the household was registered under another number."""
    members = scene.family("couple_one_child")
    for record in scene.poverty(members, status="lifted", annual_income=_FALLEN):
        record.start(scene.timeline.held_on("poverty_register", scene.timeline.year_ago) + 1)
    other = f"{COUNTY}{scene.home.number:08d}7"
    for record in scene.poverty(members, status="lifted", annual_income=_THEN, household_no=other):
        record.end(scene.timeline.held_on("poverty_register", scene.timeline.year_ago) + 1)
    return members[0]


def _fell_with_another_head(scene: Scene, *, eldest_then: int, others_then: int) -> Person:
    """Nobody was marked as head then, so the eldest's row is the one that counts."""
    members = scene.family("three_generations")
    records = scene.poverty(members, status="lifted", annual_income=_FALLEN)
    scene.a_year_before(records[:4], annual_income_per_capita=others_then, relation_to_head="other")
    scene.a_year_before(records[4:], annual_income_per_capita=eldest_then, relation_to_head="other")
    return members[0]


def _working(
    scene: Scene, *, labour: str = "ordinary", status: str = "unstable", age: int = 40, in_days: int = 0
) -> Person:
    """An at-risk household of one person who grows so old today or some days later."""
    person = scene.family("alone")[0]
    scene.aged(person, age, in_days=in_days)
    scene.poverty([person], status=status, labour=labour)
    return person


def _one_of_three_works(scene: Scene, *, now: str) -> Person:
    """The wife is the only one who could work, until her row of last month."""
    members = scene.family("couple_one_child")
    scene.aged(members[1], 30)
    records = scene.poverty(members, labour="weak")
    records[1].change(0, labour="skilled")
    records[1].change(-1, labour=now)
    return members[0]


def _ill(scene: Scene, *, fen: int, days_after_year_ago: int = 200, registered: bool = True) -> Person:
    """Half the disposable income plus some fen, paid in two parts of which the first may be too old."""
    members = scene.family("elder_couple")
    if registered:
        scene.poverty(members, status="lifted", annual_income=30_000_00)
    else:
        scene.allowance(members)
    amount = scene.world.standards.rural_income // 2 + fen
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.settlement(members[1], on=on, self_paid=amount - 1_000_00)
    scene.settlement(members[1], on=scene.timeline.before_last(5), self_paid=1_000_00)
    return members[1]


def _both_ill(scene: Scene) -> Person:
    """Together they paid more than half; each by himself did not."""
    members = scene.family("elder_couple")
    scene.poverty(members, status="lifted", annual_income=30_000_00)
    for person in members:
        scene.settlement(person, on=scene.timeline.before_last(40), self_paid=scene.world.standards.rural_income // 3)
    return members[0]


def _lifted(scene: Scene, *, fen: int, status: str = "lifted", covered: bool = False) -> Person:
    """With the yearly standard plus some fen."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status=status, annual_income=scene.standard * 12 + fen)
    if covered:
        scene.allowance(members[2:3], end=scene.timeline.days(0))
    return members[0]


def _lifted_and_checked(scene: Scene, *, checked: int) -> Person:
    """A check of the last list's day goes before the register's income, which is below the standard."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status="lifted", annual_income=scene.standard * 11)
    scene.check(members[1], on=scene.timeline.last, income=scene.standard + checked)
    return members[0]


CASES = (
    Case("line.one_fen_below", "RP01", True, partial(_income, fen=-1)),
    Case("line.at_it", "RP01", False, partial(_income, fen=0)),
    Case("line.below_since_last_month", "RP01", True, partial(_income_since_last_month, before=0, now=-1)),
    Case("line.below_until_last_month", "RP01", False, partial(_income_since_last_month, before=-1, now=0)),
    Case("line.only_the_head_below", "RP01", True, partial(_income_of_others, head=-1, others=0)),
    Case("line.only_others_below", "RP01", False, partial(_income_of_others, head=0, others=-1)),
    Case("line.not_registered", "RP01", False, _poor_but_not_registered),
    Case("fall.to_exactly_70_per_cent", "RP02", True, _fell),
    Case("fall.one_fen_less", "RP02", False, partial(_fell, now=_FALLEN + 1)),
    Case("fall.from_nothing", "RP02", False, partial(_fell, now=0, then=0)),
    Case("fall.to_nothing", "RP02", True, partial(_fell, now=0)),
    Case("fall.already_a_year_ago", "RP02", False, _fell_before),
    Case("fall.just_after_a_year_ago", "RP02", True, _fell_after),
    Case("fall.registered_under_another_number", "RP02", False, _registered_since),
    Case(
        "fall.eldest_had_more", "RP02", True, partial(_fell_with_another_head, eldest_then=_THEN, others_then=_FALLEN)
    ),
    Case(
        "fall.eldest_had_no_more",
        "RP02",
        False,
        partial(_fell_with_another_head, eldest_then=_FALLEN, others_then=_THEN),
    ),
    Case("labour.ordinary", "RP04", False, _working),
    Case("labour.skilled", "RP04", False, partial(_working, labour="skilled")),
    Case("labour.weak", "RP04", True, partial(_working, labour="weak")),
    Case("labour.lost", "RP04", True, partial(_working, labour="lost")),
    Case("labour.none", "RP04", True, partial(_working, labour="none")),
    Case("labour.lifted", "RP04", False, partial(_working, labour="none", status="lifted")),
    Case("labour.sixteen_today", "RP04", False, partial(_working, age=16)),
    Case("labour.sixteen_tomorrow", "RP04", True, partial(_working, age=16, in_days=1)),
    Case("labour.sixty_today", "RP04", True, partial(_working, age=60)),
    Case("labour.sixty_tomorrow", "RP04", False, partial(_working, age=60, in_days=1)),
    Case("labour.wife_works", "RP04", False, partial(_one_of_three_works, now="ordinary")),
    Case("labour.wife_no_longer", "RP04", True, partial(_one_of_three_works, now="lost")),
    Case("illness.half_the_income", "RP05", False, partial(_ill, fen=0)),
    Case("illness.one_fen_more", "RP05", True, partial(_ill, fen=1)),
    Case("illness.12_months_ago", "RP05", False, partial(_ill, fen=1, days_after_year_ago=0)),
    Case("illness.the_day_after", "RP05", True, partial(_ill, fen=1, days_after_year_ago=1)),
    Case("illness.not_registered", "RP05", False, partial(_ill, fen=1, registered=False)),
    Case("illness.of_two", "RP05", False, _both_ill),
    Case("again.one_fen_below", "RP06", True, partial(_lifted, fen=-1)),
    Case("again.at_standard", "RP06", False, partial(_lifted, fen=0)),
    Case("again.unstable", "RP06", False, partial(_lifted, fen=-1, status="unstable")),
    Case("again.one_covered_until_today", "RP06", False, partial(_lifted, fen=-1, covered=True)),
    Case("again.check_below", "RP06", True, partial(_lifted_and_checked, checked=-1)),
    Case("again.check_at_standard", "RP06", False, partial(_lifted_and_checked, checked=0)),
)
