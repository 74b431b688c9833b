"""What judging costs: 20 expectations on clean rows, against one hand-written scan with the same conditions.

``python benchmarks/check_phase.py [--rows N]`` prints the seconds of both and their ratio. It works in the warehouse of
DOUDI_HOME or DOUDI_DATABASE_URL, in a schema of its own that it drops again. Importing Great Expectations is told and
not counted: a night pays for it once.
"""

import argparse
import statistics
import time
from typing import Any

import psycopg

from doudi.contracts import load_contracts
from doudi.quality import Suite, judge
from doudi.quality.suites import PARAMETER_NAMES
from doudi.settings import load_settings
from doudi.warehouse.connection import connect, warehouse_url
from doudi.warehouse.schema import initialise

FEED = "minimum_allowance"
DATA_DATE = "2020-06-30"
ROUNDS = 3
_BETWEEN, _IN_SET, _NULL = (
    f"expect_column_values_to_be_{kind}" for kind in ("between", "in_set", "null")
)  # fmt: skip
_REGEX = "expect_column_values_to_match_regex"

# An expectation, the column or the expression that it tests, its arguments, and the rows that fail it.
CONDITIONS: list[tuple[str, str, dict[str, Any], str]] = [
    (_BETWEEN, "household_size - covered_members", {"min_value": 0}, "household_size - covered_members < 0"),
    (_BETWEEN, "end_date - start_date", {"min_value": 0}, "end_date - start_date < 0"),
    (_BETWEEN, "gradual_exit_until - start_date", {"min_value": 0}, "gradual_exit_until - start_date < 0"),
    (_BETWEEN, "monthly_amount", {"min_value": 0}, "monthly_amount < 0"),
    (_BETWEEN, "monthly_amount", {"max_value": 20000}, "monthly_amount > 20000"),
    (_BETWEEN, "monthly_income_per_capita", {"max_value": 20000}, "monthly_income_per_capita > 20000"),
    (_BETWEEN, "household_size", {"max_value": 20}, "household_size > 20"),
    (_BETWEEN, "covered_members", {"max_value": 20}, "covered_members > 20"),
    (_BETWEEN, "start_date", {"max_value": DATA_DATE}, f"start_date > date '{DATA_DATE}'"),
    (_BETWEEN, "length(head_name)", {"max_value": 40}, "length(head_name) > 40"),
    (_BETWEEN, "length(name)", {"max_value": 40}, "length(name) > 40"),
    (_BETWEEN, "household_size * monthly_amount", {"max_value": 90000}, "household_size * monthly_amount > 90000"),
    (_IN_SET, "(relation_to_head = 'self') = (citizen_id = head_citizen_id)", {"value_set": [True]},
     "(relation_to_head = 'self') <> (citizen_id = head_citizen_id)"),
    (_IN_SET, "case when single_person_household then covered_members end", {"value_set": [1]},
     "single_person_household and covered_members <> 1"),
    (_IN_SET, "division_code = _area_code", {"value_set": [True]}, "division_code <> _area_code"),
    (_IN_SET, "case when single_person_household then household_size > 0 end", {"value_set": [True]},
     "single_person_household and household_size <= 0"),
    (_NULL, "case when left(citizen_id, 6) not between '990001' and '990999' then division_code end", {},
     "left(citizen_id, 6) not between '990001' and '990999' and division_code is not null"),
    (_NULL, "case when end_date is null and gradual_exit_until < start_date then certificate_no end", {},
     "end_date is null and gradual_exit_until < start_date and certificate_no is not null"),
    (_REGEX, "certificate_no", {"regex": "^D[0-9]+$"}, "certificate_no !~ '^D[0-9]+$'"),
    (_REGEX, "division_code", {"regex": "^5134[0-9]{8}$"}, "division_code !~ '^5134[0-9]{8}$'"),
]  # fmt: skip
VALUES = {
    "certificate_no": "'D' || no / 3",
    "head_name": "'某' || no / 3",
    "head_citizen_id": "990001 + no / 3 % 999 || '19700101' || lpad((no / 3 % 10000)::text, 4, '0')",
    "name": "'某' || no",
    "citizen_id": "990001 + no / 3 % 999 || '19700101' || lpad(((no / 3 + no % 3) % 10000)::text, 4, '0')",
    "division_code": "'513431001001'",
    "relation_to_head": "(array['self', 'spouse', 'child'])[1 + no % 3]",
    "area_type": "'rural'",
    "household_size": "3",
    "covered_members": "case when no % 10 = 0 then 1 else 3 end",
    "monthly_income_per_capita": "no % 500 + 0.25",
    "monthly_amount": "no % 900 + 0.5",
    "single_person_household": "no % 10 = 0",
    "start_date": "date '2019-01-01' + no % 300",
    "end_date": "case when no % 20 = 0 then date '2020-03-31' end",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    settings = load_settings()
    contract, url = load_contracts(settings.contracts)[FEED], warehouse_url(settings)
    initialise(url, settings)
    began = time.perf_counter()
    import great_expectations  # noqa: F401

    print(f"importing Great Expectations, once: {time.perf_counter() - began:.1f} s")
    parameters = dict.fromkeys(PARAMETER_NAMES) | {"data_date": DATA_DATE}
    with connect(url, autocommit=True, step="benchmark") as session:
        try:
            _make_rows(session, [(column.name, column.physical_type) for column in contract.columns], rows=rows)
            hand, judged = [], []
            for _ in range(ROUNDS):
                hand.append(_seconds(lambda: _by_hand(session)))
                judged.append(
                    _seconds(
                        lambda: judge(
                            url=url, table="benchmark.typed", row_count=rows, suite=_suite(), contract=contract,
                            parameters=parameters, last_observed={},
                        )
                    )
                )  # fmt: skip
        finally:
            session.execute("drop schema if exists benchmark cascade")
    for name, seconds in (("one scan by hand", hand), ("judged by the suite", judged)):
        print(f"{name}: {statistics.median(seconds):.2f} s  ({', '.join(f'{each:.2f}' for each in seconds)})")
    ratio = statistics.median(judged) / statistics.median(hand)
    print(f"{len(CONDITIONS)} expectations, {rows:,} rows: {ratio:.2f} times the scan by hand")


def _make_rows(session: psycopg.Connection, columns: list[tuple[str, str]], *, rows: int) -> None:
    values = ", ".join(f"({VALUES.get(name, 'null')})::{kind} as {name}" for name, kind in columns)
    session.execute("drop schema if exists benchmark cascade")
    session.execute("create schema benchmark")
    session.execute(
        f"""
        create unlogged table benchmark.typed as
        select no::bigint as _row_no, {values}, '513431001001' as _area_code, '513431' as _county_code,
            md5(no::text)::uuid as _row_hash, null::jsonb as _faults
        from generate_series(1, {rows}) as no
        """
    )
    session.execute("grant usage on schema benchmark to doudi_loader")
    session.execute("grant select on benchmark.typed to doudi_loader")
    session.execute("vacuum analyze benchmark.typed")


def _by_hand(session: psycopg.Connection) -> None:
    counts = ", ".join(f"count(*) filter (where {failing})" for *_, failing in CONDITIONS)
    found = session.execute(f"select count(*), {counts} from benchmark.typed where _faults is null").fetchone()
    if any(found[1:]):
        raise SystemExit(f"the rows were to be clean: {found}")


def _suite() -> Suite:
    expectations = [
        {
            "rule": f"condition_{number}", "severity": "stop", "type": kind, "columns": [f"tested_{number}"],
            "kwargs": kwargs, "reported_as": "name", "reason": {"en": "wrong", "zh": "错"},
        }
        for number, (kind, _, kwargs, _) in enumerate(CONDITIONS, start=1)
    ]  # fmt: skip
    derived = {f"tested_{number}": tested for number, (_, tested, _, _) in enumerate(CONDITIONS, start=1)}
    return Suite.model_validate({"feed": FEED, "derived": derived, "expectations": expectations})


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
