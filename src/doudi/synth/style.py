"""How a department's system writes one delivery: each file in a form of its own, always the same for a seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from random import Random

from doudi.contracts import Column, Contract, accepted_headers, normalise_header
from doudi.synth import citizen_id
from doudi.synth.fault_places import clean_delivery
from doudi.synth.names import MIDDLE_DOT, pick

PLAIN_UTF8, UTF8_BOM, GB18030 = "utf-8", "utf-8-sig", "gb18030"
_DOTS = (MIDDLE_DOT, "•", "・", "．")
_TRUTHS = (("是", "否"), ("有", "无"), ("1", "0"), ("Y", "N"), ("true", "false"))
_EXTRA_COLUMNS = (
    ("数据来源", "县级平台"),
    ("导出批次", "第3批"),
    ("填报单位", "昭觉县"),
    ("审核意见", "同意,请按时拨付"),
)


@dataclass(frozen=True)
class Style:
    """``columns`` are contract columns in the file's order, ``headers`` their headings as written.

    ``extra`` is a heading and a value that the contract does not know, at the end of every line. ``id_noise`` is
    the share of citizen IDs typed in another form, ``id_prefix`` what a spreadsheet put before all of them.
    """

    encoding: str
    line_end: str
    ends_with_line_end: bool
    columns: tuple[str, ...]
    headers: tuple[str, ...]
    extra: tuple[str, str] | None
    dates: Callable[[date | None], str]
    money: Callable[[int | None], str]
    truths: tuple[str, str]
    canonical_codes: bool
    dot: str
    id_noise: float
    id_prefix: str
    manifest: bool


def of_feed(contract: Contract, *, feed_no: int, deliveries: int, seed: int, contracts_folder: Path) -> list[Style]:
    """The form of each of a feed's deliveries; the middle dot is the department's own, the same in all of them."""
    dot = _DOTS[(feed_no + seed) % len(_DOTS)]
    return [
        _draw(
            contract,
            rng=Random(f"style {seed} {contract.name} {index}"),
            encoding=encoding_of(feed_no=feed_no, index=index, deliveries=deliveries),
            dot=dot,
            totals=index == clean_delivery(deliveries),
            folder=contracts_folder,
        )
        for index in range(deliveries)
    ]


def encoding_of(*, feed_no: int, index: int, deliveries: int) -> str:
    """The last delivery but one is plain UTF-8; the others stay readable with bytes in them that are no text."""
    from_end = deliveries - 1 - index
    if from_end == 1:
        return PLAIN_UTF8
    return GB18030 if (from_end // 2 + feed_no) % 2 == 0 else UTF8_BOM


def plain_utf8(deliveries: Mapping[str, int]) -> dict[str, frozenset[int]]:
    """For each feed, of which the number of deliveries is given, the positions of those in UTF-8 without BOM."""
    return {
        feed: frozenset(
            index for index in range(count) if encoding_of(feed_no=feed_no, index=index, deliveries=count) == PLAIN_UTF8
        )
        for feed_no, (feed, count) in enumerate(deliveries.items())
    }


def _draw(contract: Contract, *, rng: Random, encoding: str, dot: str, totals: bool, folder: Path) -> Style:
    english = rng.random() < 0.2
    columns = [column.name for column in contract.columns]
    if rng.random() < 0.5:
        rng.shuffle(columns)
    decorate = pick(rng, (str, str, lambda text: f" {text} ", lambda text: f"{text}　", _full_width))
    units = rng.random() < 0.3
    headers = [
        decorate(_heading(rng, contract.column(name), english=english, units=units, folder=folder)) for name in columns
    ]
    return Style(
        encoding=encoding,
        line_end=pick(rng, ("\r\n", "\n")),
        ends_with_line_end=rng.random() < 0.8,
        columns=tuple(columns),
        headers=tuple(headers),
        extra=pick(rng, _EXTRA_COLUMNS) if rng.random() < 0.35 else None,
        dates=pick(rng, (_with_hyphens, _with_slashes, _bare, _in_chinese)),
        money=pick(rng, (_plain, _plain, _short, _grouped, _signed, _in_yuan)),
        truths=pick(rng, _TRUTHS),
        canonical_codes=english or rng.random() < 0.15,
        dot=dot,
        id_noise=pick(rng, (0.01, 0.02, 0.03, 0.08)),
        id_prefix=pick(rng, ("", "", "", "'", "\t")),
        manifest=totals or rng.random() < 0.3,
    )


def _heading(rng: Random, column: Column, *, english: bool, units: bool, folder: Path) -> str:
    if english:
        return column.name
    own_name = normalise_header(column.name)
    others = sorted(accepted_headers(column, folder=folder) - {own_name, column.header})
    heading = pick(rng, others) if others and rng.random() < 0.4 else column.header
    return f"{heading}（元）" if units and column.type == "money" else heading


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _plain(fen: int | None) -> str:
    if fen is None:
        return ""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def _short(fen: int | None) -> str:
    return str(fen // 100) if fen is not None and fen % 100 == 0 else _plain(fen)


def _grouped(fen: int | None) -> str:
    if fen is None:
        return ""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d}"


def _signed(fen: int | None) -> str:
    return "" if fen is None else "￥" + _short(fen)


def _in_yuan(fen: int | None) -> str:
    return "" if fen is None else _short(fen) + "元"


_SEEN_DAYS = 1 << 15  # enough for every day of a long life


@lru_cache(_SEEN_DAYS)
def _with_hyphens(day: date | None) -> str:
    return day.isoformat() if day else ""


@lru_cache(_SEEN_DAYS)
def _with_slashes(day: date | None) -> str:
    return f"{day.year}/{day.month}/{day.day}" if day else ""


@lru_cache(_SEEN_DAYS)
def _bare(day: date | None) -> str:
    return f"{day.year:04d}{day.month:02d}{day.day:02d}" if day else ""


@lru_cache(_SEEN_DAYS)
def _in_chinese(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def writers(contract: Contract, style: Style, *, rng: Random) -> Mapping[str, Callable]:
    """For each column whose values need it, what turns a value into its text."""
    found: dict[str, Callable] = {}
    for column in contract.columns:
        if column.type == "date":
            found[column.name] = style.dates
        elif column.type == "bool":
            found[column.name] = {True: style.truths[0], False: style.truths[1], None: ""}.__getitem__
        elif column.type == "code":
            found[column.name] = _code_texts(column, canonical=style.canonical_codes).__getitem__
        elif column.type == "money":
            found[column.name] = style.money
        elif column.type == "id":
            found[column.name] = _id_writer(style, rng)
        elif column.name.endswith("name") and style.dot != MIDDLE_DOT:
            found[column.name] = _dot_writer(style.dot)
    return found


def _dot_writer(dot: str) -> Callable[[str | None], str]:
    return lambda name: name.replace(MIDDLE_DOT, dot) if name else ""


def _code_texts(column: Column, *, canonical: bool) -> dict[str | None, str]:
    """Canonical value → what is written: the value itself or the Chinese one, which the contract lists first."""
    texts: dict[str | None, str] = {None: ""}
    for sent, code in column.codes.items():
        texts.setdefault(code, code if canonical else sent)
    return texts


def _id_writer(style: Style, rng: Random) -> Callable[[str | None], str]:
    noise, prefix, chance = style.id_noise, style.id_prefix, rng.random
    forms: tuple[Callable[[str], str], ...] = (
        str.lower,
        _full_width,
        lambda number: f"'{number}",
        lambda number: f" {number} ",
        lambda number: f"{number}\t",
        lambda number: f"{number[:6]} {number[6:14]} {number[14:]}",
        lambda number: citizen_id.short(number) if citizen_id.can_be_short(number) else number,
    )

    def write(number: str | None) -> str:
        if number is None:
            return ""
        if chance() < noise:
            return pick(rng, forms)(number)
        return prefix + number

    return write
