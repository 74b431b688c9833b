"""How the departments' text is read: the SQL functions against what the standards and feeds.md say."""

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from made_up import citizen_id


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        ("to_date", "2020-06-30", date(2020, 6, 30)),
        ("to_date", "2020/6/30", date(2020, 6, 30)),
        ("to_date", "20200630", date(2020, 6, 30)),
        ("to_date", "2020年6月30日", date(2020, 6, 30)),
        ("to_date", "２０２０年６月３０日", date(2020, 6, 30)),
        ("to_date", "44012", date(2020, 6, 30)),
        ("to_date", "2020-06-30 00:00:00", date(2020, 6, 30)),
        ("to_date", "2020-02-30", None),
        ("to_date", "20201301", None),
        ("to_date", "下个月", None),
        ("to_money", "1,200.50", Decimal("1200.50")),
        ("to_money", "￥1200", Decimal("1200")),
        ("to_money", "1200元", Decimal("1200")),
        ("to_money", "-3.5", Decimal("-3.50")),
        ("to_money", "1200.555", None),
        ("to_money", "12,00", None),
        ("to_money", "1e5", None),
        ("to_money", "9999999999999", None),
        ("to_boolean", "是", True),
        ("to_boolean", "有", True),
        ("to_boolean", "y", True),
        ("to_boolean", "１", True),
        ("to_boolean", "否", False),
        ("to_boolean", "无", False),
        ("to_boolean", "false", False),
        ("to_boolean", "不详", None),
        ("to_integer", "3", 3),
        ("to_integer", "3.0", 3),
        ("to_integer", "3.5", None),
        ("to_integer", "99999999999", None),
        ("to_division", "513431001001", "513431001001"),
        ("to_division", "513431", None),
        ("clean_text", "　阿依 \t", "阿依"),
        ("clean_text", "　 ", None),
    ],
)
def test_values_are_read_as_the_feeds_page_says(query: Callable, function: str, text: str, value: object) -> None:
    assert query(f"select ops.{function}(%s)", text) == [(value,)]


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X",
        "11010519491231002x",
        "'11010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        " 110105 19491231\t002X",
    ],
)
def test_a_citizen_id_is_normalised_before_it_is_judged(query: Callable, text: str) -> None:
    read = "ops.citizen_id(%s)"
    assert query(f"select {read}, ops.citizen_id_fault({read})", text, text) == [("11010519491231002X", None)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1.10105E+17", "length"),
        ("1101051949123100", "length"),
        ("11010519491231OO2X", "characters"),
        ("11010519490230002X", "birth_date"),
        ("11010520991231002X", "birth_date"),
        ("11010518991231002X", "birth_date"),
        ("110105194912310021", "check_character"),
    ],
)
def test_a_citizen_id_that_is_nobodys_is_told_why(query: Callable, text: str, fault: str) -> None:
    assert query("select ops.citizen_id_fault(ops.citizen_id(%s))", text) == [(fault,)]


def test_fifteen_digits_are_upgraded_and_centenarians_keep_their_century(query: Callable) -> None:
    assert query("select ops.citizen_id('110105491231002'), ops.citizen_id('990001050101997')") == [
        (
            "11010519491231002X",
            query("select '99000118050101997' || ops.citizen_id_check_character(99000118050101997)")[0][0],
        )
    ]


def test_check_characters_agree_with_the_standard_written_out_in_python(query: Callable) -> None:
    made = random.Random(7)
    ids = [
        citizen_id(made.randrange(999), born=f"19{made.randrange(10, 99)}0{made.randrange(1, 9)}11") for _ in range(300)
    ]
    assert query("select count(*) from unnest(%s::text[]) as id where ops.citizen_id_fault(id) is null", ids) == [
        (300,)
    ]


# The forms that are known without a regular expression, and the regular expressions that they stand for.
_KNOWN_AT_ONCE = {
    "ops.citizen_id": ("^[0-9]{17}[0-9X]$", "value", "ops.citizen_id_as_written(value)"),
    "ops.to_money": (r"^[0-9]{1,12}(?:\.[0-9]{1,2})?$", "value::numeric(14, 2)", "ops.money_as_written(value)"),
    "ops.to_integer": ("^[0-9]{1,9}$", "value::integer", "ops.integer_as_written(value)"),
    "ops.to_division": ("^[1-9][0-9]{11}$", "value", "ops.division_as_written(value)"),
    "ops.to_date": (
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "case when pg_input_is_valid(value, 'date') then value::date end",
        "ops.date_as_written(value)",
    ),
}


@pytest.fixture(scope="module")
def odd_values() -> list[str]:
    """Short strings of what dates, amounts and numbers are made of, and citizen IDs on and off the calendar."""
    made = random.Random(11)
    strings = ["".join(made.choices("0123456789.-X１ ", k=made.choice((1, 3, 8, 10, 12, 18)))) for _ in range(3000)]
    digits = ["".join(made.choices("0123456789", k=length)) for length in range(1, 20) for _ in range(20)]
    amounts = [f"{whole}.{cents}" for whole in digits[::5] for cents in ("", "5", "55", "555", "5.5")]
    dates = [
        f"{made.choice((0, 1899, 2020, 2023)):04}-{made.randrange(14):02}-{made.randrange(33):02}" for _ in range(500)
    ]
    ids = [
        f"990001{made.choice((1899, 1900, 1990, 2000, 2099))}{made.randrange(14):02}{made.randrange(33):02}"
        f"{made.randrange(1000):03}{made.choice('0123456789X')}"
        for _ in range(5000)
    ]
    return ["", ".", "--------", "20-20-0101", "2020--1-01", "12\n", *strings, *digits, *amounts, *dates, *ids]


@pytest.mark.parametrize("function", _KNOWN_AT_ONCE)
def test_a_value_known_at_once_is_one_that_the_regular_expression_knows(
    query: Callable, odd_values: list[str], function: str
) -> None:
    form, known, patient = _KNOWN_AT_ONCE[function]
    differing = query(
        f"""
        select count(*), (select count(*) from unnest(%s::text[]) as value where value ~ '{form}') > 0
        from unnest(%s::text[]) as value
        where {function}(value) is distinct from case when value ~ '{form}' then {known} else {patient} end
        """,
        odd_values,
        odd_values,
    )
    assert differing == [(0, True)]


def test_a_citizen_id_judged_by_its_digits_is_judged_as_by_its_text(query: Callable, odd_values: list[str]) -> None:
    differing, sound = query(
        """
        with judged as (
            select
                ops.citizen_id_fault(id) as by_text,
                case
                    when ops.is_citizen_id(id)
                        then ops.citizen_id_fault(id, left(id, 8)::integer, substr(id, 9, 9)::integer)
                    else ops.citizen_id_fault(id, null, null)
                end as by_digits
            from unnest(%s::text[]) as id
        )

        select
            count(*) filter (where by_digits is distinct from by_text),
            count(*) filter (where by_text is null)
        from judged
        """,
        odd_values,
    )[0]
    assert differing == 0
    assert sound > 0
