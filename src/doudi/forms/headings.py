"""Which contract column stands under which heading, and whether the headings of a part are enough to read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doudi.contracts import Contract, accepted_headers, normalise_header
from doudi.deliveries import DeliveryRefused
from doudi.rules import RETURN_NUMBER

HEADER_SEARCH_RECORDS = 20  # a header stands among the first records that are not blank, below titles and notes
_MOST_COLUMNS = 1000  # Postgres holds 1600 in a table


@dataclass(frozen=True)
class Headings:
    """The headings a contract accepts, each with its column."""

    contract: Contract
    accepted: dict[str, str]

    @classmethod
    def of(cls, contract: Contract, *, folder: Path) -> "Headings":
        accepted = {
            heading: column.name
            for column in contract.columns
            for heading in accepted_headers(column, folder=folder)
        }  # fmt: skip
        return cls(contract, accepted)

    def column(self, heading: str) -> str | None:
        return self.accepted.get(normalise_header(heading))

    def columns(self, header: Sequence[str]) -> tuple[str | None, ...]:
        return tuple(map(self.column, header))

    def recognised(self, header: Sequence[str]) -> int:
        """How many of the contract's columns a row of headings names."""
        return len(set(self.columns(header)) - {None})

    def refuse_insufficient(self, header: Sequence[str], *, label: str, place: str) -> None:
        """Raise DeliveryRefused(``header.missing``, ``.repeated``, ``.extra``, ``.width``) for a header of no use.

        ``label`` and ``place`` say where it stands: the file and its part, and the line.
        """
        columns, contract = self.columns(header), self.contract
        where = f"{label}: {place}"
        present = [name for name in columns if name]
        missing = [f"{c.header} ({c.name})" for c in contract.columns if c.required and c.name not in present]
        if missing:
            raise DeliveryRefused("header.missing", f"{where} lacks the required columns {', '.join(missing)}")
        repeated = sorted({name for name in present if present.count(name) > 1})
        if repeated:
            raise DeliveryRefused("header.repeated", f"{where} has more than one column for {repeated}")
        if len(header) > _MOST_COLUMNS:
            raise DeliveryRefused("header.width", f"{where} has {len(header)} columns, more than {_MOST_COLUMNS}")
        extra = unknown_headings(header, columns)
        if extra and contract.extra_columns == "refuse":
            raise DeliveryRefused("header.extra", f"{where} has columns the contract refuses: {extra}")


def unknown_headings(header: Sequence[str], columns: Sequence[str | None]) -> list[str]:
    """The headings of the columns that the contract does not know, but for that of the number of a returned row."""
    unknown = [heading for heading, name in zip(header, columns, strict=True) if name is None]
    return [heading for heading in unknown if heading.strip() and heading != RETURN_NUMBER]
