"""Great Expectations' pages on the last deliveries: made anew where something is new, and without a value of a row."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import as_csv, poverty_row, write

from doudi import loads
from doudi.quality import SuiteError, data_docs
from doudi.quality.data_docs import build_data_docs
from doudi.settings import Settings


def _rows() -> list[dict[str, str]]:
    """A list with faults of contract and suite, whose names and amounts are found nowhere else."""
    rows = [poverty_row(n, 姓名=f"某氏{n}", 家庭年人均纯收入=f"{81_000 + n}.57") for n in range(40)]
    rows[3] |= {"家庭年人均纯收入": "987654.32"}
    rows[4] |= {"身份证号": "1.23457E+17"}
    rows[5] |= {"户状态": "已脱贫"}
    return rows


def _land(installation: Settings, folder: Path, day: str) -> None:
    path = write(folder, f"poverty_register_513431_{day}.csv", as_csv(_rows()))
    (result,) = loads.land_files([path], settings=installation)
    assert (result.status, result.rows_quarantined) == ("published", 1)


@pytest.fixture
def site(installation: Settings, warehouse_url: str, tmp_path: Path) -> Path:
    for day in ("20200229", "20200331"):
        _land(installation, tmp_path, day)
    assert build_data_docs(url=warehouse_url, settings=installation) == installation.data_docs / "index.html"
    return installation.data_docs


def _pages(site: Path) -> dict[str, str]:
    return {str(path.relative_to(site)): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_the_pages_tell_what_each_check_found_and_no_value_of_a_row(site: Path, installation: Settings) -> None:
    pages = _pages(site)
    assert {name for name in pages if name.startswith("expectations/")} == {
        f"expectations/{path.name.replace('.yml', '.html')}" for path in installation.expectations.glob("[a-z]*.yml")
    }
    judged = [text for name, text in pages.items() if name.startswith("validations/poverty_register/")]
    assert len(judged) == 2
    assert all("annual_income_per_capita" in text and "lifted_year" in text for text in judged)
    assert all("1 unexpected" in text.replace("\n", " ") for text in judged)  # told, as a count

    everything = b"".join(path.read_bytes() for path in site.rglob("*") if path.is_file())
    for row in _rows():
        for heading in ("姓名", "身份证号", "家庭年人均纯收入"):
            assert row[heading].encode() not in everything


def test_they_are_built_anew_only_where_something_is_new_and_replaced_at_once(
    site: Path, installation: Settings, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_data_docs(url=warehouse_url, settings=installation) is None
    before = _pages(site)
    _land(installation, tmp_path, "20200430")
    with monkeypatch.context() as patched:
        patched.setattr("great_expectations.render.view.DefaultJinjaPageView.render", None)  # no page can be made
        with pytest.raises(SuiteError, match="14 pages of 15 could be written"):
            build_data_docs(url=warehouse_url, settings=installation)
    assert _pages(site) == before
    assert build_data_docs(url=warehouse_url, settings=installation)
    assert len(_pages(site)) == len(before) + 1
    assert len(list(site.resolve().parent.iterdir())) == 1


def test_what_was_lost_of_the_site_is_made_anew(
    site: Path, installation: Settings, warehouse_url: str, tmp_path: Path
) -> None:
    before = _pages(site)
    (site / "expectations" / "disability.html").unlink()
    _land(installation, tmp_path, "20200430")
    assert build_data_docs(url=warehouse_url, settings=installation)
    assert len(_pages(site)) == len(before) + 1
    shutil.rmtree(site.resolve())
    assert build_data_docs(url=warehouse_url, settings=installation)
    assert len(_pages(site)) == len(before) + 1


def test_pages_that_stay_as_they_are_are_not_made_again_and_others_go(
    site: Path, installation: Settings, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {path.name: path.stat().st_mtime_ns for path in site.glob("*/**/*.html")}
    _land(installation, tmp_path, "20200430")
    monkeypatch.setattr(data_docs, "DELIVERIES", 2)
    build_data_docs(url=warehouse_url, settings=installation)
    now = {path.name: path.stat().st_mtime_ns for path in site.glob("*/**/*.html")}
    (gone,), (new,) = made.keys() - now.keys(), now.keys() - made.keys()
    assert now.items() - {new: now[new]}.items() == made.items() - {gone: made[gone]}.items()
    index = (site / "index.html").read_text(encoding="utf-8")
    assert new in index
    assert gone not in index

    anew = replace(installation, home=tmp_path / "anew")
    build_data_docs(url=warehouse_url, settings=anew)
    assert _pages(anew.data_docs).keys() == _pages(site).keys()
