"""Which days of records the date is compared with at a parameter's length: the models tell, and so does the night."""

import csv
import re
from collections import defaultdict

from doudi.contracts import load_contracts
from doudi.settings import load_settings
from doudi.transform.touched import COMPARED

# What models call by a name of their own, and the days of records that it is.
DERIVED = {"ended_on": {"end_date", "_valid_to"}}
VERSION = {"_valid_from", "_valid_to"}
LENGTH = re.compile(r"(\w+) as \(\s*{{ local_standard\('(\w+)'\) }}")
COMPARISON = re.compile(r"within_(?:days|months)\(|[<>]")
# Whether a day lies after the one that is a length from the date, or not after it.
AFTER_OR_NOT = re.compile(
    r"within_(?:days|months)\(|{{ as_of\(\) }} - make_interval\(.*\) (?:>=|<) [\w.]+$|<= {{ as_of\(\) }} \+ [\w.:]+$"
)
COUNTED_OVER_EVERYBODY = {"backtest_horizon_days"}


def test_models_compare_with_no_other_days_than_the_night_looks_for() -> None:
    found = defaultdict(set)
    for path in (load_settings().dbt_project / "models").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        for alias, parameter in LENGTH.findall(text):
            if parameter not in COMPARED or parameter in COUNTED_OVER_EVERYBODY:
                continue
            for line in text.splitlines():
                if f"{alias}.value" in line and COMPARISON.search(line):
                    assert AFTER_OR_NOT.search(line), f"{path.name} compares in a way the night does not expect: {line}"
                    columns = set(re.findall(r"\w+\.(\w+)", line)) - {"value"}
                    assert columns, f"{path.name} compares {alias}.value with what its line does not tell: {line}"
                    found[parameter] |= set().union(*(DERIVED.get(column, {column}) for column in columns))
    assert found == {parameter: set(columns) for parameter, columns in COMPARED.items() if columns}


def test_whatever_is_compared_is_told_by_a_record_and_a_parameter() -> None:
    dates = {
        column.name
        for contract in load_contracts(load_settings().contracts).values()
        for column in contract.columns
        if column.type == "date"
    }
    with (load_settings().dbt_project / "seeds" / "local_standard.csv").open(encoding="utf-8") as file:
        lengths = {row["name"] for row in csv.DictReader(file) if row["unit"] in ("months", "days")}
    assert set(COMPARED) == lengths
    assert set().union(*COMPARED.values()) <= dates | VERSION
