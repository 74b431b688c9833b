"""``python -m doudi.orchestration run [--persons N] [--seed S] | ui | stop``: what the Makefile calls."""

import argparse
import os
import sys

from doudi.contracts import ContractError
from doudi.orchestration.api import AirflowError
from doudi.orchestration.commands import run_night, serve
from doudi.orchestration.server import stop
from doudi.orchestration.synthetic import SyntheticCounty
from doudi.settings import SettingsError, load_settings
from doudi.warehouse.cluster import ClusterError
from doudi.warehouse.connection import WarehouseError
from doudi.warehouse.migrations import MigrationError
from doudi.warehouse.schema import SchemaError


def main() -> int:
    parser = argparse.ArgumentParser(prog="doudi.orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="one night; without DOUDI_INBOX, of a synthetic county")
    run.add_argument("--persons", type=int, default=SyntheticCounty.persons)
    run.add_argument("--seed", type=int, default=SyntheticCounty.seed)
    commands.add_parser("ui", help="scheduler and web interface until Ctrl-C")
    commands.add_parser("stop", help="stop what the other two started")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        if arguments.command == "run":
            county = SyntheticCounty(persons=arguments.persons, seed=arguments.seed)
            return run_night(settings, synthetic=None if os.environ.get("DOUDI_INBOX") else county)
        if arguments.command == "ui":
            serve(settings)
        stop(settings)
        return 0
    except (
        AirflowError, ClusterError, ContractError, MigrationError, SchemaError, SettingsError, WarehouseError,
    ) as error:  # fmt: skip
        print(f"doudi: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
