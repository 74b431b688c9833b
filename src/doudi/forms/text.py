"""Text with delimiters: its encoding, its delimiter, where its header stands, and its records one by one."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from doudi.deliveries import DeliveryRefused
from doudi.forms.headings import HEADER_SEARCH_RECORDS, Headings
from doudi.forms.parts import Part, Record, TextForm

_PIECE_BYTES = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")


def open_text(path: Path, headings: Headings, *, name: str | None, label: str, sent_as: str | None = None) -> Part:
    """The table in the text file ``path``; ``sent_as`` names its encoding where it was transcoded to UTF-8.

    Encoding in this order: BOM, strict UTF-8, GB18030; but where broken lines are all that keeps a file from being
    UTF-8, its header tells, and its other lines where the header is ASCII. The header is the first of the best
    recognised among the first records. Raises DeliveryRefused: ``file.empty``, ``header.missing``,
    ``header.repeated``, ``header.extra``.
    """
    scan = scan_text(path, label=label)
    encodings = ("utf-8",) if sent_as or scan.bom or scan.is_utf8 else _likeliest_first(path)
    candidates = [
        _Candidate.read(record, encoding=encoding, delimiter=delimiter)
        for record in islice(_first_records(path, skip=len(scan.bom)), HEADER_SEARCH_RECORDS)
        for encoding in encodings
        for delimiter in _DELIMITERS
    ]
    best = max(candidates, key=lambda candidate: headings.recognised(candidate.header), default=_NO_HEADER)
    record = best.record
    headings.refuse_insufficient(best.header, label=label, place=f"line {record.lines_before + 1}")
    form = TextForm(
        path=path,
        encoding=best.encoding,
        delimiter=best.delimiter,
        width=len(best.header),
        body_offset=record.offset + len(record.content),
        header_lines=record.lines_before + record.content.count(b"\n"),
        lines=scan.lines,
    )
    return Part(
        name=name,
        header=best.header,
        columns=headings.columns(best.header),
        header_lines=form.header_lines,
        encoding=sent_as or form.encoding,
        text=form,
        records=partial(split_records, form),
    )


@dataclass(frozen=True)
class TextScan:
    """What one pass over the bytes tells: the BOM, whether all of it is UTF-8, and the number of lines."""

    bom: bytes
    is_utf8: bool
    lines: int


def scan_text(path: Path, *, label: str) -> TextScan:
    """Scan a file of text. Raises DeliveryRefused(``file.empty``)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, lines, last, bom = True, 0, b"", b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if not last and piece.startswith(codecs.BOM_UTF8):
                bom = codecs.BOM_UTF8
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
        raise DeliveryRefused("file.empty", f"{label}: the file is empty")
    return TextScan(bom, is_utf8, lines + (last != b"\n"))


def _likeliest_first(path: Path) -> tuple[str, str]:
    """The encodings that a file may have that is not all UTF-8: hardly a line of GB18030 is UTF-8 by chance, while most
    lines of UTF-8 can be read as GB18030, as nonsense.
    """
    with path.open("rb") as file:
        lines = [line for line in file.read(_PIECE_BYTES).split(b"\n")[:-1] if not line.isascii()]
    utf8 = sum(_is_utf8(line) for line in lines)
    return ("utf-8", "gb18030") if utf8 > len(lines) - utf8 else ("gb18030", "utf-8")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class _FirstRecord:
    content: bytes
    offset: int
    lines_before: int


def _first_records(path: Path, *, skip: int) -> Iterator[_FirstRecord]:
    """A record from each line that is not blank; a heading in quotes may hold a line feed."""
    with path.open("rb") as file:
        file.seek(skip)
        offset, lines_before = skip, 0
        while line := file.readline(_PIECE_BYTES):
            if line.strip(b' \t\r\n,;|"'):
                content = line
                while content.count(b'"') % 2 and len(content) < _PIECE_BYTES and (more := file.readline(_PIECE_BYTES)):
                    content += more
                yield _FirstRecord(content, offset, lines_before)
                if content is not line:  # a title may leave a quote open: the lines after it are looked at too
                    file.seek(offset + len(line))
            offset, lines_before = offset + len(line), lines_before + 1


@dataclass(frozen=True)
class _Candidate:
    """A record as one encoding and delimiter read it."""

    record: _FirstRecord
    encoding: str
    delimiter: str
    header: tuple[str, ...]

    @classmethod
    def read(cls, record: _FirstRecord, *, encoding: str, delimiter: str) -> "_Candidate":
        text = record.content.decode(encoding, errors="replace").replace("\0", "")
        try:
            header = tuple(next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter), ()))
        except csv.Error:  # a carriage return in the middle of a field, or a field beyond the reader's limit
            header = ()
        return cls(record, encoding, delimiter, header)


_NO_HEADER = _Candidate(_FirstRecord(b"", 0, 0), "utf-8", ",", ())

_OPEN_QUOTE_LINES = 100  # a quote still open after so many lines is a broken one, not a long text


def split_records(form: TextForm) -> Iterator[Record]:
    """Read a file record by record and judge each, so that only its bad lines are set aside.

    Memory stays flat: at most ``_OPEN_QUOTE_LINES`` lines are held. Rules: ``line.nul``, ``line.encoding``,
    ``line.quote``, ``line.columns``.
    """
    with form.path.open("rb") as file:
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
            # What cannot be read among them neither makes a record of several nor breaks one apart.
            legible = b"".join(lines[:count]).replace(b"\0", b"").decode(form.encoding, errors="replace")
            if _split(legible, form)[1] is None:
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
    return _split(text, form)


def _split(text: str, form: TextForm) -> tuple[list[str], str | None]:
    if text.count('"') % 2:
        return [], "line.quote"
    try:
        rows = list(csv.reader([text.rstrip("\r\n")], delimiter=form.delimiter))
    except csv.Error:
        return [], "line.columns"
    if len(rows) != 1 or len(rows[0]) != form.width:
        return [], "line.columns"
    if any("\n" in value and value.count(form.delimiter) >= form.swallowed_delimiters for value in rows[0]):
        return [], "line.quote"
    return rows[0], None
