"""A part of a delivery: one table of rows, whatever form it came in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

POSTGRES_ENCODINGS = {"utf-8": "UTF8", "gb18030": "GB18030"}


@dataclass(frozen=True, kw_only=True)
class TextForm:
    """How a file of text is written: all that COPY has to know to take its bytes as they are.

    ``width`` counts the columns; ``body_offset`` is the byte after the header, ``header_lines`` the physical lines up
    to there, ``lines`` all line feeds of the file.
    """

    path: Path
    encoding: str
    delimiter: str
    width: int
    body_offset: int
    header_lines: int
    lines: int

    @property
    def postgres_encoding(self) -> str:
        return POSTGRES_ENCODINGS[self.encoding]

    @property
    def swallowed_delimiters(self) -> int:
        """A value over several lines with so many delimiters is no text, but records between two unclosed quotes."""
        return max(self.width - 1, 1)


@dataclass(frozen=True)
class Record:
    """One record read by itself.

    ``line_no`` is the line of the file or the row of the sheet on which it begins. ``fault`` is the rule by which it
    is no record at all, None where it is whole; then ``fields`` holds a text (or None) for each heading, and
    ``cells`` the columns whose cell was damaged before it was sent, each with its rule.
    """

    row_no: int
    line_no: int
    content: bytes
    fields: list[str | None]
    fault: str | None
    cells: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Part:
    """One table of rows in a delivery.

    ``name`` is the archive's member, the workbook's sheet, or both; None where the file is one thing. ``header`` holds
    the headings as sent, ``columns`` the contract's name for each, None for one that the contract does not know.
    ``encoding`` is how the sender wrote the text, None in a workbook. ``text`` is set where the bytes can go to COPY
    as they are; ``records`` reads any part record by record.
    """

    name: str | None
    header: tuple[str, ...]
    columns: tuple[str | None, ...]
    header_lines: int
    encoding: str | None
    text: TextForm | None
    records: Callable[[], Iterator[Record]]

    @property
    def content_encoding(self) -> str:
        """The encoding of the records' ``content``."""
        return self.text.encoding if self.text else "utf-8"


def text_fault(fields: list[str | None]) -> str | None:
    """The rule by which Postgres would refuse one of these texts."""
    text = "".join(value for value in fields if value)
    if "\0" in text:
        return "line.nul"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, written out in JSON
        return "line.encoding"
    return None
