"""What a delivery file holds: its content decides, not the end of its name."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from doudi.contracts import Contract
from doudi.deliveries import Delivery, DeliveryRefused
from doudi.forms.archives import unpack_gzip, unpack_zip
from doudi.forms.damage import refusing_damage
from doudi.forms.headings import Headings
from doudi.forms.json_records import open_json
from doudi.forms.parts import Part
from doudi.forms.text import open_text
from doudi.forms.utf16 import transcode, utf16_codec
from doudi.forms.workbook import open_workbook
from doudi.settings import Limits

_FORM = re.compile(r"^(csv|tsv|txt|xlsx|xls|jsonl|json)(\.(gz|zip))?$|^(gz|zip)$")
_HEAD_BYTES = 4096


class _Form(Enum):
    GZIP = auto()
    ZIP = auto()
    WORKBOOK = auto()
    JSON = auto()
    TEXT = auto()


_MAGIC = ((b"\x1f\x8b", _Form.GZIP), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _Form.WORKBOOK))
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_STRANGE = {b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!\x1a\x07": "a RAR archive", b"%PDF-": "a PDF document"}


def open_parts(
    delivery: Delivery,
    contract: Contract,
    *,
    work: Path,
    contracts_folder: Path,
    limits: Limits,
    password: Callable[[], str | None],
) -> list[Part]:
    """The tables that a delivery file holds, in its own order; at least one.

    ``work`` is an empty private folder whose files must outlive the parts; ``password`` is asked only where an archive
    is encrypted. Raises DeliveryRefused with the code of what is wrong; the message names file, member and sheet.
    """
    if not _FORM.match(delivery.form):
        raise DeliveryRefused("file.form", f"{delivery.path.name}: a .{delivery.form} file cannot be read")
    opening = _Opening(Headings.of(contract, folder=contracts_folder), work, limits)
    path, label = delivery.path, delivery.path.name
    match _form_of(path, label=label):
        case _Form.GZIP:
            target = unpack_gzip(path, work / "expanded", label=label, limits=limits)
            return opening.parts(target, name=None, label=label)
        case _Form.ZIP:
            members = unpack_zip(path, work, label=label, limits=limits, password=password)
            found = [opening.parts(m.path, name=m.name, label=f"{label} › {m.name}") for m in members]
            return [part for parts in found for part in parts]
        case _:
            return opening.parts(path, name=None, label=label)


@dataclass(frozen=True)
class _Opening:
    headings: Headings
    work: Path
    limits: Limits

    def parts(self, path: Path, *, name: str | None, label: str) -> list[Part]:
        """The tables of a file that is, or was taken out of, an archive."""
        form = _form_of(path, label=label)
        if form in (_Form.GZIP, _Form.ZIP):
            raise DeliveryRefused("archive.nested", f"{label}: an archive in an archive is not taken in")
        if form == _Form.WORKBOOK:
            return open_workbook(path, self.headings, work=self.work, name=name, label=label, limits=self.limits)
        codec = utf16_codec(path)
        if codec:
            target = self.work / f"{path.name}.utf-8"
            transcode(path, target, codec=codec)
            path, form = target, _form_of(target, label=label)
        sent_as = "utf-16" if codec else None
        open_file = open_json if form == _Form.JSON else open_text
        return [open_file(path, self.headings, name=name, label=label, sent_as=sent_as)]


def _form_of(path: Path, *, label: str) -> _Form:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for magic, form in _MAGIC:
        if head.startswith(magic):
            return form
    if head.startswith(_ZIP_MAGIC):
        return _Form.WORKBOOK if _is_office_file(path, label=label) else _Form.ZIP
    for magic, what in _STRANGE.items():
        if head.startswith(magic):
            raise DeliveryRefused("file.form", f"{label}: {what} is not taken in")
    if head[257:262] == b"ustar":
        raise DeliveryRefused("archive.nested", f"{label}: a tar archive is not taken in")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<(!doctype|html|table|\?xml|head|meta|style)", start, re.IGNORECASE):
        raise DeliveryRefused("file.html", f"{label}: a web page or XML under another name; save it as .xlsx or .csv")
    return _Form.JSON if start.startswith((b"{", b"[")) else _Form.TEXT


def _is_office_file(path: Path, *, label: str) -> bool:
    with (
        refusing_damage("archive.broken", f"{label}: the archive is cut off or damaged"),
        zipfile.ZipFile(path) as package,
    ):
        return "[Content_Types].xml" in package.namelist()
