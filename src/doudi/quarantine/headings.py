"""The headings under which a delivery's rows were sent: their order, and which column of the contract each is."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from doudi.contracts import Contract
from doudi.forms.headings import Headings
from doudi.rules import RETURN_NUMBER


class SentHeadings:
    """The headings of each part of one delivery, as the ledger has them."""

    def __init__(self, sent: Mapping[str, list[str]], *, contract: Contract, contracts_folder: Path) -> None:
        self._known = Headings.of(contract, folder=contracts_folder)
        self._parts = {
            part: tuple(heading for heading in headings if heading != RETURN_NUMBER) for part, headings in sent.items()
        }

    def column(self, heading: str) -> str | None:
        """The contract's column that comes under ``heading``; None for one that it does not know."""
        return self._known.column(heading)

    def of_part(self, part: str | None) -> tuple[str, ...]:
        """The headings of a part in the order in which they were sent; the contract's where the ledger has none."""
        return self._parts.get(part or "") or tuple(column.header for column in self._known.contract.columns)

    def ordered(self, headings: Iterable[str]) -> tuple[str, ...]:
        """Some headings in the order in which they were sent; what the ledger does not have comes last."""
        places = {heading: place for sent in self._parts.values() for place, heading in reversed([*enumerate(sent)])}
        return tuple(sorted(headings, key=lambda heading: (places.get(heading, len(places)), heading)))
