"""Loaders in processes of their own, and a server of their own, so that both may be killed at any moment."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from databases import copy_database

from doudi import loads
from doudi.settings import Settings
from doudi.warehouse import cluster
from doudi.warehouse.connection import WarehouseError

FEEDS = ("disability", "medical_assistance", "poverty_register")
TOLD = 3  # the exit status of a loader that was told of what may pass and said so


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server of its own, which tests may kill, with a warehouse for each of its runs."""

    home: Path
    settings: Settings

    def start(self) -> str:
        """Start it as the product does, after a crash too; returns the URL of its own database."""
        return cluster.start(self.home)

    def url(self, database: str) -> str:
        return urlunsplit(urlsplit(self.start())._replace(path=f"/{database}"))

    @contextmanager
    def installation(self, folder: Path) -> Iterator[Settings]:
        """An installation with an empty warehouse, gone afterwards."""
        name = f"run_{uuid4().hex[:12]}"
        with psycopg.connect(self.start(), autocommit=True) as session:
            copy_database(session, name, template="empty")
        yield replace(self.settings, database_url=self.url(name), home=folder / name)
        with psycopg.connect(self.start(), autocommit=True) as session:
            session.execute(f"drop database {name} with (force)")


def take_in_nights(settings: Settings, nights: list[Path], feeds: tuple[str, ...] = FEEDS) -> None:
    for inbox in nights:
        for feed in feeds:
            loads.take_in(feed, settings=replace(settings, inbox=inbox))


def fork(work: Callable[[], object]) -> int:
    """Do ``work`` in a process of its own, everything imported already; returns its pid.

    It exits with 0, or with TOLD after an error that users are told in one line; anything else is a fault of ours.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except (WarehouseError, OSError):
        status = TOLD
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def exit_status(pid: int) -> int:
    """How a child ended: its exit status, or the number of the signal that killed it, negative."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
