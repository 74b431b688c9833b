"""Databases for tests, copied from one that is ready, and tables in them as a step would make them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from doudi.warehouse.roles import close_database


def copy_database(session: psycopg.Connection, name: str, *, template: str) -> None:
    """Make the database ``name`` as a copy; who may do what in a database is not copied with it, and given anew."""
    session.execute(f"create database {name} template {template} strategy file_copy")
    close_database(session, name)


@contextmanager
def as_step(session: psycopg.Connection, step: str) -> Iterator[None]:
    """What the session makes meanwhile belongs to the step, and others have the rights in it that they should."""
    session.execute(f"set role doudi_{step}")
    yield
    session.execute("reset role")
