"""A case told line by line."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from doudi.contracts import Contract, load_contracts
from doudi.explain import values
from doudi.explain.comparisons import Comparisons
from doudi.explain.reading import Case, Visit, read
from doudi.explain.voice import Voice
from doudi.explain.words import Language, source
from doudi.settings import Settings
from doudi.warehouse.connection import connect, warehouse_url

_NUMBERED_NAME = re.compile(r"name (\d+)")
_SHOWN_FINDINGS = ("confirmed", "not_confirmed", "resolved", "refer")


def explain(warning_id: str, *, settings: Settings, language: Language = "en") -> list[str]:
    """The lines that explain a warning. Raises UnknownWarning where there is none of that identifier.

    Names of people are left out: who may know them joins identity.person.
    """
    with connect(warehouse_url(settings), step="explain", role="owner") as connection:
        case = read(connection, warning_id)
    return list(Teller(case=case, contracts=load_contracts(settings.contracts), language=language).lines())


class Teller:
    """Tells one case in one language."""

    def __init__(self, *, case: Case, contracts: dict[str, Contract], language: Language) -> None:
        self.case, self.contracts, self.language = case, contracts, language
        self.voice = Voice(case=case, contracts=contracts, language=language)
        self.warning = case.warning
        self.indicator = case.catalogue[self.warning["indicator_code"]]

    def lines(self) -> Iterator[str]:
        """What holds and why, the rows that say so, what is to be done, and what has happened since."""
        yield from self._head()
        yield self.voice.say("why", day=self.voice.day(self.warning["last_seen_on"]))
        comparisons = Comparisons(self.voice)
        for item in self.warning["evidence"]["compared"]:
            yield from comparisons.lines(item)
        yield self.voice.say("facts")
        yield from map(self.voice.item, self._facts())
        yield self.voice.say("to_do")
        yield from map(self.voice.item, self._to_do())
        yield self.voice.say("history")
        yield from map(self.voice.item, self._history())

    def _head(self) -> Iterator[str]:
        warning, indicator = self.warning, self.indicator
        yield self.voice.say(
            "head",
            id=warning["warning_id"],
            code=indicator["code"],
            name=indicator[f"name_{self.language}"],
            level=self.voice.level(),
        )
        yield self.voice.say("place", place=self.case.place(warning["division_code"]))
        yield self.voice.say(f"subject.{warning['scope']}")
        yield self.voice.say("rests_on", clause=source(indicator["clause"], self.language))

    def _facts(self) -> Iterator[str]:
        """The rows that were read, each once, in the order in which the indicator names them."""
        facts = self.warning["evidence"]["facts"]
        rows = groupby(
            facts, key=lambda fact: (fact.get("indicator_code"), fact["feed"], fact["load_id"], fact["row_no"])
        )
        told: dict[str, None] = {}
        for (indicator, feed, load_id, row_no), columns in rows:
            line = self.voice.say(
                "row",
                feed=self.voice.feed(feed),
                file=self.case.files[load_id],
                row=row_no,
                values=("；" if self.language == "zh" else "; ").join(dict.fromkeys(map(self._fact, columns))),
            )
            if indicator:
                line = self.voice.say("for_indicator", indicator=self.voice.indicators(indicator)) + line
            told[line] = None
        yield from told

    def _fact(self, fact: dict[str, Any]) -> str:
        contract, name = self.contracts[fact["feed"]], fact["column"]
        column = contract.column(name)
        on = values.as_date(fact["date"])
        value = fact["value"]
        if column.type in ("id", "div") or name.endswith("name"):
            text = self._withheld(value)
        elif column.type == "code" and value is not None:
            text = values.code(value, contract=contract, column=name, language=self.language)
        else:
            text = self.voice.measured(value, "yuan" if column.type == "money" else None)
        heading = column.header if self.language == "zh" else f"{name.replace('_', ' ')} ({column.header})"
        return self.voice.say("fact", column=heading, value=text, day=self.voice.day(on) if on else "")

    def _withheld(self, value: object) -> str:
        """Whose row it is stays out; of names that differ only the number is known here, and that is told."""
        if isinstance(value, str) and (numbered := _NUMBERED_NAME.fullmatch(value)):
            return self.voice.say("nth_name", number=numbered[1])
        return self.voice.say("withheld")

    def _to_do(self) -> Iterator[str]:
        warning, department = self.warning, self.voice.department(self.warning["lead_department"])
        due = self.voice.day(warning["due_on"])
        status = "closed" if warning["closed_on"] else warning["status"]
        if status == "open":
            findings = self.voice.say("between").join(map(self.voice.finding, _SHOWN_FINDINGS))
            yield self.voice.say("visit", due=due, department=department, findings=findings)
        elif status == "visited":
            yield self.voice.say("after_confirmed", department=department, due=due)
        elif status == "referred":
            yield self.voice.say(
                "after_referred", department=self.voice.department(warning["referred_to"] or department)
            )
        else:
            yield self.voice.say(f"after_{status}")
        if warning["is_overdue"]:
            yield self.voice.say("overdue", due=due)

    def _history(self) -> Iterator[str]:
        warning = self.warning
        if self.case.earlier:
            yield self.voice.say("earlier", ids=", ".join(self.case.earlier))
        yield self.voice.say("opened", day=self.voice.day(warning["opened_on"]))
        yield from map(self._visit, self.case.visits)
        if warning["closed_on"]:
            muted = warning["muted_until"]
            yield self.voice.say(
                warning["status"],
                day=self.voice.day(warning["closed_on"]),
                muted=self.voice.day(muted) if muted else "",
            )
        elif warning["last_seen_on"] > warning["opened_on"]:
            yield self.voice.say("last_seen", day=self.voice.day(warning["last_seen_on"]))

    def _visit(self, visit: Visit) -> str:
        known = {"day": self.voice.day(visit.visited_on), "finding": self.voice.finding(visit.finding)}
        if visit.refer_to is None:
            return self.voice.say("visited", **known)
        return self.voice.say("visited_referred", **known, department=self.voice.department(visit.refer_to))
