"""The departments' own messy form: every kind of it occurs, and all that a manifest says is true."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from unit.synth.conftest import County
from unit.synth.reading import encoding_of, read

from doudi.contracts import load_contracts
from doudi.settings import load_settings
from doudi.synth import style

FOLDER = load_settings().contracts
CONTRACTS = load_contracts(FOLDER)


def _contract_name(path: Path) -> str:
    return path.name.rsplit("_", 2)[0]


@pytest.fixture(scope="module")
def texts(county: County) -> dict[str, str]:
    """Each delivery as text, with what is no text left out."""
    found = {}
    for path in county.deliveries():
        content = path.read_bytes()
        encoding = encoding_of(content, CONTRACTS[_contract_name(path)], folder=FOLDER)
        found[path.name] = content.decode(encoding, errors="ignore")
    return found


def test_every_encoding_occurs(county: County) -> None:
    found = {
        encoding_of(path.read_bytes(), CONTRACTS[_contract_name(path)], folder=FOLDER) for path in county.deliveries()
    }
    assert found == {"utf-8", "utf-8-sig", "gb18030"}


@pytest.mark.parametrize(
    "sign",
    [
        "\r\n",
        "·",
        "•",
        "・",
        "．",
        "䶮",
        "𠮷",
        "￥",
        "元",
        "年",
        "/",
        "　",
        "（元）",
        "ｎａｍｅ",
        "'990",
        "\t990",
        "９９０",
        "99",
    ],
)
def test_every_kind_of_mess_occurs(texts: dict[str, str], sign: str) -> None:
    assert any(sign in text for text in texts.values())


def test_short_and_lower_case_ids_occur(texts: dict[str, str]) -> None:
    cells = {cell.strip() for text in texts.values() for row in csv.reader(text.splitlines()) for cell in row}
    assert any(len(cell) == 15 and cell.startswith("990") and cell.isdigit() for cell in cells)
    assert any(len(cell) == 18 and cell.startswith("990") and cell.endswith("x") for cell in cells)


def test_quoted_line_feeds_commas_and_quotes_occur(texts: dict[str, str]) -> None:
    cells = [cell for text in texts.values() for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    for sign in ("\n", ",", '"'):
        assert any(sign in cell.strip() for cell in cells)


def test_broken_bytes_leave_a_file_recognisable(county: County) -> None:
    broken = {row["file_name"] for row in county.truth("quarantine") if row["rule"] in ("line.encoding", "line.nul")}
    for name in broken:
        feed = _contract_name(Path(name))
        names = sorted(path.name for path in county.deliveries() if _contract_name(path) == feed)
        feed_no = list(CONTRACTS).index(feed)
        form = style.encoding_of(feed_no=feed_no, index=names.index(name), deliveries=len(names))
        assert form != style.PLAIN_UTF8


def test_all_that_a_manifest_says_is_true(county: County) -> None:
    manifests = sorted(county.folder.glob("*.manifest.json"))
    totals = 0
    for path in manifests:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        delivery = path.with_name(path.name.removesuffix(".manifest.json"))
        contract = CONTRACTS[_contract_name(delivery)]
        reading = read(delivery, contract, folder=FOLDER)
        assert manifest["rows"] == len(reading.accepted) + len(reading.refused)
        assert manifest["sha256"] == hashlib.sha256(delivery.read_bytes()).hexdigest()
        assert manifest["data_date"].replace("-", "") == delivery.stem[-8:]
        assert manifest["mode"] == contract.mode
        for column, total in manifest.get("control_totals", {}).items():
            assert reading.refused == []
            assert round(total * 100) == sum(row[column] or 0 for row in reading.accepted)
            totals += 1
    assert len(county.deliveries()) > len(manifests) > totals > 3
