"""Everything that is handed out, of a county with hostile texts, read as by somebody who wants to know more."""

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import psycopg
import pyarrow.parquet
import pytest
import yaml
from outsider import Told, bounds
from synthetic_county import taken_in

from doudi import extracts, transform
from doudi.contracts import load_contracts
from doudi.extracts.marts import load_marts
from doudi.settings import Settings

JUNE = date(2020, 6, 30)
FORMULAS = ('=HYPERLINK("http://x","点")', "＝1+1", "@SUM(A1:A9)", "\t=1", "-2+3", "＋cmd|'/C'!A0")
HOSTILE = (*FORMULAS, "某13812345678", "某6217000012345678901")
STARTS = tuple("=+-@\t\r\n＝＋－＠")
NAMES = {"name": "citizen_id", "head_name": "head_citizen_id", "guardian_name": "guardian_citizen_id"}
FREE_TEXTS = ("cause", "reason", "remark", "measure", "disease", "refusal_reason", "school", "institution", "visitor")
# Citizen IDs of either length and cards, phones; nothing of the kind stands in a hash.
NUMBER = re.compile(r"(?<![0-9A-Za-z.])(?:\d{15,19}[Xx]?|1[3-9]\d{9})(?![0-9A-Za-z])")
EVERY_FORM = ("csv", "csv_gb18030", "xlsx", "parquet", "jsonl")
# Made for these tests: one in every form, and one that says less than it should.
EVERYTHING, CARELESS = "every_form", "careless_notice"


class Office:
    """A warehouse with a build of June, and all that its declarations give, written out."""

    def __init__(self, session: psycopg.Connection, settings: Settings) -> None:
        self.session, self.settings = session, settings
        self.declarations = extracts.load_declarations(settings.extracts)

    def query(self, statement: str) -> list[tuple]:
        return self.session.execute(statement).fetchall()

    def files(self, recipient: str) -> list[Path]:
        return sorted(path for path in (self.settings.out / recipient).rglob("*") if path.is_file())

    def given(self, recipient: str) -> str:
        """Whatever of people the declaration gives plain, of the rows that it names."""
        declaration = self.declarations[recipient]
        personal = load_marts(self.settings.dbt_project)[declaration.source].columns
        values = []
        for column in declaration.columns:
            if column.treatment == "plain" and personal[column.name].personal:
                where = " and ".join(f"{name} = '{wanted}'" for name, wanted in declaration.rows.items())
                values += self.query(
                    f"select distinct {column.name}::text from {declaration.source} where {where or 'true'}"
                )
        return "\n".join(value for (value,) in values if value)

    def names(self) -> set[str]:
        selects = [
            f"select {column} from register.{contract.name} where {column} is not null"
            for contract in load_contracts(self.settings.contracts).values()
            for column in NAMES
            if column in {each.name for each in contract.columns}
        ]
        selects.append("select name from identity.person where name is not null")
        return {name for (name,) in self.query(" union ".join(selects)) if len(name) > 1}


@pytest.fixture(scope="module")
def office(
    server_url: str, template: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("attack")
    shipped = replace(settings, project=_project(settings.project, home / "project"))
    with (
        taken_in(server_url, template=template, settings=shipped, home=home, persons=1500, as_of=JUNE) as own,
        psycopg.connect(own.database_url, autocommit=True) as session,
    ):
        _make_hostile(session, own)
        transform.build(url=own.database_url, settings=own, as_of=JUNE)
        made = Office(session, own)
        extracts.send(list(made.declarations), settings=own, out=own.out)
        yield made


def _project(shipped: Path, folder: Path) -> Path:
    """The project as it is shipped, with two more declarations."""
    (folder / "extracts").mkdir(parents=True)
    for path in shipped.iterdir():
        if path.name != "extracts" and not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    for path in (shipped / "extracts").glob("*.yml"):
        (folder / "extracts" / path.name).symlink_to(path)
    for name, pattern, changes in (
        (EVERYTHING, "civil_affairs", {"formats": list(EVERY_FORM)}),
        (CARELESS, "public_notice", {"formats": ["csv"]}),
    ):
        declared = yaml.safe_load((shipped / "extracts" / f"{pattern}.yml").read_text(encoding="utf-8"))
        if name == CARELESS:
            for column in declared["columns"]:
                column.pop("treatment", None)
                if column["name"] == "name":
                    column["treatment"] = "plain"
        declared |= {"recipient": name} | changes
        (folder / "extracts" / f"{name}.yml").write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    return folder


def _make_hostile(session: psycopg.Connection, settings: Settings) -> None:
    """Half of all people get a name that a spreadsheet would run, or with a number in it; remarks are all like that."""
    for contract in load_contracts(settings.contracts).values():
        columns = {column.name for column in contract.columns}
        for name, owner in NAMES.items():
            if {name, owner} <= columns:
                session.execute(
                    f"""
                    update register.{contract.name} set {name} = (%s::text[])[1 + abs(hashtext({owner})) %% 8]
                    where abs(hashtext({owner})) %% 16 < 8
                    """,
                    (list(HOSTILE),),
                )
        for text in columns & set(FREE_TEXTS):
            hostile = [*HOSTILE[:-1], "见99000119700101002X"]
            session.execute(
                f"update register.{contract.name} set {text} = (%s::text[])[1 + _row_no %% 8] where {text} is not null",
                (hostile,),
            )


def _content(path: Path) -> str:
    """All text that is in a file, wherever it stands."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as parts:
            return "\n".join(html.unescape(parts.read(part).decode("utf-8", "replace")) for part in parts.namelist())
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path)
        return json.dumps(table.to_pylist(), ensure_ascii=False, default=str) + str(table.schema)
    return path.read_bytes().decode("gb18030" if "gb18030" in path.name else "utf-8-sig")


def _leaks(content: str, *, given: str, names: set[str]) -> set[str]:
    """What is told of people besides what is given: numbers of any length that is one's, and these names."""
    told = {number for number in NUMBER.findall(content) if number not in given}
    return told | {name for name in names if name in content}


def test_nothing_of_anybody_leaves_that_is_not_declared_plain(office: Office) -> None:
    names = office.names()
    assert len(names) > 200
    leaked = {}
    for recipient in office.declarations.keys() - {CARELESS}:
        files, given = office.files(recipient), office.given(recipient)
        assert len(files) > 1, recipient
        not_given = {name for name in names if name not in given}
        for path in files:
            found = _leaks(f"{path.name}\n{_content(path)}", given=given, names=not_given)
            if found:
                leaked[f"{recipient}/{path.name}"] = sorted(found)[:5]
    assert leaked == {}


def test_a_declaration_that_masks_nothing_would_be_found(office: Office) -> None:
    (careless,) = (path for path in office.files(CARELESS) if path.suffix == ".csv")
    assert office.given("public_notice") == ""
    assert _leaks(_content(careless), given="", names=office.names())


def test_the_public_table_tells_of_nobody(office: Office) -> None:
    told = "\n".join(row for (row,) in office.query("select public_summary::text from marts.public_summary"))
    assert _leaks(told, given="", names=office.names()) == set()


def test_formulas_arrive_as_text_in_every_form(office: Office) -> None:
    arrived: dict[str, set[str]] = {}
    for recipient in office.declarations:
        for path in office.files(recipient):
            if path.suffix == ".csv":
                encoding = "gb18030" if "gb18030" in path.name else "utf-8-sig"
                cells = [
                    cell
                    for row in csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline=""))
                    for cell in row
                ]
                running = [cell for cell in cells if cell.startswith(STARTS) and not re.fullmatch(r"-?[\d.]+", cell)]
                assert running == [], path.name
            elif path.suffix == ".xlsx":
                cells = _sheet_cells(path)
            else:
                cells = [_content(path)]
            kind = path.suffix if "gb18030" not in path.name else "gb18030"
            arrived.setdefault(kind, set()).update(
                formula
                for formula in FORMULAS
                for cell in cells
                if json.dumps(formula, ensure_ascii=False)[1:-1] in cell or formula in cell
            )
    for kind in (".csv", "gb18030", ".xlsx", ".parquet", ".jsonl"):
        assert arrived[kind] >= set(FORMULAS), f"{kind}: the test planted nothing there"


def _sheet_cells(path: Path) -> list[str]:
    """The texts of a workbook, none of which is computed."""
    with zipfile.ZipFile(path) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<f " in sheet or "<hyperlink" in sheet for sheet in sheets), path.name
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not any(cell.data_type == "f" for cell in cells), path.name
    return [str(cell.value) for cell in cells]


def _told(office: Office, statement: str) -> list[Told]:
    return [tuple(row) for row in office.query(statement)]


def test_no_hidden_count_can_be_solved_for(office: Office) -> None:
    rows = _told(office, "select measure, category, division_code, value from marts.public_summary")
    counts = "select measure, category, division_code, value from intermediate.int_public_count"
    exact = {tuple(cell): value for *cell, value in office.query(counts)}
    hidden = {row[:3] for row in rows if row[3] is None}
    assert {cell for cell, value in exact.items() if 0 < value < 10} <= hidden
    assert {row[:3]: row[3] for row in rows if row[3] is not None}.items() <= exact.items()
    known = bounds(rows)
    assert len(known) == len(hidden) > 30
    assert {cell: width for cell, (least, most) in known.items() if (width := most - least) < 8} == {}
    assert all(least <= exact[cell] <= most + 1e-6 for cell, (least, most) in known.items())


def test_counts_that_only_hide_the_small_ones_would_be_solved_for(office: Office) -> None:
    weak = _told(
        office,
        """
        select measure, category, division_code, case when value = 0 or value >= 10 then value end
        from intermediate.int_public_count
        """,
    )
    assert any(np.isclose(least, most) for least, most in bounds(weak).values())


def test_the_report_tells_what_the_public_table_tells(office: Office) -> None:
    (path,) = (path for path in office.files("province_report") if path.suffix == ".csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        told = {(row["区划代码"], row["类别代码"], row["指标"]): row["数量"] for row in csv.DictReader(file)}
    table = office.query(
        "select division_code, category, measure_name, coalesce(value::text, '') from marts.public_summary"
    )
    assert told == {tuple(cell): value for *cell, value in table}
