"""Which columns of a feed say who somebody is."""

from typing import Any

from doudi.contracts import Column, Contract


def people(contract: Contract) -> list[dict[str, Any]]:
    """The columns of a feed that hold a citizen ID, each with the column of the name that goes with it."""
    columns = [column for column in contract.columns if column.type == "id"]
    names = [column.name.removesuffix("citizen_id") + "name" for column in columns]
    return [
        {
            "feed": contract.name,
            "column": column.name,
            "name_column": name if contract.has(name) else None,
            "is_own": column.name == "citizen_id" or column.primary_key,
        }
        for column, name in zip(columns, names, strict=True)
    ]


def record_numbers(contract: Contract) -> tuple[Column, ...]:
    """The columns of a feed's key that call a record by a number of its own, not by somebody's ID."""
    return tuple(column for column in contract.key if column.type != "id")
