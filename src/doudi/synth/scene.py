"""What a planted case is made of: one family, and exactly the records that the case needs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from doudi.synth import rows
from doudi.synth.names import pick
from doudi.synth.people import Person
from doudi.synth.places import NEIGHBOUR
from doudi.synth.records import Record
from doudi.synth.stage import Stage


@dataclass(frozen=True)
class Case:
    """A family made so that an indicator holds, or just does not, for the person whom ``build`` returns.

    ``faulty`` cases need refused rows and are left out of a clean run.
    """

    name: str
    indicator: str
    expected: bool
    build: Callable[["Scene"], Person]
    faulty: bool = False


class Scene(Stage):
    """Tells of the family of one case what each feed may tell. Days are given as such, money in fen."""

    def poverty(
        self,
        members: list[Person],
        *,
        status: str = "unstable",
        annual_income: int | None = None,
        household_no: str | None = None,
        head: Person | None = None,
        labour: str = "ordinary",
    ) -> list[Record]:
        """Register ``members`` as poor; the income is 30 per cent above the standard where none is given."""
        income = self.standard * 12 * 13 // 10 if annual_income is None else annual_income
        relations = {person.ordinal: "self" if person is head else "other" for person in members} if head else {}
        return [
            self.snapshot(
                "poverty_register",
                rows.poverty_register(
                    person,
                    self.home,
                    status=status,
                    annual_income=income,
                    household_no=household_no,
                    relation=relations.get(person.ordinal),
                    labour=labour,
                    lifted_year=self.timeline.as_of.year - 1 if status in ("lifted", "unstable") else None,
                ),
            )
            for person in members
        ]

    def a_year_before(self, records: list[Record], **values: object) -> None:
        """Up to the last list of a year ago the register read otherwise."""
        then = self.timeline.held_on("poverty_register", self.timeline.year_ago)
        for record in records:
            now = record.states[-1]
            record.change(0, **values)
            record.change(then + 1, **{name: now[name] for name in values})

    def allowance(
        self,
        members: list[Person],
        *,
        start: date | None = None,
        end: date | None = None,
        income: int | None = None,
        head: Person | None = None,
        covered_members: int | None = None,
        gradual_exit_until: date | None = None,
    ) -> list[Record]:
        """Put ``members`` on minimum allowance; for 400 days, at 80 per cent of the standard unless said otherwise."""
        income = self.standard * 8 // 10 if income is None else income
        return [
            self.snapshot(
                "minimum_allowance",
                rows.minimum_allowance(
                    person,
                    self.home,
                    head=head or self.home.head,
                    household_size=len(self.home.members),
                    covered_members=covered_members or len(members),
                    monthly_income=income,
                    monthly_amount=(self.standard - self.standard * 8 // 10) * len(members),
                    start_date=start or self.timeline.days(-400),
                    gradual_exit_until=gradual_exit_until,
                ),
                since=start,
                end=end,
            )
            for person in members
        ]

    def allowance_elsewhere(self, person: Person, *, start: date | None = None, end: date | None = None) -> Record:
        """``person`` is on the neighbouring county's list, with a home there."""
        record = self.allowance([person], start=start, end=end, head=person)[0]
        record.county = NEIGHBOUR
        home = pick(self._rng, self.world.places.neighbour).code
        record.change(0, certificate_no=f"DB{NEIGHBOUR}{self.home.number:08d}", division_code=home)
        return record

    def hardship(
        self, person: Person, *, start: date | None = None, end: date | None = None, **values: object
    ) -> Record:
        row = rows.special_hardship(
            person,
            self.home,
            monthly_amount=self.standard * 13 // 10,
            start_date=start or self.timeline.days(-500),
            **values,
        )
        return self.snapshot("special_hardship", row, since=start, end=end)

    def certificate(
        self,
        person: Person,
        *,
        category: str = "4",
        grade: str = "2",
        issued_on: date | None = None,
        expires_on: date | None = None,
        **values: object,
    ) -> Record:
        """A disability certificate, two years old and open-ended unless said otherwise."""
        row = rows.disability(
            person,
            self.home,
            category=category,
            grade=grade,
            issued_on=issued_on or self.timeline.days(-700),
            expires_on=expires_on,
            **values,
        )
        return self.snapshot("disability", row, since=issued_on)

    def settlement(self, person: Person, *, on: date, self_paid: int, **values: object) -> Record:
        row = rows.medical_assistance(person, self.home, settled_on=on, self_paid=self_paid, **values)
        return self.event("medical_assistance", row, day=on)

    def grant(self, person: Person, *, on: date, serial: int = 0) -> Record:
        row = rows.temporary_assistance(person, self.home, granted_on=on, amount=2000_00, serial=serial)
        return self.event("temporary_assistance", row, day=on)

    def pupil(self, person: Person, **values: object) -> Record:
        """In the education register, each term's list telling its own term."""
        dates = self.timeline.dates["education_assistance"]
        states = [rows.education_assistance(person, self.home, data_date=day, **values) for day in dates]
        self.records.append(record := Record("education_assistance", states))
        return record

    def check(
        self, person: Person, *, on: date, income: int, over_limit: bool = False, result: str = "refused"
    ) -> Record:
        row = rows.economic_check(
            person,
            self.home,
            checked_on=on,
            applied_on=on - timedelta(days=20),
            monthly_income=income,
            assets_over_limit=over_limit,
            household_size=len(self.home.members),
            result=result,
            refusal_reason="收入超过标准" if result == "refused" else None,
        )
        return self.event("economic_check", row, day=on)

    def house(self, person: Person, *, grade: str = "D", works: str = "under_way", only_home: bool = True) -> Record:
        row = rows.housing_assistance(
            person,
            self.home,
            safety_grade=grade,
            works=works,
            only_home=only_home,
            appraised_on=self.timeline.before_last(200),
            completed_on=self.timeline.before_last(120) if works == "completed" else None,
        )
        return self.snapshot("housing_assistance", row)

    def left_behind(
        self,
        person: Person,
        *,
        kind: str = "child",
        guardian: Person | None = None,
        guardian_capable: bool | None = None,
    ) -> Record:
        row = rows.left_behind(
            person,
            self.home,
            kind=kind,
            registered_on=self.timeline.days(-600),
            guardian=guardian,
            guardian_capable=guardian_capable,
        )
        return self.snapshot("left_behind", row)

    def child_protection(self, person: Person, **values: object) -> Record:
        row = rows.child_protection(person, self.home, **{"start_date": self.timeline.days(-600)} | values)
        return self.snapshot("child_protection", row)
