"""What a sender is told of a refused row: where it stands, by which rule it was refused, and never what it held."""

from collections.abc import Callable

import pytest
from made_up import as_csv, citizen_id, poverty_row, write

from doudi.settings import Settings

BROKEN = [
    ("身份证号", "1.10105E+17", "citizen_id", "citizen_id.length", "18"),
    ("身份证号", citizen_id(7)[:-1] + "Y", "citizen_id", "citizen_id.characters", "citizen ID"),
    ("身份证号", "990001197002300018", "citizen_id", "citizen_id.birth_date", "birth date"),
    ("行政区划代码", "513431", "division_code", "type.div", "division code"),
    ("与户主关系", "邻居老张", "relation_to_head", "code", "values of the contract"),
    ("家庭年人均纯收入", "三千多元", "annual_income_per_capita", "type.money", "amount in yuan"),
    ("姓名", "  ", "name", "required", "missing"),
]


@pytest.fixture
def told(take: Callable, query: Callable, installation: Settings) -> Callable[[str], list[tuple]]:
    def told(content: str) -> list[tuple]:
        (result,) = take(write(installation.inbox, "poverty_register_513431_20200331.csv", content))
        assert result.status == "published"
        return query(
            """
            select file_name, line_no, column_name, rule, reason
            from ops.quarantine inner join ops.load using (load_id) order by line_no
            """
        )

    return told


def test_a_refused_row_is_told_by_file_line_column_class_and_rule(told: Callable) -> None:
    rows = [poverty_row(number, **{heading: value}) for number, (heading, value, *_) in enumerate(BROKEN, start=1)]
    found = told(as_csv([poverty_row(0), *rows]))
    assert [(name, line, column, rule) for name, line, column, rule, _ in found] == [
        ("poverty_register_513431_20200331.csv", line, column, rule)
        for line, (_, _, column, rule, _) in enumerate(BROKEN, start=3)
    ]
    for (heading, value, column, _, value_class), (*_, reason) in zip(BROKEN, found, strict=True):
        assert heading in reason
        assert column in reason
        assert value_class in reason
        assert value not in reason


def test_a_line_that_is_no_record_is_told_by_its_number(told: Callable) -> None:
    header, *lines = as_csv([poverty_row(number) for number in range(4)]).splitlines()
    broken = [f"{lines[1]},多的", f'"{lines[2]}', lines[3].replace("某", "某\0")]
    found = told("\r\n".join([header, lines[0], "", *broken]))
    assert [(line, rule) for _, line, _, rule, _ in found] == [(4, "line.columns"), (5, "line.quote"), (6, "line.nul")]
    assert all("990001" not in reason and "某" not in reason for *_, reason in found)
