"""An installation's sources.yml: where each feed is pulled from and by which connection, without host or secret."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from doudi.closed import Closed, faults_of, read_yaml


class SourcesError(Exception):
    """sources.yml cannot be used; the message names the file and each fault in it."""


class _Source(Closed):
    """What all kinds have: ``name`` is the source's own, ``feed`` the contract its deliveries follow."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    feed: str
    connection: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")


class _Files(_Source):
    """A place that holds whole deliveries, named as feeds.md says. ``pattern`` narrows the names down."""

    pattern: str = "*"


class Folder(_Files):
    """A folder of this machine, such as a mounted share. The connection's extra holds its root as ``path``."""

    kind: Literal["folder"]
    path: str = "."


class ObjectStore(_Files):
    """A bucket of an object store; ``protocol`` is fsspec's name for it, and ``prefix`` a folder in it."""

    kind: Literal["object_store"]
    protocol: str = "s3"
    bucket: str
    prefix: str = ""


class Sftp(_Files):
    kind: Literal["sftp"]
    path: str = "."


class _Rows(_Source):
    """A place that holds rows and no files: each pull is the delivery of one area and day.

    ``data_date`` is the day it is asked for and filed under, seen from the day of the run.
    """

    area_code: str = Field(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$")
    data_date: Literal["today", "yesterday"] = "today"


class NumberedPages(Closed):
    """Pages asked for by number, until one is empty: a server may send fewer rows a page than it was asked for."""

    by: Literal["number"]
    parameter: str = "page"
    first: int = 1


class CursorPages(Closed):
    """Each page names the next by a token at ``next``, a dotted path into the page; the last names none."""

    by: Literal["cursor"]
    parameter: str = "cursor"
    next: str


class LinkedPages(Closed):
    """Each page links to the next: at ``next``, a dotted path into the page, else in its Link header."""

    by: Literal["link"]
    next: str | None = None


class Http(_Rows):
    """An interface that answers with JSON. ``items`` is the dotted path to a page's rows; without, the page is they."""

    kind: Literal["http"]
    endpoint: str
    items: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    date_parameter: str | None = None
    pages: Annotated[NumberedPages | CursorPages | LinkedPages, Field(discriminator="by")] | None = None
    page_size_parameter: str | None = None
    page_size: int = Field(default=1000, gt=0)


class Database(_Rows):
    """A department's database: a ``table`` or view, or a ``statement``, which may name ``:data_date``."""

    kind: Literal["database"]
    table: str | None = Field(default=None, pattern=r"^[\w$]+(\.[\w$]+)*$")
    statement: str | None = None

    @model_validator(mode="after")
    def _either(self) -> "Database":
        if (self.table is None) == (self.statement is None):
            raise ValueError("a database has a table or a statement")
        return self

    @cached_property
    def query(self) -> str:
        return self.statement or f"select * from {self.table}"


FileSource = Folder | ObjectStore | Sftp
RowSource = Http | Database
Source = Annotated[FileSource | RowSource, Field(discriminator="kind")]
_SOURCES = TypeAdapter(tuple[Source, ...])


def load_sources(path: Path, *, feeds: Collection[str]) -> tuple[FileSource | RowSource, ...]:
    """The sources in ``path``, none where there is no such file. Raises SourcesError with each fault in it."""
    if not path.exists():
        return ()
    try:
        sources = _SOURCES.validate_python(read_yaml(path) or ())
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise SourcesError(f"{path.name}: not YAML{f', line {where.line + 1}' if where else ''}") from None
    except UnicodeDecodeError:
        raise SourcesError(f"{path.name}: not UTF-8") from None
    except ValidationError as error:
        raise SourcesError(f"{path.name}: {faults_of(error)}") from None
    names = [source.name for source in sources]
    repeated = sorted({name for name in names if names.count(name) > 1})
    unknown = sorted({source.feed for source in sources} - set(feeds))
    if repeated:
        raise SourcesError(f"{path.name}: more than one source is named {', '.join(repeated)}")
    if unknown:
        raise SourcesError(f"{path.name}: there is no contract for a feed {', '.join(unknown)}")
    return sources
