"""A case told line by line."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from doudi.contracts import Contract, load_contracts
from doudi.explain import values
from doudi.explain.reading import Case, Visit, read
from doudi.explain.words import Compared, Language, source, words
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
        self.warning = case.warning
        self.indicator = case.catalogue[self.warning["indicator_code"]]

    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield self._say("why", day=self._day(self.warning["last_seen_on"]))
        for item in self.warning["evidence"]["compared"]:
            yield from self._compared(item)
        yield self._say("facts")
        yield from map(self._item, self._facts())
        yield self._say("to_do")
        yield from map(self._item, self._to_do())
        yield self._say("history")
        yield from map(self._item, self._history())

    def _head(self) -> Iterator[str]:
        warning, indicator = self.warning, self.indicator
        yield self._say(
            "head",
            id=warning["warning_id"],
            code=indicator["code"],
            name=indicator[f"name_{self.language}"],
            level=self._level(),
        )
        yield self._say("place", place=self.case.place(warning["division_code"]))
        yield self._say(f"subject.{warning['scope']}")
        yield self._say("rests_on", clause=source(indicator["clause"], self.language))

    def _compared(self, item: dict[str, Any]) -> Iterator[str]:
        """What was compared; under it, where it was held against a parameter, whence that comes."""
        yield self._item(self._comparison(item))
        if limit := item.get("limit"):
            percent = words().compared[item["name"]].percent
            yield f"    {_capital(self._limit(limit, percent=percent))}"

    def _comparison(self, item: dict[str, Any]) -> str:
        wording = words().compared[item["name"]]
        if says := wording.says.get(_key(item["value"])):
            return says.say(self.language)
        limit, unit = item.get("limit"), item.get("unit")
        if wording.label and limit and values.number(item["value"]) is not None:
            return self._met(item, wording)
        value = self._value(item["value"], wording=wording, unit=unit)
        expected = self._expected(item, unit=unit)
        if wording.told:
            held = self._measured(limit["value"], limit["unit"]) if limit else ""
            number = self._measured(item["value"], None)
            return wording.told.say(self.language, value=value, number=number, limit=held, expected=expected)
        label = (wording.label.say(self.language) if wording.label else item["name"]).strip()
        comparison = words().comparisons[item["comparison"]].say(self.language)
        return self._say("expected", label=label, value=value, comparison=comparison, expected=expected)

    def _met(self, item: dict[str, Any], wording: Compared) -> str:
        limit = item["limit"]
        unit = item.get("unit") or limit["unit"]
        value, held = Decimal(str(item["value"])), Decimal(str(limit["value"]))
        return self._say(
            "met",
            label=wording.label.say(self.language),
            value=self._share(value) if wording.percent else self._short(value, unit),
            comparison=words().comparisons[item["comparison"]].say(self.language),
            parameter=self._parameter(limit["name"]),
            limit=self._share(held) if wording.percent else self._short(held, limit["unit"]),
            distance=self._distance(value, held, item=item, unit=unit, percent=wording.percent),
        )

    def _distance(self, value: Decimal, held: Decimal, *, item: dict[str, Any], unit: str, percent: bool) -> str:
        apart = abs(value - held)
        if not apart:  # a value that is told rounded may look like the limit that it passed
            return self._say("exactly" if "=" in item["comparison"] else "barely")
        if percent:
            amount = self._say("points", number=values.plain(apart * 100))
        elif unit.startswith("yuan") and held:
            share = values.per_cent(apart / held)
            amount = self._say("distance_of", amount=self._short(apart, unit), share=share)
        else:
            amount = self._short(apart, unit)
        return self._say("distance.above" if value > held else "distance.below", amount=amount)

    def _limit(self, limit: dict[str, Any], *, percent: bool) -> str:
        everywhere = limit["area"] == "*"
        held = Decimal(str(limit["value"]))
        return self._say(
            "limit",
            parameter=self._parameter(limit["name"]),
            value=self._share(held) if percent else self._measured(limit["value"], limit["unit"]),
            area=self._say("everywhere") if everywhere else self.case.place(limit["area"]),
            day=self._day(date.fromisoformat(limit["valid_from"])),
            source=self._source(limit["source"]),
        )

    def _source(self, text: str) -> str:
        told = source(text, self.language)
        if not text.startswith("*"):
            return told
        return self._say("choice", what=told.removeprefix("* a choice:").strip())

    def _value(self, value: object, *, wording: Compared, unit: str | None) -> str:
        if wording.codes == "indicator":
            return self._indicators(str(value))
        if wording.codes:
            feed, column = wording.codes.split(".")
            return values.code(value, contract=self.contracts[feed], column=column, language=self.language)
        return self._measured(value, unit)

    def _expected(self, item: dict[str, Any], *, unit: str | None) -> str:
        expected = item.get("expected")
        several = expected if isinstance(expected, list) else [expected]
        return self._say("between").join(self._measured(each, unit) for each in several)

    def _indicators(self, codes: str) -> str:
        named = [
            f"{code} {self.case.catalogue[code][f'name_{self.language}']}" if code in self.case.catalogue else code
            for code in codes.split("、")
        ]
        return self._say("between").join(named)

    def _facts(self) -> Iterator[str]:
        """The rows that were read, each once, in the order in which the indicator names them."""
        facts = self.warning["evidence"]["facts"]
        rows = groupby(
            facts, key=lambda fact: (fact.get("indicator_code"), fact["feed"], fact["load_id"], fact["row_no"])
        )
        told: dict[str, None] = {}
        for (indicator, feed, load_id, row_no), columns in rows:
            line = self._say(
                "row",
                feed=self._feed(feed),
                file=self.case.files[load_id],
                row=row_no,
                values=("；" if self.language == "zh" else "; ").join(dict.fromkeys(map(self._fact, columns))),
            )
            if indicator:
                line = self._say("for_indicator", indicator=self._indicators(indicator)) + line
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
            text = self._measured(value, "yuan" if column.type == "money" else None)
        heading = column.header if self.language == "zh" else f"{name.replace('_', ' ')} ({column.header})"
        return self._say("fact", column=heading, value=text, day=self._day(on) if on else "")

    def _withheld(self, value: object) -> str:
        """Whose row it is stays out; of names that differ only the number is known here, and that is told."""
        if isinstance(value, str) and (numbered := _NUMBERED_NAME.fullmatch(value)):
            return self._say("nth_name", number=numbered[1])
        return self._say("withheld")

    def _to_do(self) -> Iterator[str]:
        warning, department = self.warning, self._department(self.warning["lead_department"])
        due = self._day(warning["due_on"])
        status = "closed" if warning["closed_on"] else warning["status"]
        if status == "open":
            findings = self._say("between").join(map(self._finding, _SHOWN_FINDINGS))
            yield self._say("visit", due=due, department=department, findings=findings)
        elif status == "visited":
            yield self._say("after_confirmed", department=department, due=due)
        elif status == "referred":
            yield self._say("after_referred", department=self._department(warning["referred_to"] or department))
        else:
            yield self._say(f"after_{status}")
        if warning["is_overdue"]:
            yield self._say("overdue", due=due)

    def _history(self) -> Iterator[str]:
        warning = self.warning
        if self.case.earlier:
            yield self._say("earlier", ids=", ".join(self.case.earlier))
        yield self._say("opened", day=self._day(warning["opened_on"]))
        yield from map(self._visit, self.case.visits)
        if warning["closed_on"]:
            muted = warning["muted_until"]
            yield self._say(
                warning["status"], day=self._day(warning["closed_on"]), muted=self._day(muted) if muted else ""
            )
        elif warning["last_seen_on"] > warning["opened_on"]:
            yield self._say("last_seen", day=self._day(warning["last_seen_on"]))

    def _visit(self, visit: Visit) -> str:
        known = {"day": self._day(visit.visited_on), "finding": self._finding(visit.finding)}
        if visit.refer_to is None:
            return self._say("visited", **known)
        return self._say("visited_referred", **known, department=self._department(visit.refer_to))

    def _finding(self, finding: str) -> str:
        visits = self.contracts["household_visit"]
        return values.code(finding, contract=visits, column="finding", language=self.language)

    def _feed(self, feed: str) -> str:
        title = self.contracts[feed].title
        return title if self.language == "zh" else f"{feed.replace('_', ' ')} ({title})"

    def _department(self, name: str) -> str:
        known = self.case.departments.get(name)
        return known[f"name_{self.language}"] if known else name

    def _level(self) -> str:
        level = self.warning["level"]
        return self.case.levels[level]["name_zh"] if self.language == "zh" else level

    def _parameter(self, name: str) -> str:
        known = words().parameters.get(name)
        return known.say(self.language) if known else name

    def _share(self, share: Decimal) -> str:
        return self._say("share", number=values.plain(share * 100))

    def _measured(self, value: object, unit: str | None) -> str:
        numeric = values.number(value)
        if numeric is None:
            return values.in_words(value, self.language)
        return values.measured(numeric, unit, self.language)

    def _short(self, value: Decimal, unit: str) -> str:
        return values.measured(value, unit, self.language, short=True)

    def _day(self, on: date) -> str:
        return values.day(on, self.language)

    def _say(self, phrase: str, **places: object) -> str:
        return words().frame[phrase].say(self.language, **places)

    def _item(self, line: str) -> str:
        return f"  · {_capital(line)}。" if self.language == "zh" else f"  - {_capital(line)}."


def _capital(line: str) -> str:
    return line[0].upper() + line[1:]


def _key(value: object) -> str:
    """A value as the wording table writes it: true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)
