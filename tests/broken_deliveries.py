"""Deliveries as departments send them, sound and broken in every way that is known, for hypothesis to draw from.

Each knows by itself what should come of it: how many rows were written, how many of them break no rule, and by which
rule the whole must be refused.
"""

import csv
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import xlsxwriter
from hypothesis import strategies as st
from made_up import VILLAGE, citizen_id, poverty_row

from doudi.contracts import Column, Contract

AREA, DAY = "513431", "20200331"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A delivery and what should come of it.

    ``rows`` is None where nobody could say how many there are; ``sound`` counts those that break no rule; ``refusal``
    is the rule by which the whole must be refused; ``secrets`` are the values that may be told nowhere.
    """

    feed: str
    content: bytes
    form: str = "csv"
    manifest: bytes | None = None
    rows: int | None = None
    sound: int | None = None
    refusal: str | None = None
    secrets: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        return f"{self.feed}_{AREA}_{DAY}.{self.form}"


def _medical_row(number: int) -> dict[str, str]:
    return {
        "结算编号": f"JS-{number:05d}",
        "姓名": f"某{number}",
        "身份证号": citizen_id(number),
        "行政区划代码": VILLAGE,
        "就诊类型": "住院",
        "病种": "",
        "是否重大疾病": "否",
        "结算日期": "2020-03-02",
        "总费用": "300.00",
        "个人自付": "100.00",
        "是否参保": "是",
    }


def _poverty_row(number: int) -> dict[str, str]:
    return poverty_row(number) | {"主要致贫原因": "", "是否外出务工": "否", "脱贫年度": "2019"}


ROWS = {"poverty_register": _poverty_row, "medical_assistance": _medical_row}

# As feeds.md has them; for `id` and free text the value itself is changed, below.
SOUND = {
    "money": ("1,200.50", "￥1200", "1200元", "３０００", " 3000 ", "0"),
    "date": ("2020/3/1", "20200301", "2020年3月1日", "43891", "2020-03-01 00:00:00", "２０２０-03-01"),
    "bool": ("有", "无", "1", "0", "Y", "n", "true", "False", " 是 ", ""),
    "int": ("2018", "2018.0", "２０１８", ""),
    "div": ("５１３４３１００１００１", f" {VILLAGE}", f"'{VILLAGE}"),
}
BROKEN = {
    "money": ("1e5", "12,00", "一千二百", "1200.555", "--", "99999999999999999999", "#REF!"),
    "date": ("2020-02-30", "20201301", "下个月十五", "#########", "0000-00-00"),
    "bool": ("不详", "是否", "2"),
    "int": ("二零一九", "3.5", "99999999999"),
    "div": ("513431", "5.13431E+11", "51343100100X"),
    "code": ("不知道呢", "==", "？"),
    "id": ("1.10105E+17", "990001197001010", "9900011970010100O1", "990001199902300019", "990001197001010001", "无"),
}
TEXTS = (
    "因病，因残", 'he said "so"', "a,b;c|d\te", "两\n行", "𠮷野家😀", "=1+1", "NULL", "\\N", "\\.", "'",
    "長" * 9000, "　空　",
)  # fmt: skip


def _sound_value(column: Column, value: str) -> st.SearchStrategy[str]:
    if column.type == "id":
        wide = value.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        return st.sampled_from([value.lower(), f"'{value}", f" {value[:6]} {value[6:]}", wide, f"{value}\t"])
    if column.type == "text":
        return st.just(value) if column.required else st.sampled_from(TEXTS)
    if column.type == "code":
        return st.sampled_from([*column.codes, f" {value} "])
    return st.sampled_from([text for text in SOUND[column.type] if text or not column.required])


def _broken_value(column: Column) -> st.SearchStrategy[str]:
    empty = ("", "  ", "　") if column.required else ()
    return st.sampled_from([*empty, *BROKEN.get(column.type, ())])


# What makes of a record's bytes a line that is no record. Each is one line still.
BAD_LINES: dict[str, Callable[[list[bytes], bytes], bytes]] = {
    "too few fields": lambda fields, delimiter: delimiter.join(fields[:-1]),
    "too many fields": lambda fields, delimiter: delimiter.join([*fields, b"x"]),
    "NUL": lambda fields, delimiter: delimiter.join(fields).replace(delimiter, b"\0" + delimiter, 1),
    "bytes that are no text": lambda fields, delimiter: delimiter.join(fields) + b"\xff\xff",
    "open quote": lambda fields, delimiter: delimiter.join([fields[0], b'"' + fields[1], *fields[2:]]),
    "open quote at the end": lambda fields, delimiter: delimiter.join([*fields[:-1], b'"' + fields[-1]]),
    "only text": lambda fields, delimiter: "合计：略".encode("ascii", "replace"),
    "end of data": lambda fields, delimiter: b"\\.",
}


@st.composite
def _record(draw: st.DrawFn, contract: Contract, header: list[str], number: int) -> tuple[dict[str, str], bool]:
    """A row by heading, and whether it breaks no rule."""
    row = ROWS[contract.name](number)
    by_header = {column.header: column for column in contract.columns}
    keys = {column.header for column in contract.key}
    for heading in draw(st.lists(st.sampled_from(header), max_size=3, unique=True)):
        if heading not in keys or by_header[heading].type == "id":
            row[heading] = draw(_sound_value(by_header[heading], row[heading]))
    sound = True
    breakable = [h for h in header if by_header[h].required or by_header[h].type != "text"]
    if draw(st.integers(0, 3)) == 0:
        for heading in draw(st.lists(st.sampled_from(breakable), min_size=1, max_size=2, unique=True)):
            row[heading] = draw(_broken_value(by_header[heading]))
            sound = False
    return row, sound


def _line(fields: list[str], *, delimiter: str, quoting: int) -> str:
    text = io.StringIO()
    # Python quotes a line break within a cell only if it is one that ends lines.
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerow(fields)
    return text.getvalue().removesuffix("\r\n")


def _headings(draw: st.DrawFn, header: list[str]) -> list[str]:
    """The headings as a department may write them."""
    ways = (
        lambda h: h,
        lambda h: f" {h}　",
        lambda h: h.replace("身份证号", "公民身份号码").replace("姓名", "人员姓名").replace("行政区划代码", "区划代码"),
        lambda h: f"{h}（元）" if "额" in h or "费" in h else h,
    )
    return [draw(st.sampled_from(ways))(heading) for heading in header]


@st.composite
def text_deliveries(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    """A delivered text file with everything in it that may be wrong with its lines, values and form."""
    contract = contracts[draw(st.sampled_from(sorted(ROWS)))]
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
    delimiter = draw(st.sampled_from(",\t;|"))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    newline = draw(st.sampled_from([b"\n", b"\r\n"]))
    codec = encoding.removesuffix("-sig")
    required = {column.header for column in contract.columns if column.required}
    header = draw(st.permutations([h for h in ROWS[contract.name](0) if h in required or draw(st.booleans())]))
    extra = draw(st.integers(0, 2))
    headings = [*_headings(draw, header), *(f"本部门备注{n}" for n in range(extra))]

    lines, rows, sound, secrets = [], 0, 0, set()
    for number in range(draw(st.integers(1, 9))):
        row, is_sound = draw(_record(contract, header, number))
        secrets |= set(row.values())
        fields = [*(row[heading] for heading in header), *("甲" * extra)]
        line = _line(fields, delimiter=delimiter, quoting=quoting).encode(codec)
        kind = draw(st.sampled_from(["record"] * 6 + ["bad", "repeat", "blank"]))
        if kind == "bad":
            spoil = BAD_LINES[draw(st.sampled_from(sorted(BAD_LINES)))]
            flat = [field.replace("\n", " ").replace('"', "").replace(delimiter, " ").encode(codec) for field in fields]
            line, is_sound = spoil(flat, delimiter.encode()), False
        rows, sound = rows + 1, sound + is_sound
        lines.append(line)
        if kind == "repeat":  # the same key again: one of the two stands
            lines.append(line)
            rows += 1
        if kind == "blank":
            lines.append(draw(st.sampled_from([b"", delimiter.encode() * (len(headings) - 1)])))
    head = _line(headings, delimiter=delimiter, quoting=quoting).encode(encoding)
    content = newline.join([head, *lines]) + draw(st.sampled_from([newline, b"", newline * 3]))
    return Made(
        feed=contract.name,
        content=content,
        rows=rows,
        sound=sound,
        secrets=_secrets(secrets),
    )


def _secrets(values: Iterable[str]) -> tuple[str, ...]:
    """What is shorter may be a word of any message, and the area stands in the file's name."""
    return tuple(sorted({value for value in values if len(value) >= 4} - {AREA, *TEXTS}))


@st.composite
def refused_whole(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    """A delivery, sound or not, that must be refused as a whole for what is wrong with its header or manifest."""
    made = draw(text_deliveries(contracts))
    wrong = draw(st.sampled_from(sorted(_WRONG_MANIFESTS) + sorted(_WRONG_FILES)))
    if wrong in _WRONG_FILES:
        refusal, change = _WRONG_FILES[wrong]
        return replace(made, content=change(made.content), refusal=refusal, manifest=None)
    refusal, manifest = _WRONG_MANIFESTS[wrong]
    return replace(made, manifest=manifest(made), refusal=refusal)


def _json(**content: object) -> bytes:
    return json.dumps(content).encode()


_WRONG_MANIFESTS: dict[str, tuple[str, Callable[[Made], bytes]]] = {
    "one row more": ("manifest.rows", lambda made: _json(rows=made.rows + 1)),
    "no row": ("manifest.rows", lambda made: _json(rows=0)),
    "another file": ("manifest.sha256", lambda made: _json(rows=made.rows, sha256="0" * 64)),
    "another day": ("manifest.data_date", lambda made: _json(data_date="2020-04-30")),
    "another mode": (
        "manifest.mode", lambda made: _json(mode="events" if made.feed == "poverty_register" else "snapshot"),
    ),
    "unknown key": ("manifest", lambda made: _json(row=made.rows)),
    "no number": ("manifest", lambda made: _json(rows="many")),
    "no object": ("manifest", lambda made: b"[1]"),
    "not JSON": ("manifest", lambda made: b"\xff{"),
    "empty": ("manifest", lambda made: b""),
    "without end": ("manifest", lambda made: b"[" * 2000),
    "a sum that is no number": ("manifest", lambda made: b'{"control_totals": {"total_cost": NaN}}'),
    "a key that is no text": ("manifest", lambda made: b'{"\\ud800": 1}'),
    "a key with NUL": ("manifest", lambda made: b'{"\\u0000": 1}'),
}  # fmt: skip
_WRONG_FILES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "nothing": ("file.empty", lambda content: b""),
    "no header": ("header.missing", lambda content: content.partition(b"\n")[2]),
    "carriage returns only": ("header.missing", lambda content: content.replace(b"\r", b"").replace(b"\n", b"\r")),
    "blank lines only": ("header.missing", lambda content: b"\n\r\n \n"),
}


@st.composite
def declared(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    """A delivery whose manifest is right."""
    made = draw(text_deliveries(contracts))
    content = {
        "rows": made.rows,
        "sha256": hashlib.sha256(made.content).hexdigest(),
        "data_date": "2020-03-31",
        "mode": contracts[made.feed].mode,
    }
    chosen = draw(st.lists(st.sampled_from(sorted(content)), unique=True))
    return replace(made, manifest=_json(**{key: content[key] for key in chosen}))


@st.composite
def damaged(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    """A file cut off anywhere, with bytes changed anywhere, or of bytes that mean nothing: nobody knows its rows."""
    made = draw(text_deliveries(contracts))
    return replace(made, content=draw(_damage(made.content)), rows=None, sound=None, secrets=())


@st.composite
def _damage(draw: st.DrawFn, whole: bytes) -> bytes:
    content = bytearray(whole)
    way = draw(st.sampled_from(["cut", "changed", "random"]))
    if way == "cut":
        del content[draw(st.integers(0, len(content))) :]
    elif way == "changed":
        for _ in range(draw(st.integers(1, 6))):
            content[draw(st.integers(0, len(content) - 1))] = draw(st.sampled_from(b'\0\r\n",;\t|\xff\xef\x80 '))
    else:
        content = bytearray(draw(st.binary(max_size=300)))
    return bytes(content)


@st.composite
def in_other_forms(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    """The same kind of rows as a workbook, as JSON, in UTF-16, or packed."""
    contract = contracts[draw(st.sampled_from(sorted(ROWS)))]
    header = draw(st.permutations(list(ROWS[contract.name](0))))
    records = [draw(_record(contract, header, number)) for number in range(draw(st.integers(1, 6)))]
    form = draw(st.sampled_from(sorted(_FORMS)))
    table = [_headings(draw, header), *([row[heading] for heading in header] for row, _ in records)]
    return Made(
        feed=contract.name,
        form=form,
        content=_FORMS[form](table),
        rows=len(records),
        sound=sum(is_sound for _, is_sound in records),
        secrets=_secrets(value for row, _ in records for value in row.values()),
    )


def _as_csv(table: list[list[str]]) -> str:
    return "\r\n".join(_line(fields, delimiter=",", quoting=csv.QUOTE_MINIMAL) for fields in table) + "\r\n"


def _as_objects(table: list[list[str]]) -> list[dict[str, str | None]]:
    header, *rows = table
    return [{h: value or None for h, value in zip(header, row, strict=True)} for row in rows]


def _workbook(table: list[list[str]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, len(table[0]) - 1, "某县上报表")
        for line, fields in enumerate(table, start=1):
            for position, value in enumerate(fields):
                sheet.write_string(line, position, value)
    return content.getvalue()


def _zip(table: list[list[str]]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("上报/名单.csv", _as_csv(table).encode("gb18030"))
    return content.getvalue()


_FORMS: dict[str, Callable[[list[list[str]]], bytes]] = {
    "csv": lambda table: _as_csv(table).encode("utf-16"),
    "csv.gz": lambda table: gzip.compress(_as_csv(table).encode("gb18030")),
    "csv.zip": _zip,
    "xlsx": _workbook,
    "jsonl": lambda table: "\n".join(json.dumps(each, ensure_ascii=False) for each in _as_objects(table)).encode(),
    "json": lambda table: json.dumps(_as_objects(table), indent=1).encode(),
}


@st.composite
def damaged_in_other_forms(draw: st.DrawFn, contracts: dict[str, Contract]) -> Made:
    made = draw(in_other_forms(contracts))
    return replace(made, content=draw(_damage(made.content)), rows=None, sound=None, secrets=())
