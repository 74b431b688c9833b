"""BL01: what a person of a low-income household paid for treatment in twelve months."""

from functools import partial

from doudi.synth.people import Person
from doudi.synth.scene import Case, Scene
from doudi.synth.standards import LARGE_SELF_PAY_FEN

_MUCH = LARGE_SELF_PAY_FEN + 2_000_00


def _low_income(scene: Scene) -> list[Person]:
    members = scene.family("elder_couple")
    scene.allowance(members)
    return members


def _two_settlements(scene: Scene, *, total: int) -> Person:
    _, patient = _low_income(scene)
    scene.settlement(patient, on=scene.timeline.before_last(150), self_paid=total - 4_000_00)
    scene.settlement(patient, on=scene.timeline.before_last(12), self_paid=4_000_00)
    return patient


def _settled(scene: Scene, *, days_after_year_ago: int) -> Person:
    patient, _ = _low_income(scene)
    scene.settlement(patient, on=scene.timeline.after_year_ago(days_after_year_ago), self_paid=_MUCH)
    return patient


def _settled_on_last_day(scene: Scene) -> Person:
    patient, _ = _low_income(scene)
    scene.settlement(patient, on=scene.timeline.last, self_paid=_MUCH)
    return patient


def _corrected(scene: Scene, *, amounts: tuple[int, ...]) -> Person:
    """The settlement comes first with ``amounts[0]``, then in each later delivery with the next."""
    patient, _ = _low_income(scene)
    record = scene.settlement(patient, on=scene.timeline.before_last(100), self_paid=amounts[0])
    first = next(index for index, row in enumerate(record.states) if row)
    for index, amount in enumerate(amounts[1:], start=first + 1):
        scene.correct(record, index=index, **_bill(amount))
    return patient


def _bill(self_paid: int) -> dict[str, int | None]:
    return {
        "total_cost": 2 * self_paid,
        "basic_paid": self_paid,
        "serious_paid": None,
        "aid_paid": None,
        "self_paid": self_paid,
    }


def _other_patient(scene: Scene, *, subject: int) -> Person:
    """A correction says that it was the wife, not the husband."""
    members = _low_income(scene)
    husband, wife = members
    record = scene.settlement(husband, on=scene.timeline.before_last(100), self_paid=_MUCH)
    scene.correct(record, index=-1, name=wife.name, citizen_id=wife.citizen_id)
    return members[subject]


def _registered(scene: Scene, *, status: str, annual_per_cent: int = 130, annual_fen: int = 0) -> Person:
    """A registered household with an income of some per cent of the yearly standard, plus some fen."""
    members = scene.family("couple_one_child")
    scene.poverty(members, status=status, annual_income=scene.standard * 12 * annual_per_cent // 100 + annual_fen)
    scene.settlement(members[1], on=scene.timeline.before_last(70), self_paid=_MUCH)
    return members[1]


def _special_hardship(scene: Scene) -> Person:
    patient = scene.family("elder_alone")[0]
    scene.hardship(patient)
    scene.settlement(patient, on=scene.timeline.before_last(70), self_paid=_MUCH)
    return patient


def _checked(
    scene: Scene,
    *,
    per_cent: int,
    fen: int = 0,
    over_limit: bool = False,
    days_after_year_ago: int = 200,
    urban: bool = False,
) -> Person:
    """Somebody whom only an economic check knows, with an income of some per cent of the standard plus some fen."""
    patient = scene.family("alone", urban=urban)[0]
    scene.check(
        patient,
        on=scene.timeline.after_year_ago(days_after_year_ago),
        income=scene.standard * per_cent // 100 + fen,
        over_limit=over_limit,
    )
    scene.settlement(patient, on=scene.timeline.before_last(20), self_paid=_MUCH)
    return patient


def _registered_then_over_limit(scene: Scene, *, days_after_year_ago: int) -> Person:
    """On the margin by the register's income; a check found assets over the limit."""
    patient = _registered(scene, status="lifted", annual_per_cent=120)
    on = scene.timeline.after_year_ago(days_after_year_ago)
    scene.check(scene.home.head, on=on, income=scene.standard * 12 // 10, over_limit=True)
    return patient


CASES = (
    Case("self_paid.exactly_10000", "BL01", False, partial(_two_settlements, total=LARGE_SELF_PAY_FEN)),
    Case("self_paid.one_fen_more", "BL01", True, partial(_two_settlements, total=LARGE_SELF_PAY_FEN + 1)),
    Case("settled.12_months_ago", "BL01", False, partial(_settled, days_after_year_ago=0)),
    Case("settled.the_day_after", "BL01", True, partial(_settled, days_after_year_ago=1)),
    Case("settled.last_data_date", "BL01", True, _settled_on_last_day),
    Case("corrected.upwards", "BL01", True, partial(_corrected, amounts=(9_000_00, 12_000_00))),
    Case("corrected.downwards", "BL01", False, partial(_corrected, amounts=(12_000_00, 9_000_00))),
    Case("corrected.up_and_down", "BL01", False, partial(_corrected, amounts=(9_000_00, 12_000_00, 9_500_00))),
    Case("corrected.down_and_up", "BL01", True, partial(_corrected, amounts=(12_000_00, 9_000_00, 12_500_00))),
    Case("corrected.no_longer_the_husband", "BL01", False, partial(_other_patient, subject=0)),
    Case("corrected.now_the_wife", "BL01", True, partial(_other_patient, subject=1)),
    Case("low_income.at_risk", "BL01", True, partial(_registered, status="marginal")),
    Case("low_income.not_at_risk", "BL01", False, partial(_registered, status="lifted", annual_per_cent=200)),
    Case("low_income.special_hardship", "BL01", True, _special_hardship),
    Case("margin.register_at_standard", "BL01", True, partial(_registered, status="lifted", annual_per_cent=100)),
    Case(
        "margin.register_below_standard",
        "BL01",
        False,
        partial(_registered, status="lifted", annual_per_cent=100, annual_fen=-12),
    ),
    Case("margin.register_at_upper_end", "BL01", False, partial(_registered, status="lifted", annual_per_cent=150)),
    Case("margin.check_at_standard", "BL01", True, partial(_checked, per_cent=100)),
    Case("margin.check_below_standard", "BL01", False, partial(_checked, per_cent=100, fen=-1)),
    Case("margin.check_below_upper_end", "BL01", True, partial(_checked, per_cent=150, fen=-1)),
    Case("margin.check_at_upper_end", "BL01", False, partial(_checked, per_cent=150)),
    Case("margin.urban_at_standard", "BL01", True, partial(_checked, per_cent=100, urban=True)),
    Case("margin.urban_below_standard", "BL01", False, partial(_checked, per_cent=100, fen=-1, urban=True)),
    Case("margin.assets_over_limit", "BL01", False, partial(_checked, per_cent=120, over_limit=True)),
    Case("margin.check_12_months_ago", "BL01", False, partial(_checked, per_cent=120, days_after_year_ago=0)),
    Case("margin.check_the_day_after", "BL01", True, partial(_checked, per_cent=120, days_after_year_ago=1)),
    Case(
        "margin.over_limit_12_months_ago",
        "BL01",
        True,
        partial(_registered_then_over_limit, days_after_year_ago=0),
    ),
    Case(
        "margin.over_limit_the_day_after",
        "BL01",
        False,
        partial(_registered_then_over_limit, days_after_year_ago=1),
    ),
)
