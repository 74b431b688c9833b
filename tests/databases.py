"""Databases for tests, copied from one that is ready, and tables in them as a step would make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from doudi.warehouse.roles import close_database


def copy_database(session: psycopg.Connection, name: str, *, template: str) -> None:
    """Make the database ``name`` as a copy; who may do what in a database is not copied with it, and given anew."""
    session.execute(f"create database {name} template {template} strategy file_copy")
    close_database(session, name)


@contextmanager
def copied(server_url: str, *, template: str) -> Iterator[str]:
    """The name of a copy that nobody else has; dropped at the end."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as session:
        copy_database(session, name, template=template)
        yield name
        session.execute(f"drop database {name} with (force)")


def url_of(server_url: str, name: str) -> str:
    """The URL of the database ``name`` on the server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@contextmanager
def as_step(session: psycopg.Connection, step: str) -> Iterator[None]:
    """What the session makes meanwhile belongs to the step, and others have the rights in it that they should."""
    session.execute(f"set role doudi_{step}")
    yield
    session.execute("reset role")
