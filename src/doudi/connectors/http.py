"""Rows of an HTTP interface, page by page, as JSON lines.

After each page the place of the next is kept beside the part, so that a cut costs one page. The connection's password
is the token; where it has a login too, both go as basic authentication.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from requests import Response, Session
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from doudi.connectors import connections
from doudi.connectors.connections import SourceError
from doudi.connectors.spool import Berth
from doudi.deliveries import make_durable
from doudi.sources import CursorPages, Http, LinkedPages, NumberedPages

FORM = "jsonl"
_PATIENCE_SECONDS = (10, 120)  # to connect, and between two pieces of an answer
_RETRIES = Retry(
    total=5,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET",),
    respect_retry_after_header=True,
)


@dataclass(frozen=True, kw_only=True)
class _Page:
    """Where a page is asked for."""

    url: str
    parameters: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Interface:
    source: Http
    session: Session
    url: str

    def rows(self, page: _Page) -> tuple[list[Any], _Page | None]:
        """A page's rows, and where the next one is."""
        response = self.session.get(page.url, params=page.parameters, timeout=_PATIENCE_SECONDS)
        if not response.ok:
            raise SourceError(f"the interface answered {response.status_code}")
        try:
            body = response.json()
        except ValueError:
            raise SourceError("the interface answered with something that is not JSON") from None
        rows = _at(body, self.source.items)
        if not isinstance(rows, list):
            raise SourceError(f"a page holds no list at {self.source.items or 'its top'}")
        return rows, self._next(page, response, body, rows)

    def _next(self, page: _Page, response: Response, body: Any, rows: list[Any]) -> _Page | None:
        match self.source.pages:
            case NumberedPages(parameter=name) if rows:
                return _Page(url=page.url, parameters=page.parameters | {name: str(int(page.parameters[name]) + 1)})
            case CursorPages(parameter=name, next=path) if token := _at(body, path):
                return _Page(url=page.url, parameters=page.parameters | {name: str(token)})
            case LinkedPages(next=path):
                link = _at(body, path) if path else response.links.get("next", {}).get("url")
                return self._linked(page, link) if link else None
        return None

    def _linked(self, page: _Page, link: str) -> _Page:
        url = urljoin(page.url, link)
        if urlsplit(url)[:2] != urlsplit(self.url)[:2]:  # the token is this host's and nobody else's
            raise SourceError("a page links to another host")
        return _Page(url=url, parameters={})


def address(source: Http) -> str:
    """The interface's address without credentials."""
    parts = urlsplit(_hook(source).url_from_endpoint(source.endpoint))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def pull(source: Http, *, day: date, berth: Berth, tell: Callable[[str], None]) -> None:
    """Write the rows of all pages into the berth's part, going on where an earlier pull was cut."""
    with _interface(source) as interface, berth.part.open("r+b" if berth.part.exists() else "w+b") as part:
        state = berth.read_state()
        page = _Page(**state["page"]) if state else _first(source, interface.url, day)
        part.truncate(state.get("bytes", 0))
        part.seek(0, 2)
        if state:
            tell(f"{berth.name}: goes on after {state['pages']} pages")
        for number, following in enumerate(_write_pages(interface, page, part), start=state.get("pages", 0) + 1):
            make_durable(part)
            berth.write_state({"page": vars(following), "bytes": part.tell(), "pages": number})


def _write_pages(interface: _Interface, page: _Page, part: BinaryIO) -> Iterator[_Page]:
    """Write page by page; after each but the last, yield where the next is."""
    following: _Page | None = page
    while following:
        asked = following
        rows, following = interface.rows(asked)
        part.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        if following == asked:
            raise SourceError("a page names itself as the next")
        if following:
            yield following


def _first(source: Http, url: str, day: date) -> _Page:
    parameters = dict(source.parameters)
    if source.date_parameter:
        parameters[source.date_parameter] = day.isoformat()
    if source.page_size_parameter:
        parameters[source.page_size_parameter] = str(source.page_size)
    if isinstance(source.pages, NumberedPages):
        parameters[source.pages.parameter] = str(source.pages.first)
    return _Page(url=url, parameters=parameters)


@contextmanager
def _interface(source: Http) -> Iterator[_Interface]:
    hook = _hook(source)
    connection = connections.get(source.connection)
    with hook.get_conn() as session:
        if connection.password and not connection.login:
            session.headers["Authorization"] = f"Bearer {connection.password}"
        yield _Interface(source=source, session=session, url=hook.url_from_endpoint(source.endpoint))


def _hook(source: Http) -> Any:
    from airflow.providers.http.hooks.http import HttpHook

    connections.get(source.connection)
    return HttpHook(method="GET", http_conn_id=source.connection, adapter=HTTPAdapter(max_retries=_RETRIES))


def _at(body: Any, path: str | None) -> Any:
    """What lies at a dotted path; None where there is nothing."""
    for step in path.split(".") if path else ():
        body = body.get(step) if isinstance(body, dict) else None
    return body
