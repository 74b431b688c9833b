"""A small mart of made-up people with its contract, and declarations of who gets what of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from doudi.settings import Settings
from doudi.warehouse.connection import connect

COLUMNS = {
    "row_id": ("text", None),
    "person_id": ("uuid", "person_id"),
    "household_members": ("uuid[]", "person_id"),
    "name": ("text", "name"),
    "citizen_id": ("text", "citizen_id"),
    "phone": ("text", "phone"),
    "card": ("text", "card"),
    "born_on": ("date", "birth_date"),
    "amount": ("numeric(12,2)", None),
    "is_open": ("boolean", None),
    "note": ("text", None),
    "division_code": ("text", None),
    "township_code": ("text", None),
}
KEY = "row_id"
A, B, C = (str(UUID(int=number)) for number in (1, 2, 3))
ROWS = (
    {
        "row_id": "r1", "person_id": A, "household_members": [A, B], "name": "欧阳某甲",
        "citizen_id": "99000119700101002X",
        "phone": "13800001234", "card": "6217000012345678", "born_on": "2004-02-29", "amount": "1234.50",
        "is_open": True, "note": "=HYPERLINK(1)", "division_code": "513431001001", "township_code": "513431001",
    },
    {
        "row_id": "r2", "person_id": B, "household_members": [B], "name": "𠮷", "citizen_id": "9900011970",
        "phone": "0834-123", "card": "123", "born_on": None, "amount": "-7.00",
        "is_open": False, "note": "a \"quoted\", line\nand ＋1", "division_code": "513431002001",
        "township_code": "513431002",
    },
    {
        "row_id": "r3", "person_id": C, "household_members": [C], "name": "某丙", "citizen_id": "990001193906300038",
        "phone": None, "card": None, "born_on": "1940-06-30", "amount": None,
        "is_open": None, "note": None, "division_code": "513401001001", "township_code": "513401001",
    },
)  # fmt: skip


def open_office(settings: Settings, folder: Path) -> Settings:
    """An installation whose project is ``folder``: the mart ``small`` with its contract, a build, nobody declared."""
    (folder / "extracts").mkdir(parents=True)
    models = folder / "dbt_project" / "models" / "marts"
    models.mkdir(parents=True)
    columns: list[dict[str, Any]] = []
    for name, (data_type, kind) in COLUMNS.items():
        column: dict[str, Any] = {"name": name, "data_type": data_type}
        if kind:
            column["config"] = {"meta": {"personal": kind}}
        if name == KEY:
            column["constraints"] = [{"type": "primary_key"}]
        columns.append(column)
    columns.append({"name": "promised", "data_type": "text"})  # by the contract only
    (models / "small.yml").write_text(yaml.safe_dump({"models": [{"name": "small", "columns": columns}]}))
    typed = ", ".join(f"{name} {data_type}" for name, (data_type, _) in COLUMNS.items())
    with connect(settings.database_url) as session:
        session.execute(f"create table marts.small ({typed}, undeclared text default 'x')")
        session.execute("grant select on marts.small to doudi_extractor")
    ours = replace(settings, project=folder)
    for row in ROWS:
        put(ours, row)
    build(ours, "2020-06-30")
    return ours


def put(settings: Settings, row: dict[str, object]) -> None:
    """Add a row to the mart, or put it in the place of the one with its key."""
    with connect(settings.database_url) as session:
        session.execute("delete from marts.small where row_id = %s", (row["row_id"],))
        names = ", ".join(row)
        values = ", ".join(f"%({name})s" for name in row)
        session.execute(f"insert into marts.small ({names}) values ({values})", row)


def build(settings: Settings, as_of: str) -> None:
    """What the ledger says after a build."""
    with connect(settings.database_url) as session:
        session.execute("insert into ops.build (as_of, status) values (%s, 'succeeded')", (as_of,))


def declare(settings: Settings, recipient: str = "housing", **changes: object) -> Path:
    """Write a declaration of key, name and note for the county 513431, with ``changes``."""
    declaration = {
        "recipient": recipient,
        "title": "住建部门",
        "purpose": "inspect dangerous dwellings",
        "legal_basis": "the plan",
        "contact": "住建局",
        "cadence": "daily",
        "source": "marts.small",
        "rows": {"area": "513431"},
        "columns": [
            {"name": "row_id", "heading": "编号"},
            {"name": "name", "heading": "姓名", "treatment": "plain"},
            {"name": "amount", "heading": "金额"},
            {"name": "note", "heading": "说明"},
        ],
        "order_by": ["row_id"],
        "formats": ["csv"],
        "people": ["person_id"],
        "retention_days": 30,
    } | changes
    path = settings.extracts / f"{recipient}.yml"
    path.write_text(yaml.safe_dump(declaration, allow_unicode=True), encoding="utf-8")
    return path


def column(name: str, treatment: str | None = None) -> dict[str, str]:
    """A declared column under a heading that is its name."""
    return {"name": name, "heading": name} | ({"treatment": treatment} if treatment else {})
