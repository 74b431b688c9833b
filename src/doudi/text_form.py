"""How a text delivery is written: its encoding, its delimiter, and which column stands where."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doudi.contracts import Contract, accepted_headers, normalise_header
from doudi.deliveries import DeliveryRefused

_PIECE_BYTES = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")
POSTGRES_ENCODINGS = {"utf-8": "UTF8", "gb18030": "GB18030"}


@dataclass(frozen=True, kw_only=True)
class TextForm:
    """What has to be known before a file can go to COPY.

    ``header`` holds the headings as sent; ``columns`` the contract's name for each, None for a column that the
    contract does not know; ``body_offset`` the byte after the header; ``header_lines`` its physical lines;
    ``lines`` all line feeds of the file.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str | None, ...]
    body_offset: int
    header_lines: int
    lines: int

    @property
    def postgres_encoding(self) -> str:
        return POSTGRES_ENCODINGS[self.encoding]

    @property
    def swallowed_delimiters(self) -> int:
        """A value over several lines with so many delimiters is no text, but records between two unclosed quotes."""
        return max(len(self.header) - 1, 1)


def read_form(path: Path, contract: Contract, *, contracts_folder: Path) -> TextForm:
    """Find out how ``path`` is written.

    Encoding in this order: BOM, strict UTF-8, GB18030; but where a broken line is all that keeps a file from being
    UTF-8, its header tells. Raises DeliveryRefused: ``file.empty``, ``file.encoding``, ``header.missing``,
    ``header.repeated``, ``header.extra``.
    """
    scan = _scan(path)
    if scan.bom in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DeliveryRefused("file.encoding", f"{path.name}: UTF-16 is not taken in; save it as UTF-8")
    encodings = ("utf-8",) if scan.bom or scan.is_utf8 else ("gb18030", "utf-8")
    headings = _accepted(contract, contracts_folder)
    candidates = [
        _Candidate.read(record, encoding=encoding, delimiter=delimiter, headings=headings)
        for record in [_header_record(path, skip=len(scan.bom))]
        for encoding in encodings
        for delimiter in _DELIMITERS
    ]
    best = max(candidates, key=lambda candidate: candidate.recognised)
    record = best.record
    _refuse_bad_header(path, contract, best)
    return TextForm(
        encoding=best.encoding,
        delimiter=best.delimiter,
        header=best.header,
        columns=best.columns,
        body_offset=len(scan.bom) + record.skipped_bytes + len(record.content),
        header_lines=record.skipped_lines + record.content.count(b"\n"),
        lines=scan.lines,
    )


@dataclass(frozen=True)
class _Scan:
    bom: bytes
    is_utf8: bool
    lines: int


def _scan(path: Path) -> _Scan:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, lines, last, bom = True, 0, b"", b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if not last:
                bom = next((mark for mark in _BOMS if piece.startswith(mark)), b"")
            lines += piece.count(b"\n")
            last = piece[-1:]
            if is_utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    is_utf8 = False
        if is_utf8:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                is_utf8 = False
    if not last:
        raise DeliveryRefused("file.empty", f"{path.name}: the file is empty")
    return _Scan(bom, is_utf8, lines + (last != b"\n"))


_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class _HeaderRecord:
    content: bytes
    skipped_bytes: int
    skipped_lines: int


def _header_record(path: Path, *, skip: int) -> _HeaderRecord:
    """The first record that is not blank; a heading in quotes may hold a line feed."""
    with path.open("rb") as file:
        file.seek(skip)
        skipped_bytes = skipped_lines = 0
        content = file.readline()
        while content and not content.strip(b' \t\r\n,;|"'):
            skipped_bytes, skipped_lines = skipped_bytes + len(content), skipped_lines + 1
            content = file.readline()
        while content.count(b'"') % 2 and (more := file.readline()) and len(content) < _PIECE_BYTES:
            content += more
    return _HeaderRecord(content, skipped_bytes, skipped_lines)


@dataclass(frozen=True)
class _Candidate:
    """The header as one encoding and delimiter read it."""

    record: _HeaderRecord
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str | None, ...]

    @classmethod
    def read(cls, record: _HeaderRecord, *, encoding: str, delimiter: str, headings: dict[str, str]) -> "_Candidate":
        text = record.content.decode(encoding, errors="replace").replace("\0", "")
        header = tuple(next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter), ()))
        columns = tuple(headings.get(normalise_header(heading)) for heading in header)
        return cls(record, encoding, delimiter, header, columns)

    @property
    def recognised(self) -> int:
        return len(set(self.columns) - {None})


def _accepted(contract: Contract, folder: Path) -> dict[str, str]:
    return {heading: column.name for column in contract.columns for heading in accepted_headers(column, folder=folder)}


def _refuse_bad_header(path: Path, contract: Contract, found: _Candidate) -> None:
    present = [name for name in found.columns if name]
    missing = [f"{c.header} ({c.name})" for c in contract.columns if c.required and c.name not in present]
    if missing:
        raise DeliveryRefused("header.missing", f"{path.name}: line 1 lacks the required columns {', '.join(missing)}")
    repeated = sorted({name for name in present if present.count(name) > 1})
    if repeated:
        raise DeliveryRefused("header.repeated", f"{path.name}: line 1 has more than one column for {repeated}")
    extra = [heading for heading, name in zip(found.header, found.columns, strict=True) if name is None]
    if extra and contract.extra_columns == "refuse":
        raise DeliveryRefused("header.extra", f"{path.name}: line 1 has columns the contract refuses: {extra}")


@dataclass(frozen=True)
class Record:
    """One record of a file that COPY refused as a whole; ``fault`` is the rule it breaks, None where it is whole."""

    row_no: int
    line_no: int
    content: bytes
    fields: list[str]
    fault: str | None


_OPEN_QUOTE_LINES = 100  # a quote still open after so many lines is a broken one, not a long text


def split_records(path: Path, form: TextForm) -> Iterator[Record]:
    """Read a file record by record and judge each, so that only its bad lines are set aside.

    Memory stays flat: at most ``_OPEN_QUOTE_LINES`` lines are held. Rules: ``line.nul``, ``line.encoding``,
    ``line.quote``, ``line.columns``.
    """
    with path.open("rb") as file:
        file.seek(form.body_offset)
        held: list[bytes] = []
        line_no, row_no = form.header_lines + 1, 0
        while True:
            if not held and not (line := file.readline()):
                return
            record = [held.pop(0) if held else line]
            if not record[0].strip():
                line_no += 1
                continue
            if record[0].count(b'"') % 2:
                record, held = _close_quote(record + held, file, form)
            row_no += 1
            fields, fault = _judge(b"".join(record), form)
            yield Record(row_no, line_no, b"".join(record), fields, fault)
            line_no += len(record)


def _close_quote(lines: list[bytes], file, form: TextForm) -> tuple[list[bytes], list[bytes]]:
    """The lines of a record whose first line leaves a quote open, and the lines read ahead that are not its own."""
    quotes = 0
    for count in range(1, _OPEN_QUOTE_LINES + 1):
        if count > len(lines):
            line = file.readline()
            if not line:
                break
            lines.append(line)
        quotes += lines[count - 1].count(b'"')
        if quotes % 2 == 0:
            if _judge(b"".join(lines[:count]), form)[1] in (None, "line.encoding", "line.nul"):
                return lines[:count], lines[count:]
            break
    return lines[:1], lines[1:]


def _judge(content: bytes, form: TextForm) -> tuple[list[str], str | None]:
    if b"\0" in content:
        return [], "line.nul"
    try:
        text = content.decode(form.encoding)
    except UnicodeDecodeError:
        return [], "line.encoding"
    if text.count('"') % 2:
        return [], "line.quote"
    try:
        rows = list(csv.reader([text.rstrip("\r\n")], delimiter=form.delimiter))
    except csv.Error:  # a carriage return in the middle of a field, or a field beyond the reader's limit
        return [], "line.columns"
    if len(rows) != 1 or len(rows[0]) != len(form.header):
        return [], "line.columns"
    if any("\n" in value and value.count(form.delimiter) >= form.swallowed_delimiters for value in rows[0]):
        return [], "line.quote"
    return rows[0], None
