"""The command ``doudi``. Each command is a thin door to a function that DAGs and tests call too."""

import atexit
import gc
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from doudi.access import AccessError
from doudi.backtest import BacktestError
from doudi.backup import BackupError
from doudi.cli_access import app as access
from doudi.cli_disclosures import disclosures
from doudi.cli_doctor import doctor
from doudi.cli_erasures import erase
from doudi.cli_extracts import app as extracts
from doudi.cli_health import alerts, health
from doudi.cli_maintenance import maintain
from doudi.cli_operations import archive_wal, backup, restore
from doudi.cli_reports import report
from doudi.cli_review import app as review_desk
from doudi.connectors.connections import SourceError
from doudi.contracts import ContractError, load_contracts
from doudi.deliveries import DeliveryRefused
from doudi.erasures import ErasureError
from doudi.explain import Language, UnknownWarning, language_of
from doudi.explain import explain as explain_warning
from doudi.extracts import ExtractError
from doudi.identity import ReviewError
from doudi.maintenance import RetentionError
from doudi.orchestration.environment import use_connections
from doudi.quality import SuiteError
from doudi.quarantine import QuarantineError
from doudi.reports import ReportError
from doudi.settings import Settings, SettingsError, load_settings, parse_date
from doudi.side_by_side import WorkerLost
from doudi.simulate.changes import SimulationError
from doudi.sources import SourcesError
from doudi.transform import BuildError
from doudi.warehouse import cluster, schema
from doudi.warehouse.connection import WarehouseError, connect, warehouse_url
from doudi.warehouse.migrations import MigrationError
from doudi.warehouse.roles import RoleError
from doudi.warehouse.schema import SchemaError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
db = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL.")
app.add_typer(db, name="db")
desk = typer.Typer(no_args_is_help=True, help="Refused rows: look, send back, take in again, give up.")
app.add_typer(desk, name="quarantine")
app.add_typer(review_desk, name="review")
app.add_typer(access, name="access")
app.add_typer(extracts, name="extract")
app.command("disclosures")(disclosures)
app.command("report")(report)
app.command("doctor")(doctor)
app.command("erase")(erase)
app.command("health")(health)
app.command("alerts")(alerts)
app.command("maintain")(maintain)
app.command("backup")(backup)
app.command("restore")(restore)
db.command("archive-wal")(archive_wal)

_MENDABLE = (
    *(AccessError, BacktestError, QuarantineError, ReviewError, RoleError, SimulationError, SourceError, SourcesError),
    *(BuildError, ContractError, DeliveryRefused, ErasureError, ExtractError, SettingsError, SchemaError, SuiteError),
    *(BackupError, MigrationError, ReportError, RetentionError, UnknownWarning, WarehouseError, WorkerLost),
    cluster.ClusterError,
)
AsOf = Annotated[str | None, typer.Option("--as-of", help="Compute for this day, YYYY-MM-DD; today in Shanghai else.")]


def main() -> None:
    """Run the command; faults that a user can mend end it with one line instead of a traceback."""
    # What Great Expectations and dbt import stays for good: to look through it again and again for garbage costs a
    # quarter of the imports, and once more at the end a second.
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)
    try:
        use_connections(load_settings())
        app()
    except _MENDABLE as error:
        print(f"doudi: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _settings(as_of: str | None = None) -> Settings:
    settings = load_settings()
    return replace(settings, as_of=parse_date(as_of, name="--as-of")) if as_of else settings


@db.command("start")
def db_start() -> None:
    """Start the embedded PostgreSQL and print its URL."""
    print(warehouse_url(_settings()))


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded PostgreSQL."""
    _say("stopped" if cluster.stop(_settings().home) else "was not running")


@db.command("url")
def db_url() -> None:
    """Print the URL of the warehouse, starting the embedded PostgreSQL where it is used."""
    print(warehouse_url(_settings()))


@app.command()
def init() -> None:
    """Create the schemas and tables that are missing; what is there stays."""
    initialise(_settings())


def initialise(settings: Settings) -> None:
    """Create the schemas and tables that are missing in the warehouse of ``settings``."""
    schema.initialise(warehouse_url(settings), settings)


@app.command()
def synth(
    out: Path,
    persons: Annotated[int, typer.Option(min=1)] = 5000,
    seed: int = 1,
    as_of: AsOf = None,
    clean: Annotated[bool, typer.Option("--clean", help="Without planted faults.")] = False,
) -> None:
    """Write a synthetic county's deliveries into OUT and, under OUT/truth, what should come out of them."""
    from doudi.synth.generate import generate

    settings = _settings(as_of)
    summary = generate(
        out,
        persons=persons,
        seed=seed,
        as_of=settings.date_of_run(),
        clean=clean,
        division_file=settings.dbt_project / "seeds" / "division.csv",
    )
    for name, value in asdict(summary).items():
        print(f"{name.replace('_', ' ')}: {value:,}" if isinstance(value, int) else f"{name}: {value}")


@app.command()
def land(
    files: list[Path], as_json: Annotated[bool, typer.Option("--json", help="Print the ledger's rows as JSON.")] = False
) -> None:
    """Take in the FILES named: archive, land, check, publish. Ends with 1 where any is refused."""
    from doudi.loads import land_files

    settings = _settings()
    initialise(settings)
    results = land_files(files, settings=settings, progress=_say)
    if as_json:
        print(json.dumps([asdict(result) for result in results], ensure_ascii=False, indent=2))
    for result in results:
        if result.error:
            _say(f"{result.file_name}: {result.error}")
    raise typer.Exit(int(any(result.status not in ("published", "superseded") for result in results)))


@app.command()
def fetch(feeds: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Pull what is new for the FEEDS named, or for all, from the sources of sources.yml, and take nothing in.

    Ends with 1 where a source could not be read.
    """
    from doudi.loads import fetch as fetch_feeds

    settings = _settings()
    initialise(settings)
    known = load_contracts(settings.contracts)
    if unknown := set(feeds or ()) - set(known):
        raise typer.BadParameter(f"there is no contract for a feed {', '.join(sorted(unknown))}")
    raise typer.Exit(int(bool(fetch_feeds(feeds or known, settings=settings, progress=_say))))


@app.command()
def build(
    as_of: AsOf = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Compute everybody anew, not only those for whom something changed.")
    ] = False,
) -> None:
    """Build staging, identity, indicators and marts for one day, and open, keep and clear warnings."""
    from doudi.transform import build as build_marts

    settings = _settings(as_of)
    initialise(settings)
    result = build_marts(
        url=warehouse_url(settings), settings=settings, as_of=settings.date_of_run(), everybody=everybody, progress=_say
    )
    told = asdict(result)
    warnings = told.pop("warnings")
    for name, value in told.items():
        print(f"{name.replace('_', ' ')}: {value}")
    for code, count in warnings.items():
        print(f"{code}: {count['open']} open, {count['opened']} opened, {count['cleared']} cleared")


@app.command()
def run(
    inbox: Annotated[Path | None, typer.Option()] = None,
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """A whole night in one go, without Airflow: take in all feeds side by side, build, hand out.

    Ends with 1 where a delivery is refused.
    """
    from doudi.night import run_in_process

    settings = _settings(as_of)
    settings = replace(settings, inbox=(inbox or settings.inbox).resolve(), out=(out or settings.out).resolve())
    initialise(settings)
    raise typer.Exit(run_in_process(settings, progress=_say))


@app.command("data-docs")
def data_docs() -> None:
    """Build Great Expectations' pages on the last deliveries and print where they begin. They show counts, no rows."""
    from doudi.quality.data_docs import build_data_docs

    settings = _settings()
    initialise(settings)
    built = build_data_docs(url=warehouse_url(settings), settings=settings, progress=_say)
    if not built:
        _say("nothing has changed")
    print(settings.data_docs / "index.html")


@app.command()
def docs(as_of: AsOf = None) -> None:
    """Write what every table and column means as one page that opens without a network, and print where it is."""
    from doudi.transform.docs import write_docs

    settings = _settings(as_of)
    initialise(settings)
    print(write_docs(url=warehouse_url(settings), settings=settings))


@app.command()
def status() -> None:
    """What was taken in, refused and built, and which feeds are late by their contract's cadence."""
    from doudi.summary import print_status

    print_status(_settings())


@app.command()
def explain(
    warning_id: str,
    lang: Annotated[Language | None, typer.Option(help="zh or en; as the locale is else.")] = None,
) -> None:
    """Tell in sentences why a warning was raised, what is to be done, and the rows that say so; no names."""
    for line in explain_warning(warning_id, settings=_settings(), language=lang or language_of(os.environ)):
        print(line)


@app.command()
def simulate(
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    area: Annotated[str | None, typer.Option(help="Where --set holds: the start of division codes.")] = None,
    parameters: Annotated[Path | None, typer.Option(help="A file in the place of local_standard.csv.")] = None,
    indicators: Annotated[Path | None, typer.Option(help="A file in the place of indicator.csv.")] = None,
    as_of: AsOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write all figures to this .csv or .xlsx.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the schemas …_simulated for a look.")] = False,
) -> None:
    """Tell whom other parameters would find, and what that costs and asks for. The marts stay as they are."""
    from doudi import simulate as trial
    from doudi.simulate import telling

    changes = trial.Changes.read(settings or [], area=area, parameters=parameters, indicators=indicators)
    telling.refuse_form(out)
    ours = _settings(as_of)
    initialise(ours)
    result = trial.simulate(
        changes, url=warehouse_url(ours), settings=ours, as_of=ours.date_of_run(), keep=keep, progress=_say
    )
    if as_json:
        print(telling.as_json(result))
    else:
        telling.print_simulation(result)
    if out:
        telling.write(result, out)
        _say(f"{out}: {len(result.figures)} rows")


@app.command()
def backtest(
    first: Annotated[
        str | None, typer.Option("--from", help="Play the months from this day, as if the warehouse had run then.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Up to this day; today in Shanghai else.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the schemas …_backtest for a look.")] = False,
) -> None:
    """Hold each indicator against what came later: of the warnings given, or of months played beside the present."""
    from doudi.backtest import present, print_hindsight, replay

    ours = _settings()
    if last and not first:
        raise BacktestError("--to says where --from ends: name the day to begin with")
    if first is None:
        print_hindsight(present(url=warehouse_url(ours)))
        return
    initialise(ours)
    days = (parse_date(first, name="--from"), parse_date(last, name="--to") if last else ours.date_of_run())
    rows = replay(url=warehouse_url(ours), settings=ours, first=days[0], last=days[1], keep=keep, progress=_say)
    print_hindsight(rows)


Feed = Annotated[str | None, typer.Option("--feed", help="Every delivery of this feed.")]
LoadId = Annotated[int | None, typer.Argument(metavar="[LOAD]", help="The number of a load, as the list names it.")]


@desk.command("list")
def quarantine_list(
    feed: Feed = None,
    load: Annotated[int | None, typer.Option(help="Only this load.")] = None,
    status: Annotated[str, typer.Option(help="open, replayed, discarded or all.")] = "open",
) -> None:
    """How many rows each rule has refused of each delivery, and since when; no row's values."""
    from doudi.quarantine import listing
    from doudi.summary import print_table

    if status not in ("open", "replayed", "discarded", "all"):
        raise QuarantineError(f"--status={status}: write open, replayed, discarded or all")
    settings = _settings()
    initialise(settings)
    with connect(warehouse_url(settings), step="quarantine list", role="loader") as connection:
        counts = listing.counts(connection, feed=feed, load_id=load, status=None if status == "all" else status)
    rows = [(c.load_id, c.file_name, c.rule, c.columns, c.status, c.oldest, f"{c.rows:,}") for c in counts]
    columns = ("load", "delivery", "rule", "columns", "status", "since", "rows")
    print_table("Rows in quarantine by delivery and rule", *columns, rows=rows, numbers=1)


@desk.command("show")
def quarantine_show(
    load: int,
    row: Annotated[int | None, typer.Option(help="Only this row: 345 of T12-345.")] = None,
    values: Annotated[
        bool, typer.Option("--values", help="With the text as sent. It is personal: for your own screen only.")
    ] = False,
) -> None:
    """Each refused row of a LOAD: where it stood, what is wrong with it, and what became of it."""
    from doudi.returns import show
    from doudi.summary import print_table

    settings = _settings()
    initialise(settings)
    rows = list(show(settings=settings, load_id=load, row_no=row, values=values))
    columns = ("row", "delivery", "line", "column", "rule", "reason", "text", "fate")
    print_table(f"Refused rows of load {load}", *columns, rows=rows)


@desk.command("export")
def quarantine_export(load: LoadId = None, feed: Feed = None, out: Annotated[Path, typer.Option()] = Path()) -> None:
    """Write the open rows of a LOAD, or of a feed, as workbooks to be sent back: one for each delivery, into OUT."""
    from doudi.returns import export

    settings = _settings()
    initialise(settings)
    for workbook in export(settings=settings, out=out.resolve(), load_id=load, feed=feed):
        print(f"{workbook.path}: {workbook.rows} rows")


@desk.command("replay")
def quarantine_replay(
    load: LoadId = None,
    feed: Feed = None,
    file: Annotated[Path | None, typer.Option(help="A returned workbook with corrected rows.")] = None,
) -> None:
    """Take rows in again: the open rows of a LOAD or a feed after a rule has changed, or those corrected in FILE.

    Ends with 1 where a load is refused.
    """
    from doudi.returns import replay_file, replay_open

    if file and (load or feed):
        raise QuarantineError("--file names its rows itself: leave out LOAD and --feed")
    settings = _settings()
    initialise(settings)
    if file:
        replayed = replay_file(file, settings=settings, progress=_say)
    else:
        replayed = replay_open(settings=settings, load_id=load, feed=feed, progress=_say)
    for result in replayed.loads:
        counts = f"{result.rows_read} rows, {result.rows_quarantined or 0} refused again"
        print(f"load {result.load_id}: {result.status}, {counts}")
        if result.error:
            _say(f"load {result.load_id}: {result.error}")
    if replayed.left_open:
        print(f"left open, since nothing about them has changed: {replayed.left_open} rows")
    raise typer.Exit(int(any(result.status not in ("published", "superseded") for result in replayed.loads)))


@desk.command("discard")
def quarantine_discard(
    load: int,
    reason: Annotated[str, typer.Option(help="Why; kept with the rows.")],
    row: Annotated[list[int] | None, typer.Option(help="Only this row; may be repeated.")] = None,
) -> None:
    """Give up open rows of a LOAD, all where no row is named; they stay in the record with the reason."""
    from doudi.returns import discard

    settings = _settings()
    initialise(settings)
    print(f"discarded: {discard(settings=settings, load_id=load, row_nos=row, reason=reason)} rows")
