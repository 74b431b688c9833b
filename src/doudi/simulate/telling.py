"""A simulation as people and programs read it: tables on the screen, JSON, a workbook, a CSV file."""

import csv
import json
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from doudi.simulate.changes import SimulationError
from doudi.simulate.comparing import MEASURES, Figure
from doudi.simulate.trial import Simulation
from doudi.summary import print_table

_FORMS = (".csv", ".xlsx")


def refuse_form(out: Path | None) -> None:
    """Raises SimulationError for a file of another form than those written; better before the work than after."""
    if out and out.suffix not in _FORMS:
        raise SimulationError(f"{out.name}: the file's name ends in {' or '.join(_FORMS)}")


def as_json(simulation: Simulation) -> str:
    """The simulation with its figures as numbers; amounts in yuan per month."""
    told = {
        "as_of": simulation.as_of.isoformat(),
        "area": simulation.changes.area,
        "set": {name: float(value) for name, value in simulation.changes.values.items()},
        "measures": MEASURES,
        "figures": [_plain(figure) for figure in simulation.figures],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def write(simulation: Simulation, out: Path) -> None:
    """All figures as one long table."""
    refuse_form(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = [_plain(figure) for figure in simulation.figures]
    header = list(Figure.__dataclass_fields__)
    if out.suffix == ".csv":
        with out.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(rows)
        return
    import xlsxwriter

    with xlsxwriter.Workbook(str(out), {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet("figures")
        sheet.write_row(0, 0, header)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, list(row.values()))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(header) - 1)
        notes = workbook.add_worksheet("measures")
        for number, note in enumerate(MEASURES.items()):
            notes.write_row(number, 0, note)


def _plain(figure: Figure) -> dict[str, object]:
    return {key: _number(value) if isinstance(value, Decimal) else value for key, value in asdict(figure).items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def print_simulation(simulation: Simulation) -> None:
    """Two tables: what each indicator gains and loses over all areas, and what that costs and asks for by area."""
    _print_indicators(simulation)
    _print_areas(simulation)


def _print_indicators(simulation: Simulation) -> None:
    by_code: dict[str, dict[str, Figure]] = {}
    for figure in simulation.figures:
        if figure.indicator_code and not figure.division_level:
            by_code.setdefault(figure.indicator_code, {})[figure.measure] = figure
    moved = {code: kinds for code, kinds in by_code.items() if any(each.gained or each.lost for each in kinds.values())}
    print_table(
        f"As of {simulation.as_of}: who comes (+) and who goes (-); {len(by_code) - len(moved)} others do not move",
        *("indicator", "before", "after", "people +", "people -", "households +", "households -"),
        rows=[
            (
                code, kinds["findings"].before, kinds["findings"].after,
                kinds["people"].gained, kinds["people"].lost, kinds["households"].gained, kinds["households"].lost,
            )
            for code, kinds in sorted(moved.items())
        ],
        numbers=6,
    )  # fmt: skip


def _print_areas(simulation: Simulation) -> None:
    areas: dict[tuple[str, str | None], dict[str, Figure]] = {}
    for figure in simulation.figures:
        if not figure.indicator_code:
            name = figure.division_name if figure.division_level else "everything"
            areas.setdefault((figure.division_code, name), {})[figure.measure] = figure
    shown = ("visits", "people_below_standard", "shortfall_monthly", "standard_of_covered_monthly")
    print_table(
        "By area, before → after; below the standard, not covered and within the asset limit; yuan per month",
        *("area", "", "visits", "people below", "shortfall", "standards of the covered, at most"),
        rows=[
            (code, name, *(_arrow(kinds.get(measure)) for measure in shown)) for (code, name), kinds in areas.items()
        ],
        numbers=4,
    )


def _arrow(figure: Figure | None) -> str:
    if figure is None:
        return "0"
    return f"{figure.before:,.0f}" if figure.before == figure.after else f"{figure.before:,.0f} → {figure.after:,.0f}"
