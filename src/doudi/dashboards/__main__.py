"""``python -m doudi.dashboards serve | prepare | web | stop | bundle``: what the Makefile and the services call."""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from doudi.access import AccessError
from doudi.contracts import ContractError
from doudi.dashboards import accounts, bundle, installation, server
from doudi.dashboards.declaration import DashboardError, load_declared
from doudi.settings import Settings, SettingsError, load_settings
from doudi.warehouse.cluster import ClusterError
from doudi.warehouse.connection import WarehouseError, warehouse_url
from doudi.warehouse.migrations import MigrationError
from doudi.warehouse.roles import RoleError
from doudi.warehouse.schema import SchemaError, initialise

Serving = tuple[installation.Installation, subprocess.Popen]


def main() -> int:
    parser = argparse.ArgumentParser(prog="doudi.dashboards", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="set up what is missing, and serve until Ctrl-C")
    commands.add_parser("prepare", help="all of it but serving")
    commands.add_parser("web", help="only serve what is prepared; needs no account of the warehouse")
    commands.add_parser("stop", help="stop what the other has started")
    commands.add_parser("bundle", help="make dashboards/bundle anew from the declarations beside it")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        if arguments.command == "bundle":
            folder = settings.project / "dashboards"
            print(f"{len(bundle.write(load_declared(folder), folder / 'bundle'))} files in {folder / 'bundle'}")
        elif arguments.command == "stop":
            server.stop(settings)
        elif arguments.command == "prepare":
            prepared(settings)
        else:
            serve(up(settings) if arguments.command == "serve" else web(settings))
        return 0
    except (
        AccessError, ClusterError, ContractError, DashboardError, MigrationError, RoleError, SchemaError,
        SettingsError, WarehouseError,
    ) as error:  # fmt: skip
        print(f"doudi: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def serve(opened: AbstractContextManager[Serving]) -> None:
    """Serve until Ctrl-C (KeyboardInterrupt). Raises DashboardError where Superset ends by itself."""
    with _ending_on_signals(), opened as (ready, process):
        print(
            f"Superset: {ready.url}   user {ready.accounts[0].user} or that of an area, such as "
            f"{ready.accounts[-1].user}; {installation.ADMINISTRATOR} administers\n"
            f"passwords: {ready.settings.keys}/superset_user_<user>\n"
            f"logs: {ready.home}\n"
            "Ctrl-C stops it.",
            flush=True,
        )
        while process.poll() is None:
            time.sleep(0.5)
    raise DashboardError(f"Superset has ended; see {ready.home / 'server.log'}")


@contextmanager
def up(settings: Settings) -> Iterator[Serving]:
    """The warehouse, the accounts and Superset, all up: yields how to reach it, and its process."""
    with server.alone(settings) as lock, server.running(prepared(settings), lock=lock) as serving:
        yield serving


def prepared(settings: Settings) -> installation.Installation:
    """Superset with its accounts of the database, tables, users and dashboards; what is there already stays."""
    url = warehouse_url(settings)
    initialise(url, settings)
    ready = installation.prepare(settings, url=url)
    accounts.let_in(url, list(ready.accounts))
    print("Superset's tables, users and dashboards; the first time this takes a minute", file=sys.stderr)
    installation.bring_up_to_date(ready)
    return ready


@contextmanager
def web(settings: Settings) -> Iterator[Serving]:
    """What was prepared, by somebody who has the warehouse's account, served by somebody who has not.

    Raises DashboardError where it is not prepared, or not since the last change.
    """
    ready = installation.locate(settings)
    if not installation.is_up_to_date(ready):
        raise DashboardError(f"{ready.home} is not prepared for this release: python -m doudi.dashboards prepare")
    with server.alone(settings) as lock, server.running(ready, lock=lock) as serving:
        yield serving


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what was started is stopped."""

    def end(signum: int, frame: object) -> None:
        raise SystemExit(128 + signum)

    before = {signum: signal.signal(signum, end) for signum in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


if __name__ == "__main__":
    raise SystemExit(main())
