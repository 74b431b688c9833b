"""The command as others call it: what goes to standard output, and the exit status."""

import json
from pathlib import Path

import pytest
from made_up import as_csv, poverty_row, write

from doudi import cli
from doudi.settings import Settings

NAME = "poverty_register_513431_20200331.csv"


@pytest.fixture
def call(
    installation: Settings, without_suite: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Call ``doudi`` with arguments; returns its exit status, standard output and standard error."""
    monkeypatch.setenv("DOUDI_DATABASE_URL", installation.database_url)
    monkeypatch.setenv("DOUDI_HOME", str(installation.home))

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["doudi", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call


def test_land_prints_the_ledger_s_rows_and_nothing_else(call, tmp_path: Path) -> None:
    path = write(tmp_path, NAME, as_csv([poverty_row(1), poverty_row(2, 户状态="?")]))
    code, out, _ = call("land", path, "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["status"], row["rows_read"], row["rows_published"], row["rows_quarantined"]) == ("published", 2, 1, 1)
    assert call("land", path, "--json")[1] == out


def test_land_ends_with_one_where_a_delivery_is_refused(call, tmp_path: Path) -> None:
    good = write(tmp_path, "poverty_register_513431_20200229.csv", as_csv([poverty_row(1)]))
    bad = write(tmp_path, NAME, "户编号,姓名\r\n1,某\r\n")
    code, out, err = call("land", bad, good, "--json")
    assert code == 1
    assert [row["status"] for row in json.loads(out)] == ["published", "refused"]
    assert "line 1 lacks the required columns" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["land", "unknown_513431_20200331.csv"], "no contract for a feed unknown"),
        (["land", "disability_513431_20200331.csv"], "disability_513431_20200331.csv: there is no such file"),
        (["extract", "nobody"], "no extract is declared for nobody"),
        (["extract"], "run doudi build first"),
        (["build", "--as-of", "June"], "write YYYY-MM-DD"),
        (["explain", "RP03-20200630-7K2MD9QXTA"], "there is no warning RP03-20200630-7K2MD9QXTA"),
        (["simulate"], "nothing to change"),
        (["simulate", "--set", "mute_days=long"], "--set mute_days=long: write a parameter and a number"),
        (["simulate", "--set", "mute_days=9", "--out", "figures.pdf"], "ends in .csv or .xlsx"),
        (["simulate", "--set", "mute_days=9"], "run doudi build first"),
        (["backtest"], "run doudi build first"),
        (["backtest", "--to", "2020-06-30"], "name the day to begin with"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_no_traceback(call, arguments: list[str], said: str) -> None:
    code, _, err = call(*arguments)
    assert code == 1
    assert said in err
    assert "Traceback" not in err


def test_status_names_feeds_that_are_late_or_never_came(call, tmp_path: Path) -> None:
    call("land", write(tmp_path, NAME, as_csv([poverty_row(1)])))
    _, out, _ = call("status")
    assert "late by" in out
    assert "never came" in out
