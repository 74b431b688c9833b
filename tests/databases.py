"""Databases for tests, copied from one that is ready, and tables in them as a step would make them."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit, urlunsplit

import psycopg

from doudi.warehouse.roles import close_database


def copy_database(session: psycopg.Connection, name: str, *, template: str) -> None:
    """Make the database ``name`` as a copy; who may do what in a database is not copied with it, and given anew."""
    session.execute(f"create database {name} template {template} strategy file_copy")
    close_database(session, name)


@contextmanager
def copied(server_url: str, *, template: str) -> Iterator[str]:
    """The name of a copy that nobody else has; dropped at the end, and given again."""
    with psycopg.connect(server_url, autocommit=True) as session:
        taken = {name for (name,) in session.execute("select datname from pg_database")}
        name = next(name for number in count() if (name := f"test_{number}") not in taken)
        copy_database(session, name, template=template)
        yield name
        session.execute(f"drop database {name} with (force)")


def url_of(server_url: str, name: str) -> str:
    """The URL of the database ``name`` on the server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def share_parsed_project(home: Path, url: str) -> None:
    """dbt parses the project anew in each home, and where the database has another name, which costs seconds.

    So homes share what it has parsed for databases of one name, but for a home that has parsed it already.
    """
    shared, own = _parsed_projects() / urlsplit(url).path[1:], home / "dbt"
    if own.is_dir() and not own.is_symlink():
        return
    shared.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    own.unlink(missing_ok=True)
    own.symlink_to(shared)


@cache
def _parsed_projects() -> Path:
    folder = mkdtemp(prefix="doudi-parsed-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextmanager
def as_step(session: psycopg.Connection, step: str) -> Iterator[None]:
    """What the session makes meanwhile belongs to the step, and others have the rights in it that they should."""
    session.execute(f"set role doudi_{step}")
    yield
    session.execute("reset role")
