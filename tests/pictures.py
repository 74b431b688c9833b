"""The pictures of the READMEs, taken from the running system: ``python tests/pictures.py [NAME…]``.

Works on the warehouse of DOUDI_HOME, which `make run` has filled, and starts Superset for it. A page of HTML that the
system has written is a picture too: `python tests/pictures.py situation=FILE` takes FILE's first screens, and of a PDF
its first page.
"""

import sys
from io import BytesIO
from pathlib import Path

import pypdfium2
from PIL import Image
from superset_browser import browser, chromium, logged_in

from doudi.dashboards.__main__ import up
from doudi.dashboards.declaration import load_declared
from doudi.settings import Settings, load_settings

DASHBOARDS = ("overview", "coverage", "data_health")
WIDTH, HEIGHT = 1280, 1500  # pixels; what is below is cut off
_COLOURS = 64  # enough for charts, and a third of the bytes


def main(names: list[str]) -> int:
    if chromium() is None:
        print("there is no Chromium on this machine", file=sys.stderr)
        return 1
    settings = load_settings()
    folder = settings.project / "docs" / "pictures"
    pages = {name: Path(file) for name, _, file in (each.partition("=") for each in names) if file}
    if wanted := [name for name in names if "=" not in name] or ([] if pages else list(DASHBOARDS)):
        _take_dashboards(settings, wanted, folder)
    if pages:
        _take_pages(pages, folder)
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
            _keep(person.page.screenshot(full_page=True), folder / f"{name}.png")


def _take_pages(pages: dict[str, Path], folder: Path) -> None:
    for name, file in pages.items():
        if file.suffix == ".pdf":
            first = BytesIO()
            pypdfium2.PdfDocument(file)[0].render(scale=1.5).to_pil().save(first, "png")
            _keep(first.getvalue(), folder / f"{name}.png")
    with browser() as opened:
        page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, file in pages.items():
            if file.suffix == ".pdf":
                continue
            page.goto(file.resolve().as_uri())
            page.wait_for_timeout(1000)
            _keep(page.screenshot(), folder / f"{name}.png")


def _keep(picture: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = Image.open(BytesIO(picture)).convert("RGB")
    drawn = drawn.crop((0, 0, drawn.width, min(drawn.height, HEIGHT)))
    drawn.quantize(_COLOURS).save(path, optimize=True)
    print(f"{path}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
