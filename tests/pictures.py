"""The pictures of the READMEs, taken from the running system: ``python tests/pictures.py [NAME…]``.

Works on the warehouse of DOUDI_HOME, which `make run` has filled: starts Superset for it, and writes the reports of the
synthetic county.
"""

import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
from PIL import Image
from superset_browser import browser, chromium, logged_in

from doudi.dashboards.__main__ import up
from doudi.dashboards.declaration import load_declared
from doudi.reports.making import make
from doudi.settings import Settings, load_settings
from doudi.synth.places import COUNTY

DASHBOARDS = ("overview", "coverage", "data_health")
REPORTS = {"situation": "html", "report": "pdf"}  # by their forms
WIDTH, HEIGHT = 1280, 1500  # pixels; what is below is cut off
_COLOURS = 128  # enough for charts, and less than half of the bytes


def main(names: list[str]) -> int:
    if chromium() is None:
        print("there is no Chromium on this machine", file=sys.stderr)
        return 1
    settings = load_settings()
    folder = settings.project / "docs" / "pictures"
    wanted = names or [*DASHBOARDS, *REPORTS]
    if reports := [name for name in wanted if name in REPORTS]:
        _take_reports(settings, reports, folder)
    if dashboards := [name for name in wanted if name not in REPORTS]:
        _take_dashboards(settings, dashboards, folder)
    return 0


def _take_dashboards(settings: Settings, names: list[str], folder: Path) -> None:
    declared = load_declared(settings.project / "dashboards").dashboards
    with (
        up(settings) as (installation, _),
        browser() as opened,
        logged_in(opened, installation, "bi", width=WIDTH) as person,
    ):
        for name in names:
            drawn = person.open(name, charts=len(declared[name].charts))
            if drawn.errors:
                raise SystemExit(f"{name}: {drawn.errors}")
            _keep(person.page.screenshot(), folder / f"{name}.png")


def _take_reports(settings: Settings, names: list[str], folder: Path) -> None:
    """The first screens of the page, and the first page of the paper."""
    forms = tuple(REPORTS[name] for name in names)
    with TemporaryDirectory() as written:
        made = make(settings=settings, out=Path(written), area=COUNTY, forms=forms, edition="internal")
        for name, report in zip(names, made, strict=True):
            taken = _first_page(report.path) if report.path.suffix == ".pdf" else _first_screens(report.path)
            _keep(taken, folder / f"{name}.png")


def _first_screens(page: Path) -> bytes:
    with browser() as opened:
        seen = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        seen.goto(page.as_uri())
        return seen.screenshot()


def _first_page(paper: Path) -> bytes:
    first = BytesIO()
    pypdfium2.PdfDocument(paper)[0].render(scale=1.5).to_pil().save(first, "png")
    return first.getvalue()


def _keep(picture: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = Image.open(BytesIO(picture)).convert("RGB")
    drawn = drawn.crop((0, 0, drawn.width, min(drawn.height, HEIGHT)))
    drawn.quantize(_COLOURS).save(path, optimize=True)
    print(f"{path}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
