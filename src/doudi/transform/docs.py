"""The models and marts as one static page: what each table and column means, and what it is made from.

It is dbt's own documentation with its two data files put inside. Those name folders of the machine that made them, and
hold the made-up people of the unit tests; the page shows neither, and both are left out.
"""

import json
from pathlib import Path
from typing import Any

from doudi.settings import Settings
from doudi.transform.runner import BuildError, Progress, Runner, refuse_failures

_OF_THIS_MACHINE = {"build_path", "compiled_path", "env", "invocation_id", "root_path", "user_id"}
_EMPTIED: dict[str, dict[str, Any]] = {"manifest": {"unit_tests": {}}}


def write_docs(*, url: str, settings: Settings, progress: Progress | None = None) -> Path:
    """Write ``reports/models.html`` into the home from the project and the tables that are there; returns its path.

    No row is read. Raises BuildError where dbt cannot read the project, and where a path of this machine would be told.
    """
    say = progress or (lambda line: None)
    runner = Runner(url=url, settings=settings, as_of=settings.date_of_run(), artifacts=True, progress=say)
    refuse_failures(runner.run("docs", "generate"))
    page = _page(settings.home / "dbt" / "present")
    if any(str(folder) in page for folder in (settings.home, settings.project)):
        raise BuildError("docs: the page names a folder of this machine")
    path = settings.home / "reports" / "models.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(page, encoding="utf-8")
    return written.replace(path)


def _page(target: Path) -> str:
    page = (target / "index.html").read_text(encoding="utf-8")
    for name in ("manifest", "catalog"):
        data = json.loads((target / f"{name}.json").read_text(encoding="utf-8")) | _EMPTIED.get(name, {})
        place = f'"{name.upper()}.JSON INLINE DATA"'
        if place not in page:
            raise BuildError(f"docs: dbt's page has no place for the {name}")
        page = page.replace(place, _inside_a_page(_without_this_machine(data)))
    return page


def _without_this_machine(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without_this_machine(value) for name, value in data.items() if name not in _OF_THIS_MACHINE}
    return [_without_this_machine(value) for value in data] if isinstance(data, list) else data


def _inside_a_page(data: Any) -> str:
    """JSON that no script element ends within."""
    return json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
