"""The life of warnings from run to run, as the page and the note on dbt warnings and kept tables tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chinese_calendar import is_workday

from oracle.catalogue import Finding

_AFTER = {"confirmed": "visited", "refer": "referred", "resolved": "resolved"}


@dataclass(frozen=True, kw_only=True, order=True)
class Life:
    """One warning as it is after a run. ``person`` is a citizen ID; of a household's warning, the head's."""

    code: str
    person: str
    opened_on: date
    due_on: date
    last_seen_on: date
    closed_on: date | None = None
    status: str = "open"
    is_overdue: bool = False
    visited_on: date | None = None
    referred_to: str | None = None
    muted_until: date | None = None

    @property
    def subject(self) -> tuple[str, str]:
        return self.code, self.person

    @property
    def stands(self) -> bool:
        return self.closed_on is None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a visitor found of the warning of a subject that was opened on a day; known from the day of its delivery."""

    code: str
    person: str
    opened_on: date
    visited_on: date
    finding: str
    delivered_on: date
    refer_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Working days by indicator, and the days of silence after a visit that found nothing."""

    deadlines: Mapping[str, int]
    mute_days: int

    def due_on(self, code: str, opened_on: date) -> date:
        """The last of so many working days after the day."""
        day, left = opened_on, self.deadlines[code]
        while left:
            day += timedelta(days=1)
            left -= is_workday(day)
        return day


def run(
    lives: Iterable[Life], found: Iterable[Finding], visits: Iterable[Visit], *, day: date, terms: Terms
) -> list[Life]:
    """All warnings after the run of a day, from those before it."""
    subjects = {(finding.code, finding.person) for finding in found}
    known = [visit for visit in visits if visit.delivered_on <= day]
    after = [_next(life, subjects, known, day=day, terms=terms) if life.stands else life for life in lives]
    silent = {life.subject for life in after if life.stands or _muted(life, known, day=day)}
    opened = [
        Life(code=code, person=person, opened_on=day, due_on=terms.due_on(code, day), last_seen_on=day)
        for code, person in subjects - silent
    ]
    return sorted([*after, *opened], key=lambda life: (life.code, life.person, life.opened_on))


def _next(life: Life, subjects: set[tuple[str, str]], known: list[Visit], *, day: date, terms: Terms) -> Life:
    visit = _latest(life, known)
    if life.subject in subjects:
        life = replace(life, last_seen_on=day)
    if visit is not None:
        life = replace(life, visited_on=visit.visited_on, referred_to=visit.refer_to)
    if visit is not None and visit.finding == "not_confirmed":
        muted_until = day + timedelta(days=terms.mute_days)
        return replace(life, status="not_confirmed", closed_on=day, is_overdue=False, muted_until=muted_until)
    if life.subject not in subjects:
        return replace(life, status="cleared", closed_on=day, is_overdue=False)
    status = _AFTER[visit.finding] if visit else "open"
    overdue = status in ("open", "visited") and day > life.due_on
    return replace(life, status=status, is_overdue=overdue)


def _muted(life: Life, known: list[Visit], *, day: date) -> bool:
    """Silent for the days after a visit that found nothing, unless that was corrected since."""
    visit = _latest(life, known)
    return life.muted_until is not None and day <= life.muted_until and visit.finding == "not_confirmed"


def _latest(life: Life, known: list[Visit]) -> Visit | None:
    """The last visit of a warning, as its last delivery tells it."""
    own = [visit for visit in known if (*life.subject, life.opened_on) == (visit.code, visit.person, visit.opened_on)]
    return max(own, key=lambda visit: (visit.visited_on, visit.delivered_on), default=None)
