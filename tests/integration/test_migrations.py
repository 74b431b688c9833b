"""Old warehouses become as new ones, and registers follow their contracts: what was in them stays."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml
from made_up import as_csv, poverty_row, write

from doudi.contracts import Contract, load_contract
from doudi.warehouse.connection import connect
from doudi.warehouse.schema import SchemaError, create_schemas

FILE = "poverty_register_513431_20200331.csv"


@pytest.fixture
def changed(project: Path, tmp_path: Path) -> Callable[..., Contract]:
    """The contract of the poverty register with other columns, in a version of its own."""

    def changed(change: Callable[[list[dict]], None], version: str = "1.9.0") -> Contract:
        path = tmp_path / "poverty_register.yml"
        content = yaml.safe_load((project / "contracts" / path.name).read_text(encoding="utf-8"))
        content["version"] = version
        change(content["schema"][0]["properties"])
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return load_contract(path)

    return changed


def _add(properties: list[dict]) -> None:
    properties.append(
        {
            "name": "bank_name", "businessName": "开户银行", "description": "Bank that pays.", "logicalType": "string",
            "physicalType": "text", "classification": "internal",
            "customProperties": [{"property": "type", "value": "text"}],
        }
    )  # fmt: skip


def _rename(properties: list[dict]) -> None:
    column = next(each for each in properties if each["name"] == "labour")
    column["name"] = "labour_capacity"


def _declare_rename(properties: list[dict]) -> None:
    _rename(properties)
    column = next(each for each in properties if each["name"] == "labour_capacity")
    column["customProperties"].append({"property": "formerly", "value": ["labour"]})


def _follow(url: str, contract: Contract) -> None:
    with connect(url) as session:
        create_schemas(session, [contract])


def test_a_new_column_is_empty_in_what_is_there(
    take: Callable, query: Callable, changed: Callable, warehouse_url: str, tmp_path: Path
) -> None:
    take(write(tmp_path, FILE, as_csv([poverty_row(1)])))
    record = "select to_jsonb(version) - 'bank_name' from register.poverty_register as version"
    before = query(record)
    _follow(warehouse_url, changed(_add))
    assert query("select bank_name, count(*) from register.poverty_register group by 1") == [(None, 1)]
    assert query(record) == before


def test_a_declared_rename_takes_the_values_along_and_another_is_refused(
    take: Callable, query: Callable, changed: Callable, warehouse_url: str, tmp_path: Path
) -> None:
    take(write(tmp_path, FILE, as_csv([poverty_row(1)])))
    before = query("select labour, _row_hash from register.poverty_register")
    with pytest.raises(SchemaError, match="holds labour, which contract version"):
        _follow(warehouse_url, changed(_rename))
    _follow(warehouse_url, changed(_declare_rename))
    assert query("select labour_capacity, _row_hash from register.poverty_register") == before


def test_what_is_not_required_any_more_may_be_empty(warehouse_url: str, changed: Callable, query: Callable) -> None:
    def relax(properties: list[dict]) -> None:
        next(each for each in properties if each["name"] == "name").pop("required")

    nullable = "select is_nullable from information_schema.columns where column_name = 'name' and table_name = %s"
    nullable += " and table_schema = 'register'"
    assert query(nullable, "poverty_register") == [("NO",)]
    _follow(warehouse_url, changed(relax))
    assert query(nullable, "poverty_register") == [("YES",)]


def test_a_column_that_somebody_dropped_is_not_replaced_by_an_empty_one(
    take: Callable, contracts: dict[str, Contract], warehouse_url: str, tmp_path: Path
) -> None:
    take(write(tmp_path, FILE, as_csv([poverty_row(1)])))
    with psycopg.connect(warehouse_url) as session:
        session.execute("alter table register.poverty_register drop column labour")
    with pytest.raises(SchemaError, match=r"does not follow contract version .*: labour"):
        _follow(warehouse_url, contracts["poverty_register"])


def test_a_dropped_column_and_another_type_are_refused(warehouse_url: str, changed: Callable) -> None:
    def drop(properties: list[dict]) -> None:
        properties[:] = [each for each in properties if each["name"] != "labour"]

    def retype(properties: list[dict]) -> None:
        column = next(each for each in properties if each["name"] == "person_no")
        column |= {"logicalType": "date", "physicalType": "date"}
        column["customProperties"] = [{"property": "type", "value": "date"}]

    for change in (drop, retype):
        with pytest.raises(SchemaError, match=r"contract version 2\.0\.0"):
            _follow(warehouse_url, changed(change, version="2.0.0"))


def test_rows_refused_before_the_ledger_kept_headings_tell_them(
    take: Callable, query: Callable, contracts: dict[str, Contract], warehouse_url: str, tmp_path: Path
) -> None:
    take(write(tmp_path, FILE, as_csv([poverty_row(1), poverty_row(2, 身份证号="99000119")])))
    kept = "select headings -> '' from ops.load"
    ((sent,),) = query(kept)
    with connect(warehouse_url) as session:
        session.execute("update ops.load set headings = '{}'")
        session.execute("delete from ops.migration where name = '0004_refused_rows_know_their_headings'")
        create_schemas(session, contracts.values())
    ((told,),) = query(kept)
    assert sorted(told) == sorted(sent)
