"""All of retention.yml, one rule after the other, each of which can be cut off and carried out again."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from doudi.maintenance.deliveries import archived_deliveries, check_results, closed_quarantine_rows, leftovers
from doudi.maintenance.extracts import extracts
from doudi.maintenance.policy import RetentionError, load_policy
from doudi.maintenance.warehouse import build_files, dead_rows, failures_and_alerts, past_day_marts, touched_people
from doudi.maintenance.work import Outcome, Rule, Work, locked
from doudi.settings import TIME_ZONE, Settings
from doudi.warehouse.connection import WarehouseError, connect, without_values

# Files go last of what the ledger says of them, and dead rows after all that makes some.
RULES: tuple[Rule, ...] = (
    *(archived_deliveries, closed_quarantine_rows, check_results, failures_and_alerts, extracts),
    *(past_day_marts, build_files, touched_people, leftovers, dead_rows),
)
_LOCK = "hashtext('doudi.maintenance')"


def maintain(
    *,
    url: str,
    settings: Settings,
    dry_run: bool = False,
    now: datetime | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Carry out retention.yml on the warehouse and the home, and vacuum. Returns what each rule removed.

    With ``dry_run`` nothing is removed, and what would be is returned, on the day ``now`` where it is given. What is in
    progress is left for the next time. A rule that fails does not keep the others from their turn: its error, a
    WarehouseError or OSError, is raised at the end. Raises RetentionError where another maintenance is at work.
    """
    policy = load_policy(settings.retention)
    if now and not dry_run:
        raise RetentionError("only what would go can be told for another day: --on goes with --dry-run")
    outcomes: list[Outcome] = []
    faults: list[Exception] = []
    with connect(url, autocommit=True, step="maintain", role="owner") as connection, locked(connection, _LOCK) as alone:
        if not alone:
            raise RetentionError("maintenance is at work already")
        work = Work(
            connection=connection, url=url, settings=settings, policy=policy, now=now or datetime.now(TIME_ZONE),
            dry_run=dry_run,
        )  # fmt: skip
        number = None if dry_run else _begin(connection, settings)
        for rule in RULES:
            try:
                outcomes.append(rule(work))
            except psycopg.Error as error:
                if connection.closed:
                    raise
                faults.append(without_values(error, step=f"maintain {rule.__name__}"))
            except (WarehouseError, OSError) as error:
                faults.append(error)
            else:
                progress(told(outcomes[-1], dry_run=dry_run))
        if number and not faults:
            _end(connection, number, outcomes)
    if faults:
        raise faults[0]
    return outcomes


def told(outcome: Outcome, *, dry_run: bool) -> str:
    """A line on what a rule did, with counts and no names of files, since senders put people's names into them."""
    size = "" if outcome.size is None else f", {outcome.size:,} bytes"
    left = f"; left for the next time: {', '.join(outcome.left)}" if outcome.left else ""
    return f"{outcome.rule}: {'would remove' if dry_run else 'removed'} {outcome.count:,} {outcome.what}{size}{left}"


def _begin(connection: psycopg.Connection, settings: Settings) -> int:
    sha256 = hashlib.sha256(settings.retention.read_bytes()).hexdigest()
    query = "insert into ops.maintenance (policy_sha256) values (%s) returning maintenance_id"
    return connection.execute(query, (sha256,)).fetchone()[0]


def _end(connection: psycopg.Connection, number: int, outcomes: list[Outcome]) -> None:
    connection.execute(
        "update ops.maintenance set finished_at = clock_timestamp(), outcomes = %s where maintenance_id = %s",
        (Jsonb([asdict(outcome) for outcome in outcomes]), number),
    )
