"""Databases for tests, copied from one that is ready."""

import psycopg

from doudi.warehouse.roles import close_database


def copy_database(session: psycopg.Connection, name: str, *, template: str) -> None:
    """Make the database ``name`` as a copy; who may do what in a database is not copied with it, and given anew."""
    session.execute(f"create database {name} template {template} strategy file_copy")
    close_database(session, name)
