"""Imports go one way: what lies deeper never asks for what lies above it."""

import ast
import subprocess
import sys
from pathlib import Path

import doudi

# From the bottom up; a module may import from its own line and those before it.
LAYERS = (
    {"closed", "cores", "ports", "private", "side_by_side"},
    {"settings", "contracts", "rules", "sources"},
    {"access"},
    {"warehouse"},
    {"deliveries", "quality", "connectors"},
    {"forms"},
    {"column_rules", "landing", "ledger"},
    {"checking", "typed_rows", "quarantine"},
    {"identity", "publishing", "small_cells"},
    {"erasures"},
    {"intake", "withdrawing"},
    {"backup", "loads", "transform", "extracts", "explain", "synth"},
    {"returns", "erasing"},
    {"alerts", "health", "lineage", "maintenance", "reports", "review", "summary"},
    {
        "cli_access",
        "cli_disclosures",
        "cli_erasures",
        "cli_extracts",
        "cli_health",
        "cli_operations",
        "cli_reports",
        "cli_review",
    },
    {"backtest", "simulate"},
    {"dashboards", "night", "orchestration"},
    {"doctor"},
    {"cli_doctor", "cli_maintenance"},
    {"cli"},
)
# What takes long to import and most commands do without: it is imported where it is used.
HEAVY = {
    *("airflow", "apprise", "dbt", "docx", "great_expectations", "jinja2", "numpy", "openpyxl", "pandas", "paramiko"),
    *("pyarrow", "pyzipper", "requests", "scipy", "sqlalchemy", "typst", "xlsxwriter"),
}
HEIGHT = {module: height for height, modules in enumerate(LAYERS) for module in modules}
SOURCE = Path(doudi.__file__).parent


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        node.module if node.module != "doudi" else f"doudi.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return {name.split(".")[1] for name in names if name.startswith("doudi.")}


def test_every_module_has_its_layer() -> None:
    modules = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - {"__init__"} == set(HEIGHT)


def test_no_module_imports_from_above() -> None:
    upward = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in SOURCE.rglob("*.py")
        for name in _imported(path)
        if path != SOURCE / "__init__.py"
        and HEIGHT[name] > HEIGHT[path.relative_to(SOURCE).parts[0].removesuffix(".py")]
    ]
    assert upward == []


def test_the_command_begins_without_what_most_commands_do_without() -> None:
    told = "import sys, doudi.cli, doudi.night; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    imported = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout.split()
    assert "psycopg" in imported
    assert HEAVY & set(imported) == set()
