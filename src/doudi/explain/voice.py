"""How single things are said of a case in one language: days, amounts, names of the catalogue, and the frame around."""

from datetime import date
from decimal import Decimal

from doudi.contracts import Contract
from doudi.explain import values
from doudi.explain.reading import Case
from doudi.explain.words import Language, words


class Voice:
    """Says the parts of one case in one language."""

    def __init__(self, *, case: Case, contracts: dict[str, Contract], language: Language) -> None:
        self.case, self.contracts, self.language = case, contracts, language

    def indicators(self, codes: str) -> str:
        """Codes, as an evidence lists them, with the names of the indicators."""
        named = [
            f"{code} {self.case.catalogue[code][f'name_{self.language}']}" if code in self.case.catalogue else code
            for code in codes.split("、")
        ]
        return self.say("between").join(named)

    def finding(self, finding: str) -> str:
        """What a visitor found, in the words of the feed."""
        visits = self.contracts["household_visit"]
        return values.code(finding, contract=visits, column="finding", language=self.language)

    def feed(self, feed: str) -> str:
        """A feed by its title."""
        title = self.contracts[feed].title
        return title if self.language == "zh" else f"{feed.replace('_', ' ')} ({title})"

    def department(self, name: str) -> str:
        """A department by its name; one that is not known as it is written."""
        known = self.case.departments.get(name)
        return known[f"name_{self.language}"] if known else name

    def level(self) -> str:
        """The level of the warning."""
        level = self.case.warning["level"]
        return self.case.levels[level]["name_zh"] if self.language == "zh" else level

    def parameter(self, name: str) -> str:
        """A parameter in words; one without words by its name."""
        known = words().parameters.get(name)
        return known.say(self.language) if known else name

    def share(self, share: Decimal) -> str:
        """A share, 0 to 1, in per cent."""
        return self.say("share", number=values.plain(share * 100))

    def measured(self, value: object, unit: str | None) -> str:
        """A number with its unit, or any other value in words."""
        numeric = values.number(value)
        if numeric is None:
            return values.in_words(value, self.language)
        return values.measured(numeric, unit, self.language)

    def short(self, value: Decimal, unit: str) -> str:
        """A number with the short form of its unit."""
        return values.measured(value, unit, self.language, short=True)

    def day(self, on: date) -> str:
        """A day written out."""
        return values.day(on, self.language)

    def say(self, phrase: str, **places: object) -> str:
        """A phrase of the frame with its places filled in."""
        return words().frame[phrase].say(self.language, **places)

    def item(self, line: str) -> str:
        """A line as an item of a list, with its full stop."""
        return f"  · {capital(line)}。" if self.language == "zh" else f"  - {capital(line)}."


def capital(line: str) -> str:
    """With a capital first letter, where it begins with a letter that has one."""
    return line[0].upper() + line[1:]
