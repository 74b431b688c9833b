"""JSON: an object a line, or one array of objects. The header is every key that any object has.

Numbers stay the text they are, so that no digit of an ID is lost; an object with a key twice is refused, since one of
the two values would vanish.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from doudi.deliveries import DeliveryRefused
from doudi.forms.headings import Headings
from doudi.forms.parts import Part, Record, text_fault
from doudi.forms.text import TextScan, scan_text

_PIECE_BYTES = 1 << 20
_OBJECT_BYTES = 16 << 20
_MOST_KEYS = 1000
_BLANK = re.compile(r"[ \t\r\n]*")


def open_json(path: Path, headings: Headings, *, name: str | None, label: str, sent_as: str | None = None) -> Part:
    """The table in a file of JSON; ``sent_as`` names its encoding where it was transcoded to UTF-8.

    Raises DeliveryRefused: ``json.array`` where an array cannot be read to its end, ``json.object`` where one object
    is beyond all measure, ``json.keys`` where there are too many, and those of a header.
    """
    scan = scan_text(path, label=label)
    objects = partial(_elements if _is_array(path, scan) else _lines, path, skip=len(scan.bom), label=label)
    keys = _keys(objects, label=label)
    header = tuple(key.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "") for key in keys)
    headings.refuse_insufficient(header, label=label, place="the keys of all its objects")
    return Part(
        name=name,
        header=header,
        columns=headings.columns(header),
        header_lines=0,
        encoding=sent_as or "utf-8",
        text=None,
        records=partial(_records, objects, keys),
    )


def _is_array(path: Path, scan: TextScan) -> bool:
    with path.open("rb") as file:
        file.seek(len(scan.bom))
        while piece := file.read(_PIECE_BYTES):
            if piece := piece.lstrip():
                return piece.startswith(b"[")
    return False


Objects = Callable[[], Iterator[tuple[int, bytes, dict[str, Any] | None, str | None]]]  # line, content, object, fault


def _keys(objects: Objects, *, label: str) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for _, _, found, _ in objects():
        keys |= dict.fromkeys(found or ())
        if len(keys) > _MOST_KEYS:
            raise DeliveryRefused("json.keys", f"{label}: its objects have more than {_MOST_KEYS} different keys")
    return tuple(keys)


def _records(objects: Objects, keys: tuple[str, ...]) -> Iterator[Record]:
    for row_no, (line_no, content, found, fault) in enumerate(objects(), start=1):
        fields = [_text(found.get(key)) for key in keys] if found is not None else []
        yield Record(row_no, line_no, content, fields, fault or text_fault(fields))


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return json.dumps(_plain(value), ensure_ascii=False)


class _Number(str):
    """A number as it was written; where it is a value of its own it is simply that text."""


def _plain(value: Any) -> Any:
    """A nested value whose numbers are numbers again."""
    match value:
        case _Number():
            return json.loads(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value


class _Repeating:
    """What stands for an object that has a key twice, and for every object around it."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Repeating:
    found = dict(pairs)
    return _Repeating() if len(found) != len(pairs) or _repeats(list(found.values())) else found


def _repeats(value: Any) -> bool:
    return isinstance(value, _Repeating) or (isinstance(value, list) and any(map(_repeats, value)))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_Number, parse_int=_Number, parse_constant=_Number, strict=False
)


def _judge(value: Any) -> tuple[dict[str, Any] | None, str | None]:
    """The object, or the rule by which the value is none."""
    if isinstance(value, dict):
        return value, None
    return None, "line.keys" if _repeats(value) else "line.json"


def _lines(path: Path, *, skip: int, label: str) -> Iterator[tuple[int, bytes, dict[str, Any] | None, str | None]]:
    with path.open("rb") as file:
        file.seek(skip)
        line_no = 0
        while content := file.readline(_OBJECT_BYTES):
            line_no += 1
            if len(content) == _OBJECT_BYTES:
                raise DeliveryRefused("json.object", f"{label}: line {line_no} is longer than {_OBJECT_BYTES} bytes")
            if not content.strip():
                continue
            found, fault = _read_line(content)
            yield line_no, content, found, fault


def _read_line(content: bytes) -> tuple[dict[str, Any] | None, str | None]:
    if b"\0" in content:
        return None, "line.nul"
    try:
        return _judge(_DECODER.decode(content.decode("utf-8").strip()))
    except UnicodeDecodeError:
        return None, "line.encoding"
    except (ValueError, RecursionError):
        return None, "line.json"


def _elements(path: Path, *, skip: int, label: str) -> Iterator[tuple[int, bytes, dict[str, Any] | None, str | None]]:
    """The elements of an array, one in memory at a time, each with the line on which it begins."""
    with path.open("r", encoding="utf-8-sig" if skip else "utf-8", errors="surrogateescape", newline="") as file:
        text = _Text(file, label=label)
        text.take("[")
        if text.next() != "]":
            yield text.element()
            while text.next() != "]":
                text.take(",")
                text.next()
                yield text.element()
        text.take("]")
        if text.next():
            text.refuse("something follows the array")


class _Text:
    """A window on a long text, which moves on value by value and counts the lines behind it."""

    def __init__(self, file: TextIO, *, label: str) -> None:
        self._file, self._label = file, label
        self._window, self._place, self._line_no = "", 0, 1

    def next(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            blank = _BLANK.match(self._window, self._place)
            self._advance(blank.end())
            if self._place < len(self._window) or not self._more():
                return self._window[self._place : self._place + 1]

    def take(self, character: str) -> None:
        if self.next() != character:
            self.refuse(f"{character} is missing")
        self._advance(self._place + 1)

    def element(self) -> tuple[int, bytes, dict[str, Any] | None, str | None]:
        """The value that begins here: its line, its text as bytes, the object and what is wrong with it."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._place)
                break
            except RecursionError:
                self.refuse("an object nests too deeply")
            except json.JSONDecodeError as error:
                if len(self._window) - self._place > _OBJECT_BYTES:
                    self.refuse(f"an object does not end within {_OBJECT_BYTES} characters")
                if not self._more():
                    self._advance(min(error.pos, len(self._window)))
                    self.refuse("this is no JSON")
        line_no, content = self._line_no, self._window[self._place : end]
        self._advance(end)
        return line_no, content.encode("utf-8", errors="surrogateescape"), *_judge(value)

    def refuse(self, what: str) -> NoReturn:
        raise DeliveryRefused("json.array", f"{self._label}: line {self._line_no}: the array is broken, {what}")

    def _advance(self, place: int) -> None:
        self._line_no += self._window.count("\n", self._place, place)
        self._place = place

    def _more(self) -> bool:
        piece = self._file.read(_PIECE_BYTES)
        if piece:
            self._window, self._place = self._window[self._place :] + piece, 0
        return bool(piece)
