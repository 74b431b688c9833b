"""What changes tables that are there: numbered SQL files beside this module, each run once and noted with its hash.

What is missing is made by the scripts of ``warehouse/sql``, which run first and leave alone what is there. So a new
warehouse and one from before there were migrations go the same way: both have everything made, then all files run.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import psycopg


class MigrationError(Exception):
    """The warehouse is newer than this installation, or a migration was changed after it ran."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file ``NNNN_what_it_does.sql``; ``sha256`` is that of its text."""

    number: int
    name: str
    statements: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.statements.encode()).hexdigest()


def all_migrations() -> list[Migration]:
    """Those of this installation, in the order in which they run."""
    found = sorted(path.name for path in files(__name__).iterdir() if path.name.endswith(".sql"))
    return [
        Migration(
            number=int(name[:4]),
            name=name.removesuffix(".sql"),
            statements=files(__name__).joinpath(name).read_text(encoding="utf-8"),
        )
        for name in found
    ]


def migrate(connection: psycopg.Connection) -> list[str]:
    """Run what has not run yet, in the caller's transaction and under its lock; returns the names of what ran.

    Raises MigrationError, and changes nothing, where the warehouse has a migration that this installation does not
    know, or where one that ran reads differently now.
    """
    connection.execute(
        """
        create table if not exists ops.migration (
            number integer primary key,
            name text not null,
            sha256 text not null,
            applied_at timestamptz not null default now()
        );
        comment on table ops.migration is 'The numbered migrations that have run here, each once.';
        """
    )
    waiting = pending(connection)
    for migration in waiting:
        connection.execute(migration.statements)
        connection.execute(
            "insert into ops.migration (number, name, sha256) values (%s, %s, %s)",
            (migration.number, migration.name, migration.sha256),
        )
    return [migration.name for migration in waiting]


def pending(connection: psycopg.Connection) -> list[Migration]:
    """What has not run yet; all of it where nothing is noted. Raises MigrationError as `migrate` does."""
    known = {migration.number: migration for migration in all_migrations()}
    (noted,) = connection.execute("select to_regclass('ops.migration') is not null").fetchone()
    ran = connection.execute("select number, name, sha256 from ops.migration").fetchall() if noted else []
    if newer := sorted(name for number, name, _ in ran if number not in known):
        raise MigrationError(
            f"the warehouse is newer than this installation, which does not know {', '.join(newer)}: "
            "install the release that made it"
        )
    if changed := sorted(name for number, name, sha256 in ran if known[number].sha256 != sha256):
        raise MigrationError(f"changed after it ran here: {', '.join(changed)}; a change is a migration of its own")
    done = {number for number, _, _ in ran}
    return [migration for number, migration in known.items() if number not in done]
