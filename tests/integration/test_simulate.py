"""Other parameters on the same data: who is found then, what it costs, and that nothing of the present is touched."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from databases import copied
from made_up import citizen_id
from made_up_county import County, opened, person

from doudi.settings import Settings
from doudi.simulate import Changes, Simulation, SimulationError, simulate, telling

MAY, JUNE = date(2020, 5, 31), date(2020, 6, 30)
HERE, ELSEWHERE = "513431001", "513431002"
RURAL = "minimum_allowance_monthly.rural"


def _fill(county: County) -> None:
    """Two townships. Standard 497: below it is household 1 (400); 3 (550) and 4 (530) are above, 6 has too much."""
    for feed in county.contracts:
        if feed != "household_visit":
            county.deliver(feed, MAY)
    checks = {1: (400, HERE, False), 3: (550, HERE, False), 4: (530, ELSEWHERE, False), 6: (100, ELSEWHERE, True)}
    county.file(
        "economic_check",
        *(
            person(
                number, check_no=f"E{number}", division_code=f"{township}001", area_type="rural",
                checked_on=date(2020, 5, 1), monthly_income_per_capita=income, assets_over_limit=rich,
            )
            for number, (income, township, rich) in checks.items()
        ),
        day=MAY,
    )  # fmt: skip
    covered = {"certificate_no": "M7", "head_citizen_id": citizen_id(7), "area_type": "rural"}
    county.file(
        "minimum_allowance",
        *(person(number, division_code=f"{HERE}001", monthly_income_per_capita=200, **covered) for number in (7, 8)),
        day=MAY,
    )


@pytest.fixture(scope="module")
def county(server_url: str, template: str, settings: Settings) -> Iterator[County]:
    with copied(server_url, template=template) as name, opened(server_url, name, settings) as county:
        _fill(county)
        county.build(JUNE)
        yield county


def _simulate(county: County, changes: Changes, **options: object) -> Simulation:
    return simulate(changes, url=county.url, settings=county.settings, as_of=JUNE, **options)


def _figure(simulation: Simulation, measure: str, *, area: str = "", code: str = "") -> tuple[int | Decimal, ...]:
    """Before, after, gained and lost; all 0 where nothing was counted."""
    wanted = (measure, area, code)
    found = [f for f in simulation.figures if (f.measure, f.division_code, f.indicator_code) == wanted]
    return tuple(value for f in found for value in (f.before, f.after, f.gained, f.lost)) or (0, 0, 0, 0)


def _live(county: County) -> dict[str, str]:
    """Every table and view of the present with the hash of its rows, and all schemas there are."""
    tables = county.query(
        """
        select schemaname || '.' || tablename from pg_tables
        where schemaname in ('marts', 'identity', 'intermediate', 'reference', 'ops', 'register')
        """
    )
    hashed = "select md5(coalesce(string_agg(row::text, '|' order by row::text), '')) from {} as row"
    (schemas,) = county.query("select string_agg(nspname, ' ' order by nspname) from pg_namespace")[0]
    return {name: county.query(hashed.format(name))[0][0] for (name,) in tables} | {"schemas": schemas}


@pytest.fixture(scope="module")
def risen(county: County) -> Simulation:
    before = _live(county)
    risen = _simulate(county, Changes(values={RURAL: Decimal(560)}))
    assert _live(county) == before  # neither marts nor reference, no row of ops.build, no schema left behind
    return risen


def test_a_higher_standard_finds_more_people_and_says_what_that_costs(risen: Simulation) -> None:
    assert _figure(risen, "findings", code="PT01") == (1, 3, 2, 0)
    assert _figure(risen, "people_below_standard") == (1, 3, 2, 0)
    # 497 - 400 = 97 before; 560 - 400 = 160 for household 1, 10 for household 3, 30 for household 4 after
    assert _figure(risen, "shortfall_monthly") == (97, 200, 40, 0)
    assert _figure(risen, "shortfall_monthly", area=HERE) == (97, 170, 10, 0)
    assert _figure(risen, "shortfall_monthly", area=ELSEWHERE) == (0, 30, 30, 0)
    # two people in minimum allowance: 2 × 497 and 2 × 560
    assert _figure(risen, "standard_of_covered_monthly") == (994, 1120, 0, 0)
    assert _figure(risen, "households", area="513431", code="PT01") == (1, 3, 2, 0)


def test_in_one_township_the_standard_rises_there_only(county: County) -> None:
    risen = _simulate(county, Changes(values={RURAL: Decimal(560)}, area=ELSEWHERE))
    assert _figure(risen, "findings", area=ELSEWHERE, code="PT01") == (0, 1, 1, 0)
    assert _figure(risen, "findings", area=HERE, code="PT01") == (1, 1, 0, 0)
    assert _figure(risen, "standard_of_covered_monthly") == (994, 994, 0, 0)


def test_people_are_lost_where_a_limit_moves_the_other_way(county: County) -> None:
    fallen = _simulate(county, Changes(values={RURAL: Decimal(390)}))
    assert _figure(fallen, "findings", code="PT01") == (1, 0, 0, 1)
    assert _figure(fallen, "shortfall_monthly") == (97, 0, 0, 97)


def test_files_take_the_place_of_seeds(county: County, tmp_path: Path) -> None:
    seeds = county.settings.dbt_project / "seeds"
    parameters = (seeds / "local_standard.csv").read_text(encoding="utf-8")
    own = tmp_path / "parameters.csv"
    own.write_text(
        parameters + f"{ELSEWHERE},2019-01-01,,{RURAL},560,yuan per person and month,own\n", encoding="utf-8"
    )
    indicators = tmp_path / "indicators.csv"
    lines = (seeds / "indicator.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    indicators.write_text("".join(line for line in lines if not line.startswith("PT01")), encoding="utf-8")

    assert _figure(_simulate(county, Changes(values={}, parameters=own)), "findings", code="PT01") == (1, 2, 1, 0)
    without = _simulate(county, Changes(values={}, indicators=indicators))
    assert _figure(without, "findings", code="PT01") == (1, 0, 0, 1)


def test_without_a_build_of_the_day_what_is_there_is_computed_apart_too(county: County) -> None:
    before = _live(county)
    result = simulate(
        Changes(values={RURAL: Decimal(560)}), url=county.url, settings=county.settings, as_of=date(2020, 6, 15)
    )
    assert _figure(result, "shortfall_monthly") == (97, 200, 40, 0)
    assert _live(county) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"values": {"minimum_allowance": Decimal(1)}},
            "no parameter minimum_allowance; there are .*low_margin_multiple",
        ),
        ({"values": {RURAL: Decimal(1)}, "area": "110101"}, "nobody lives in the area 110101; .* 513431"),
        ({"values": {}, "parameters": Path("absent.csv")}, "absent.csv: cannot be read"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(county: County, changes: dict, said: str) -> None:
    before = _live(county)
    with pytest.raises(SimulationError, match=said):
        _simulate(county, Changes(**changes))
    assert _live(county) == before


def test_a_file_that_lacks_a_parameter_or_has_a_wrong_value_is_refused(county: County, tmp_path: Path) -> None:
    text = (county.settings.dbt_project / "seeds" / "local_standard.csv").read_text(encoding="utf-8")
    short = tmp_path / "short.csv"
    short.write_text("".join(line for line in text.splitlines(keepends=True) if "mute_days" not in line))
    with pytest.raises(SimulationError, match=r"short.csv lacks the parameters mute_days"):
        _simulate(county, Changes(values={}, parameters=short))
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(text.replace("mute_days,90", "mute_days,ninety"))
    with pytest.raises(SimulationError, match=r"wrong.csv: invalid input syntax .*, line \d+, column value"):
        _simulate(county, Changes(values={}, parameters=wrong))


def test_the_figures_leave_as_json_workbook_and_csv(risen: Simulation, tmp_path: Path) -> None:
    figures = json.loads(telling.as_json(risen))["figures"]
    assert {"measure": "shortfall_monthly", "division_code": HERE, "after": 170}.items() <= next(
        each for each in figures if (each["measure"], each["division_code"]) == ("shortfall_monthly", HERE)
    ).items()
    telling.write(risen, tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(figures)
    telling.write(risen, tmp_path / "figures.xlsx")
    import openpyxl

    assert openpyxl.load_workbook(tmp_path / "figures.xlsx")["figures"].max_row == len(figures) + 1
    with pytest.raises(SimulationError, match=r"ends in \.csv or \.xlsx"):
        telling.write(risen, tmp_path / "figures.pdf")
