"""Made-up people and the files their departments would send; the area digits 990001-990999 belong to nobody."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from doudi.erasures import Erasure

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
VILLAGE = "513431001001"


def citizen_id(number: int, *, born: str = "19700101") -> str:
    """The citizen ID of made-up person ``number`` (0-998), written out from the standard."""
    stem = f"990001{born}{number + 1:03d}"
    return stem + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(stem, _WEIGHTS, strict=True)) % 11]


def poverty_row(number: int, **changes: str) -> dict[str, str]:
    """A sound row of the poverty register for person ``number``, alone in household ``H<number>``."""
    return {
        "户编号": f"H{number:03d}",
        "姓名": f"某{number}",
        "身份证号": citizen_id(number),
        "行政区划代码": VILLAGE,
        "与户主关系": "本人",
        "户状态": "未脱贫",
        "家庭年人均纯收入": "3000",
        "劳动技能": "普通劳动力",
    } | changes


def visit_row(warning: str, day: str, **changes: str) -> dict[str, str]:
    """A sound row of the visit feedback, the smallest of the event feeds."""
    return {"预警编号": warning, "走访日期": day, "走访人": "某甲", "核实结果": "属实"} | changes


def erasure() -> Erasure:
    """An erasure of somebody whom no warehouse knows."""
    return Erasure(
        erasure_id=uuid4(),
        id_hashes=("0a",),
        erased_on=date(2020, 7, 2),
        erased_at=datetime(2020, 7, 2, 8, tzinfo=UTC),
        erased_by="an officer",
        account_name="night",
        reason="file 7",
        counts={"register.disability": 1},
        archived_load_ids=(3,),
        recipients=("township",),
    )


def as_csv(rows: list[dict[str, str]], *, delimiter: str = ",", newline: str = "\r\n") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(folder: Path, name: str, content: str | bytes, *, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path
