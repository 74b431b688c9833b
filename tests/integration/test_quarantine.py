"""Refused rows go back to their sender and come again; the register ends as a clean delivery would have left it."""

import os
import shutil
import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import psycopg
import pytest
import yaml
from databases import copy_database
from made_up import as_csv, citizen_id, poverty_row, write

from doudi import cli, loads, quarantine, returns
from doudi.quarantine import QuarantineError
from doudi.quarantine.workbook import OWN_COLUMNS
from doudi.settings import Settings
from doudi.warehouse.connection import WarehouseError, connect
from doudi.warehouse.schema import create_schemas

MARCH, APRIL = "poverty_register_513431_20200331.csv", "poverty_register_513431_20200430.csv"
FATES = "select load_id, row_no, status, replay_load_id from ops.quarantine order by load_id, row_no"
REGISTER = """
    select count(*), md5(string_agg(
        (to_jsonb(version) - array['_row_hash', '_load_id', '_row_no'])::text,
        E'\\n' order by household_no, _valid_from
    ))
    from register.poverty_register as version
"""


@pytest.fixture
def clean_register(settings: Settings, server_url: str, template: str, tmp_path: Path) -> Callable[..., list[tuple]]:
    """What the register says after deliveries without faults, in a warehouse beside that of the test."""

    def clean_register(*deliveries: tuple[str, list[dict[str, str]]]) -> list[tuple]:
        folder = tmp_path / "clean"
        folder.mkdir()
        with psycopg.connect(server_url, autocommit=True) as session:
            session.execute("drop database if exists clean_doudi with (force)")
            copy_database(session, "clean_doudi", template=template)
        url = server_url.rpartition("/")[0] + "/clean_doudi"
        files = [write(folder, name, as_csv(rows)) for name, rows in deliveries]
        loads.land_files(files, settings=replace(settings, database_url=url, home=folder))
        with psycopg.connect(url) as session:
            return session.execute(REGISTER).fetchall()

    return clean_register


@pytest.fixture
def call(
    installation: Settings, without_suite: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("DOUDI_DATABASE_URL", installation.database_url)
    monkeypatch.setenv("DOUDI_HOME", str(installation.home))

    def call(*arguments: str | Path | int) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["doudi", "quarantine", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call


def _export(installation: Settings, load_id: int = 1) -> Path:
    (written,) = returns.export(settings=installation, out=installation.home / "back", load_id=load_id)
    return written.path


def _correct(path: Path, corrections: dict[str, dict[str, str]], *, sheet: str = "退回") -> Path:
    """Fill in cells by return number and heading, as the sender would, and save under another name."""
    book = openpyxl.load_workbook(path)
    lines = book[sheet]
    columns = {cell.value: cell.column for cell in lines[1]}
    for line in range(2, lines.max_row + 1):
        for heading, text in corrections.get(lines.cell(line, 1).value, {}).items():
            lines.cell(line, columns[heading]).value = text
    target = path.with_name("corrected.xlsx")
    book.save(target)
    return target


def _sums_hold(query: Callable[..., list[tuple]]) -> bool:
    return query(
        "select bool_and(rows_read = rows_published + rows_unchanged + rows_quarantined) from ops.load"
        " where status = 'published'"
    ) == [(True,)]


def test_the_workbook_holds_the_row_as_sent_and_every_reason_in_both_languages(
    take: Callable, installation: Settings, tmp_path: Path
) -> None:
    rows = [
        poverty_row(1),
        poverty_row(2, 户状态="?", 家庭年人均纯收入="+1=2", 劳动技能='=HYPERLINK("x")'),
        poverty_row(3),
    ]
    text = as_csv(rows).replace("户编号", "户　编号") + "H004,broken\r\n"
    take(write(tmp_path, MARCH, text))
    path = _export(installation)

    assert path.name == "退回_T1_poverty_register_513431_20200331.xlsx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["说明", "退回"]
    assert MARCH in "".join(str(cell.value) for cell in book["说明"]["A"])
    sheet = book["退回"]
    header = [cell.value for cell in sheet[1]]
    assert header[: len(OWN_COLUMNS)] == list(OWN_COLUMNS)
    assert header[len(OWN_COLUMNS) :] == ["户　编号", *list(rows[0])[1:]]
    assert sheet.freeze_panes == "B2"
    refused = {cell.value: dict(zip(header, sheet[cell.row], strict=True)) for cell in sheet["A"][1:]}
    assert refused.keys() == {"T1-2", "T1-4"}
    row = refused["T1-2"]
    assert (row["行号"].value, row["问题列"].value) == ("3", "户状态、家庭年人均纯收入、劳动技能")
    assert row["退回原因"].value.splitlines()[0] == "户状态：不在约定的取值范围内。"
    assert row["Reason"].value.splitlines()[0] == "status is none of the values of the contract."
    assert len(row["Reason"].value.splitlines()) == 3
    assert {cell.data_type for cell in row.values() if cell.value is not None} == {"s"}, "no formula, no number"
    assert row["劳动技能"].value == '=HYPERLINK("x")'
    assert row["身份证号"].value == citizen_id(2)
    assert row["户状态"].fill.fgColor.rgb != row["姓名"].fill.fgColor.rgb
    line = refused["T1-4"]
    assert line["原始行"].value == "H004,broken"
    assert [cell.value for cell in sheet[line["原始行"].row][len(OWN_COLUMNS) :]] == [None] * 8

    with pytest.raises(QuarantineError, match="is there already"):
        _export(installation)


def test_corrected_rows_give_the_register_of_a_clean_delivery(
    take: Callable, query: Callable, installation: Settings, clean_register: Callable, tmp_path: Path
) -> None:
    clean = [poverty_row(1), poverty_row(2), poverty_row(3), poverty_row(4)]
    april = [poverty_row(1), poverty_row(2, 家庭年人均纯收入="50"), poverty_row(4)]
    bad = [clean[0], clean[1] | {"户状态": "?"}, clean[2] | {"身份证号": "1"}]
    take(write(tmp_path, MARCH, as_csv(bad) + as_csv([clean[3]]).splitlines()[1] + ",more\r\n"))
    path = _export(installation)
    take(write(tmp_path, APRIL, as_csv(april)))  # the corrections come when the next list has been published

    first = _correct(path, {"T1-2": {"户状态": "未脱贫"}, "T1-4": clean[3]})
    replayed = returns.replay_file(first, settings=installation)
    assert [(each.load_id, each.rows_read, each.rows_quarantined) for each in replayed.loads] == [(3, 2, 0)]
    assert replayed.left_open == 1
    assert query(FATES) == [(1, 2, "replayed", 3), (1, 3, "open", None), (1, 4, "replayed", 3)]

    second = _correct(_export(installation_beside(installation)), {"T1-3": {"身份证号": citizen_id(3)}})
    returns.replay_file(second, settings=installation)
    assert query("select count(*) from ops.quarantine where status <> 'replayed'") == [(0,)]
    assert query(REGISTER) == clean_register((MARCH, clean), (APRIL, april))
    assert query("select distinct replays_load_id from ops.load where load_id > 2") == [(1,)]
    assert _sums_hold(query)


def installation_beside(installation: Settings) -> Settings:
    """The same warehouse, another folder to export to."""
    (installation.home / "beside").mkdir()
    return replace(installation, home=installation.home / "beside")


def test_a_row_refused_again_is_open_in_the_replay_and_known_by_its_first_line(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path, call: Callable
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    code, out, _ = call("replay", "--file", _correct(_export(installation), {"T1-2": {"户状态": "!"}}))
    assert (code, out) == (0, "load 2: published, 1 rows, 1 refused again\n")
    assert query(FATES) == [(1, 2, "replayed", 2), (2, 1, "open", None)]
    assert _sums_hold(query)

    ((number, file_name, line_no, *_, fate),) = returns.show(settings=installation, load_id=2)
    assert (number, file_name, line_no, fate) == ("T2-1", MARCH, 3, "open")
    ((*_, fate),) = returns.show(settings=installation, load_id=1)
    assert fate == "replayed in load 2: refused again as T2-1"
    sheet = openpyxl.load_workbook(_export(installation, 2))["退回"]
    assert [cell.value for cell in sheet[2]][:2] == ["T2-1", "3"]
    assert "T1-2" not in [cell.value for cell in sheet[2]]


def test_a_replay_whose_process_was_killed_is_finished_by_the_next_night(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    corrected = _correct(_export(installation), {"T1-2": {"户状态": "已脱贫"}})
    child = os.fork()
    if child == 0:
        quarantine.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        returns.replay_file(corrected, settings=installation)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert query(FATES) == [(1, 2, "open", 2)]
    assert query("select status from ops.load order by load_id") == [("published",), ("landed",)]
    assert query("select count(*) from register.poverty_register") == [(1,)]
    with pytest.raises(QuarantineError, match="being replayed by load 2"):
        returns.discard(settings=installation, load_id=1, row_nos=None, reason="late")

    again = loads.take_in("poverty_register", settings=installation)
    assert [(each.load_id, each.status) for each in again] == [(2, "published")]
    assert query(FATES) == [(1, 2, "replayed", 2)]
    assert query("select count(*) from register.poverty_register") == [(2,)]


def test_a_cut_replay_is_finished_when_the_same_workbook_is_handed_in_again(
    take: Callable, query: Callable, installation: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    corrected = _correct(_export(installation), {"T1-2": {"户状态": "已脱贫"}})

    def gone(*_) -> None:
        raise psycopg.OperationalError("connection lost")

    with monkeypatch.context() as broken:
        broken.setattr("doudi.ledger.begin", gone)
        with pytest.raises(WarehouseError):
            returns.replay_file(corrected, settings=installation)
    assert query("select status from ops.load order by load_id") == [("published",), ("received",)]

    replayed = returns.replay_file(corrected, settings=installation)
    assert [(each.load_id, each.status) for each in replayed.loads] == [(2, "published")]
    assert query(FATES) == [(1, 2, "replayed", 2)]
    assert query("select count(*) from ops.load") == [(2,)]


@pytest.fixture
def under_contract(installation: Settings, settings: Settings, tmp_path: Path) -> Callable[..., Settings]:
    """The installation with another contract of the poverty register, changed by what is handed in."""

    def under_contract(change: Callable[[dict[str, dict]], None]) -> Settings:
        project = tmp_path / "project"
        shutil.copytree(settings.contracts, project / "contracts")
        (project / "expectations").symlink_to(settings.expectations)
        path = project / "contracts" / "poverty_register.yml"
        contract = yaml.safe_load(path.read_text(encoding="utf-8"))
        change({column["name"]: column for column in contract["schema"][0]["properties"]})
        path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
        return replace(installation, project=project)

    return under_contract


def _accept_marginal(columns: dict[str, dict]) -> None:
    codes = next(each for each in columns["status"]["customProperties"] if each["property"] == "codes")
    codes["value"]["边缘户"] = "marginal"


def test_after_a_rule_change_the_open_rows_are_judged_again(
    take: Callable, query: Callable, installation: Settings, under_contract: Callable, clean_register: Callable,
    tmp_path: Path,
) -> None:  # fmt: skip
    rows = [
        poverty_row(1, 户状态="边缘户"),
        poverty_row(2, 户状态="新词"),
        poverty_row(3),
        poverty_row(3, 家庭年人均纯收入="1"),
    ]
    take(write(tmp_path, MARCH, as_csv(rows) + "broken\r\n"))
    nothing_changed = returns.replay_open(settings=installation, load_id=1)
    assert [(each.status, each.rows_read, each.rows_quarantined) for each in nothing_changed.loads] == [
        ("published", 2, 2)
    ]
    assert nothing_changed.left_open == 2, "the repeated key and the broken line"

    replayed = returns.replay_open(settings=under_contract(_accept_marginal), feed="poverty_register")
    assert [(each.load_id, each.rows_published, each.rows_quarantined) for each in replayed.loads] == [(3, 1, 1)]
    assert query(FATES) == [
        (1, 1, "replayed", 2), (1, 2, "replayed", 2), (1, 4, "open", None), (1, 5, "open", None),
        (2, 1, "replayed", 3), (2, 2, "replayed", 3), (3, 2, "open", None),
    ]  # fmt: skip
    assert query(REGISTER) == clean_register((MARCH, [poverty_row(1, 户状态="边缘易致贫"), poverty_row(3)]))
    assert _sums_hold(query)


def test_a_replay_that_is_refused_leaves_its_rows_open_and_is_taken_up_again(
    take: Callable, query: Callable, installation: Settings, under_contract: Callable, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    corrected = _correct(_export(installation), {"T1-2": {"户状态": "未脱贫"}})
    demanding = under_contract(lambda columns: columns["cause"].update(required=True))
    (refused,) = returns.replay_file(corrected, settings=demanding).loads
    assert (refused.status, refused.error_code) == ("refused", "header.missing")
    assert query(FATES) == [(1, 2, "open", 2)]

    (published,) = returns.replay_file(corrected, settings=installation).loads
    assert (published.load_id, published.status) == (2, "published")
    assert query(FATES) == [(1, 2, "replayed", 2)]


def test_the_return_number_is_no_extra_column(
    take: Callable, installation: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("doudi.contracts.Contract.extra_columns", "refuse")
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    assert [each.status for each in returns.replay_open(settings=installation, load_id=1).loads] == ["published"]


def test_sheets_with_other_headings_come_back_as_sheets_of_their_own(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    for title, first, number in (("一乡", "户编号", 1), ("二乡", "household_no", 2)):
        sheet = book.create_sheet(title)
        row = poverty_row(number, 户状态="?", 身份证号="")
        sheet.append([first, *list(row)[1:]])
        sheet.append(list(row.values()))
        sheet.cell(2, 3).value = int(citizen_id(5)[:17] + "1")  # a number: its last digits are lost
    book.save(tmp_path / "poverty_register_513431_20200331.xlsx")
    (result,) = take(tmp_path / "poverty_register_513431_20200331.xlsx")
    assert result.rows_quarantined == 2
    path = _export(installation)
    sheets = openpyxl.load_workbook(path)
    assert sheets.sheetnames == ["说明", "退回1", "退回2"]
    assert [sheets[name].cell(1, len(OWN_COLUMNS) + 1).value for name in sheets.sheetnames[1:]] == [
        "户编号",
        "household_no",
    ]

    one_cell = _correct(path, {"T1-1": {"户状态": "未脱贫"}}, sheet="退回1")
    assert returns.replay_file(one_cell, settings=installation).left_open == 2, "the damaged ID still stands"
    first = _correct(path, {"T1-1": {"户状态": "未脱贫", "身份证号": citizen_id(1)}}, sheet="退回1")
    second = _correct(first, {"T1-2": {"户状态": "未脱贫", "身份证号": citizen_id(2)}}, sheet="退回2")
    replayed = returns.replay_file(second, settings=installation)
    assert [each.rows_published for each in replayed.loads] == [1, 1]
    assert query("select citizen_id from register.poverty_register order by 1") == [(citizen_id(1),), (citizen_id(2),)]
    assert query(FATES) == [(1, 1, "replayed", 2), (1, 2, "replayed", 3)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sheet: sheet.cell(2, 1, "T9-1"), "line 2: T9-1: there is no load 9"),
        (lambda sheet: sheet.cell(2, 1, "T1-77"), "line 2: there is no refused row T1-77"),
        (lambda sheet: sheet.cell(2, 1, "T1-1"), "line 2: there is no refused row T1-1"),
        (lambda sheet: sheet.cell(2, 1, "H002"), "line 2: no 退回编号"),
        (lambda sheet: sheet.cell(3, 1, "T1-2"), "line 3: T1-2 stands at sheet 退回, line 2 already"),
        (lambda sheet: sheet.cell(1, 8, "其他"), "its columns are not those under which it was sent"),
        (lambda sheet: sheet.delete_cols(2), "line 1: the headings are not those of the workbook"),
    ],
)
def test_a_workbook_with_a_foreign_row_is_refused_before_anything_is_done(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path, call: Callable,
    change: Callable, said: str,
) -> None:  # fmt: skip
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?"), poverty_row(3, 户状态="?")])))
    path = _correct(_export(installation), {"T1-2": {"户状态": "未脱贫"}, "T1-3": {"户状态": "未脱贫"}})
    book = openpyxl.load_workbook(path)
    change(book["退回"])
    book.save(path)
    code, _, err = call("replay", "--file", path)
    assert code == 1
    assert said in err
    assert len(err.splitlines()) == 1
    assert "H002" not in err
    assert query("select count(*) from ops.load") == [(1,)]
    assert query("select distinct status from ops.quarantine") == [("open",)]


def test_rows_that_are_no_longer_open_are_refused(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    path = _correct(_export(installation), {"T1-2": {"户状态": "未脱贫"}})
    returns.replay_file(path, settings=installation)
    with pytest.raises(QuarantineError, match=r"line 2: T1-2 is not open \(replayed in load 2: published\)"):
        returns.replay_file(path, settings=installation)
    with pytest.raises(QuarantineError, match="has no open rows"):
        returns.replay_open(settings=installation, load_id=1)
    assert query("select count(*) from ops.load") == [(2,)]


def test_rows_of_a_delivery_refused_whole_are_not_replayed(
    take: Callable, installation: Settings, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, "户编号,姓名\r\n1,某\r\n"))
    with pytest.raises(QuarantineError, match="refused whole: have it corrected and sent again as a whole"):
        returns.replay_open(settings=installation, load_id=1)


def test_of_a_delivery_refused_for_its_share_of_bad_rows_the_sender_is_shown_which(
    take: Callable, query: Callable, installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doudi.quality.Suite.refuses", lambda *_, **__: True)
    (result,) = take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="?")])))
    assert result.error_code == "suite.refused_share"
    path = _export(installation)
    guide = "".join(str(cell.value) for cell in openpyxl.load_workbook(path)["说明"]["A"])
    assert "send it again as a whole" in guide
    assert "Correct the cells" not in guide
    corrected = _correct(path, {"T1-2": {"户状态": "未脱贫"}})
    with pytest.raises(QuarantineError, match="refused whole"):
        returns.replay_file(corrected, settings=installation)
    assert returns.replay_open(settings=installation, feed="poverty_register").loads == []
    assert query("select count(*) from ops.load") == [(1,)]


def test_discarded_rows_keep_who_when_and_why(
    take: Callable, query: Callable, tmp_path: Path, call: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "operator")
    take(write(tmp_path, MARCH, as_csv([poverty_row(n, 户状态="?") for n in (1, 2, 3)])))
    assert call("discard", 1, "--row", 1, "--row", 9, "--reason", "moved away")[::2] == (1, "doudi: not open: T1-9\n")
    assert query("select count(*) from ops.quarantine where status = 'open'") == [(3,)]
    assert call("discard", 1, "--row", 2, "--reason", "moved away")[:2] == (0, "discarded: 1 rows\n")
    assert query(
        "select row_no, discarded_by, discard_reason, discarded_at is not null from ops.quarantine"
        " where status = 'discarded'"
    ) == [(2, "operator", "moved away", True)]
    assert call("discard", 1, "--reason", " ")[0] == 1
    assert "discarded: moved away" in " ".join(call("show", 1, "--row", 2)[1].split())


def test_no_value_of_a_row_is_told_unless_asked_for(take: Callable, tmp_path: Path, call: Callable) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(1), poverty_row(2, 户状态="离奇")])))
    _, listed, _ = call("list")
    assert MARCH in listed
    assert "code" in listed
    shown = call("show", 1)[1]
    assert "T1-2" in shown
    for output in (listed, shown):
        assert "离奇" not in output
        assert citizen_id(2) not in output
    assert "离奇" in call("show", 1, "--values")[1]


def test_an_older_warehouse_gets_the_new_columns(warehouse_url: str, contracts: dict, query: Callable) -> None:
    with connect(warehouse_url) as session:
        session.execute("alter table ops.quarantine drop column discarded_at")
        create_schemas(session, contracts.values())
    assert query("select count(discarded_at) from ops.quarantine") == [(0,)]
