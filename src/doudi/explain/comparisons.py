"""What was compared with what, how far apart they are, and where the limit comes from."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from doudi.explain import values
from doudi.explain.voice import Voice, capital
from doudi.explain.words import Compared, source, words


class Comparisons:
    """Tells the comparisons of a case in its voice."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def lines(self, item: dict[str, Any]) -> Iterator[str]:
        """What was compared; under it, where it was held against a parameter, whence that comes."""
        yield self.voice.item(self._comparison(item))
        if limit := item.get("limit"):
            percent = words().compared[item["name"]].percent
            yield f"    {capital(self._limit(limit, percent=percent))}"

    def _comparison(self, item: dict[str, Any]) -> str:
        wording = words().compared[item["name"]]
        if says := wording.says.get(_key(item["value"])):
            return says.say(self.voice.language)
        limit, unit = item.get("limit"), item.get("unit")
        if wording.label and limit and values.number(item["value"]) is not None:
            return self._met(item, wording)
        value = self._value(item["value"], wording=wording, unit=unit)
        expected = self._expected(item, unit=unit)
        if wording.told:
            held = self.voice.measured(limit["value"], limit["unit"]) if limit else ""
            number = self.voice.measured(item["value"], None)
            return wording.told.say(self.voice.language, value=value, number=number, limit=held, expected=expected)
        label = (wording.label.say(self.voice.language) if wording.label else item["name"]).strip()
        comparison = words().comparisons[item["comparison"]].say(self.voice.language)
        return self.voice.say("expected", label=label, value=value, comparison=comparison, expected=expected)

    def _met(self, item: dict[str, Any], wording: Compared) -> str:
        limit = item["limit"]
        unit = item.get("unit") or limit["unit"]
        value, held = Decimal(str(item["value"])), Decimal(str(limit["value"]))
        return self.voice.say(
            "met",
            label=wording.label.say(self.voice.language),
            value=self.voice.share(value) if wording.percent else self.voice.short(value, unit),
            comparison=words().comparisons[item["comparison"]].say(self.voice.language),
            parameter=self.voice.parameter(limit["name"]),
            limit=self.voice.share(held) if wording.percent else self.voice.short(held, limit["unit"]),
            distance=self._distance(value, held, item=item, unit=unit, percent=wording.percent),
        )

    def _distance(self, value: Decimal, held: Decimal, *, item: dict[str, Any], unit: str, percent: bool) -> str:
        apart = abs(value - held)
        if not apart:  # a value that is told rounded may look like the limit that it passed
            return self.voice.say("exactly" if "=" in item["comparison"] else "barely")
        if percent:
            amount = self.voice.say("points", number=values.plain(apart * 100))
        elif unit.startswith("yuan") and held:
            share = values.per_cent(apart / held)
            amount = self.voice.say("distance_of", amount=self.voice.short(apart, unit), share=share)
        else:
            amount = self.voice.short(apart, unit)
        return self.voice.say("distance.above" if value > held else "distance.below", amount=amount)

    def _limit(self, limit: dict[str, Any], *, percent: bool) -> str:
        everywhere = limit["area"] == "*"
        held = Decimal(str(limit["value"]))
        return self.voice.say(
            "limit",
            parameter=self.voice.parameter(limit["name"]),
            value=self.voice.share(held) if percent else self.voice.measured(limit["value"], limit["unit"]),
            area=self.voice.say("everywhere") if everywhere else self.voice.case.place(limit["area"]),
            day=self.voice.day(date.fromisoformat(limit["valid_from"])),
            source=self._source(limit["source"]),
        )

    def _source(self, text: str) -> str:
        told = source(text, self.voice.language)
        if not text.startswith("*"):
            return told
        return self.voice.say("choice", what=told.removeprefix("* a choice:").strip())

    def _value(self, value: object, *, wording: Compared, unit: str | None) -> str:
        if wording.codes == "indicator":
            return self.voice.indicators(str(value))
        if wording.codes:
            feed, column = wording.codes.split(".")
            return values.code(value, contract=self.voice.contracts[feed], column=column, language=self.voice.language)
        return self.voice.measured(value, unit)

    def _expected(self, item: dict[str, Any], *, unit: str | None) -> str:
        expected = item.get("expected")
        several = expected if isinstance(expected, list) else [expected]
        return self.voice.say("between").join(self.voice.measured(each, unit) for each in several)


def _key(value: object) -> str:
    """A value as the wording table writes it: true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)
