"""A person at Superset: a Chromium without a window that logs in, opens dashboards and waits until they are drawn."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

from doudi.dashboards.installation import Installation

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 90_000  # milliseconds, for a machine that is busy
_DRAWN = """expected => document.querySelectorAll('.chart-slice').length >= expected
    && !document.querySelector('.chart-slice .loading, [data-test="loading-indicator"]')"""


def chromium() -> str | None:
    """The program's path; None where there is none."""
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--hide-scrollbars"])
        yield opened
        opened.close()


@dataclass
class Drawn:
    """A dashboard as it was drawn: what each chart was answered, and what went wrong."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Person:
    """Somebody who is logged in."""

    page: Page
    url: str

    def open(self, dashboard: str, *, charts: int) -> Drawn:
        """Open a dashboard in a window as high as it is; returns once every chart is drawn."""
        drawn = Drawn()

        def hear(response: Response) -> None:
            if "/api/v1/chart/data" in response.url:
                if response.status == 200:
                    drawn.answers += response.json()["result"]
                else:
                    drawn.errors.append(f"{response.status} {response.text()[:300]}")

        self.page.on("response", hear)
        width = self.page.viewport_size["width"]
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(f"{self.url}/superset/dashboard/{dashboard}/?standalone=2", wait_until="domcontentloaded")
        self.page.wait_for_selector(".chart-slice")
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": height})  # what is out of sight is not asked for
        self.page.wait_for_function(_DRAWN, arg=charts)
        self.page.wait_for_timeout(2500)  # the drawing of lines and bars is animated
        self.page.remove_listener("response", hear)
        drawn.errors += [
            each.inner_text() for each in self.page.query_selector_all(".chart-slice [role=alert], .chart-slice .error")
        ]
        return drawn

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Superset's API, as the page itself calls it. Returns the status and what was answered."""
        token = json.loads(self.page.request.get(f"{self.url}/api/v1/security/csrf_token/").text())["result"]
        answer = self.page.request.fetch(
            f"{self.url}{path}", method=method, data=body, headers={"X-CSRFToken": token, "Referer": self.url}
        )
        try:
            return answer.status, answer.json()
        except ValueError:
            return answer.status, answer.text()


@contextmanager
def logged_in(opened: Browser, installation: Installation, user: str, *, width: int = 1400) -> Iterator[Person]:
    """Log in through the form, with the password that the installation has kept for the user."""
    password = (installation.settings.keys / f"superset_user_{user}").read_text(encoding="ascii").strip()
    context = opened.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.goto(f"{installation.url}/login/", wait_until="domcontentloaded")
    page.fill("input[name=username], #username", user)
    page.fill("input[name=password], #password", password)
    page.press("input[name=password], #password", "Enter")
    page.wait_for_url("**/superset/welcome/**")
    yield Person(page=page, url=installation.url)
    context.close()
