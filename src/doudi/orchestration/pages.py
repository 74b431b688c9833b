"""The page of each DAG in Airflow's web interface: what it does, for whom, and what to do when it fails at night."""

from doudi.contracts import Column, Contract

_FEED = """\
### {title}

{purpose} Sent by **{department}** as *{mode}*, every {cadence}; contract version {version}.

| column | header | type | required | key | meaning |
|---|---|---|---|---|---|
{columns}

{mode_means}

#### When it fails at night

1. `refusals` failed: the delivery was refused as a whole, and nothing of it was published. Its message names the load,
   the file and the rule; `doudi status` lists them. Deliveries of the same feed that were good have been published, so
   this can wait for the morning: ask {department} for a corrected file, put it into the inbox, and run this DAG again.
2. `load` failed after its retries: Postgres or the disk was away. Mend that and clear the task; nothing was half
   published, and what was taken in already is not taken in twice.
3. `load` failed at once: a contract, a suite or the code is broken. The message says where. The other feeds and the
   marts go on with this feed's last good state.

A single row that breaks the contract fails nothing: it lies in `ops.quarantine` with its rule and reason.
"""

_MODES = {
    "snapshot": "A delivery is the whole list of its area on its data date; a record that is missing in it has ended.",
    "events": "A delivery brings new facts; the same key again is a correction, and the later data date wins.",
}

MARTS_PAGE = """\
### Marts and warnings

Runs when any feed has published, or at half past four for what an event did not bring. `wait` holds it until no
delivery is being taken in: with half of a night's feeds, people would look uncovered who are not. The ledger decides
what is new, so it does not matter how many events led here. `build` is skipped where nothing changed. `data_docs`
makes Great Expectations' pages on the last deliveries beside it; where that fails, a line in `alerts.jsonl` says so.

To compute a past day, trigger it with `as_of`, or run a backfill: each of its runs computes its own day. The marts of
a past day lie beside those of the present, and lead to no extracts.

#### When it fails at night

1. `build` failed: readers still see the marts of the last good build. The message names the model or test; the whole
   log of the build lies beside the project's dbt files. Mend it and clear the task.
2. `wait` gave up on a feed (a line in `alerts.jsonl`): a delivery lay in the inbox that no run was taking in. See that
   feed's DAG, perhaps paused; what it brings later starts another build.
"""

WATCH_PAGE = """\
### What the night has left

Runs when the marts were built, and at seven for a night in which nothing was. `health_page` writes one page on loads,
late feeds, refusals, builds and sizes to `DOUDI_HOME/health/index.html`, with links to the pages on checks and tables.
`tell_alerts` tells failures, refused deliveries, late feeds and overdue red warnings to the connections
`doudi_alert_mail` and `doudi_alert_webhook`, one message per kind, and nothing twice that has not become worse. The
first failure of a night is told at once. docs/health-and-alerts.md says how to set it up.

#### When it fails at night

1. `tell_alerts` failed: Postgres was away, or the code is broken; the message says which. Clear the task.
2. A message did not get out: nothing fails, `doudi status` lists it with the class of the error, and it is tried again
   the next time. Look at the connection's host and password.
"""

EXTRACTS_PAGE = """\
### Extracts

Runs when the marts were built, or at half past six for what an event did not bring. Each recipient gets the columns
and rows that its file under `extracts/` declares, and a manifest after them. Nothing is sent twice of one build.

With `as_of` it hands out the build of that day, where that was not handed out yet.

#### When it fails at night

1. `ExtractError`: the message names the declaration and its rule. Mend it and clear the task: who has got theirs gets
   no second one.
2. `NotDeliveredError`: a recipient was out of reach. What lies ready goes out at the next try with the same bytes; see
   its connection `doudi_extract_<recipient>`.

The other recipients have got theirs all the same.
"""


MAINTENANCE_PAGE = """\
### Maintenance

Runs on Saturdays. `maintain` removes what is past its time in `retention.yml`: originals of deliveries, texts of closed
refused rows, results of checks, marts of past days, leftovers of loads that were cut off; then it vacuums.
`airflow_history` removes old log files and, by `airflow db clean`, old runs. Registers, marts and the record of
disclosures stay whole. `doudi maintain --dry-run` tells what would go; docs/retention.md has the rest.

#### When it fails at night

It can wait for the morning: nothing depends on it, and the next run goes on where this one was cut off.

1. `RetentionError`: the message names file, line and key, or says that another maintenance is at work.
2. `airflow_history` failed: run `airflow db clean` by hand to see why.
"""

REPORTS_PAGE = """\
### The plan's periodic report

Runs on the last days of June, September and December, and on demand with `as_of` and `area`. For each area of
access.yml down to the county it writes the situation page, and the report as PDF and Word file: as may be published,
and with exact figures for inside. They lie in `reports/<day>/` of the home.

#### When it fails at night

1. `wait` gave up: the build of the day is not there. See `build_marts`, then clear this run.
2. `ReportError` in `write`: the message says what is missing. What was written before stays.
"""


def feed_page(contract: Contract) -> str:
    """The page of a feed's DAG, written from its contract."""
    return _FEED.format(
        title=contract.title,
        purpose=contract.description.purpose,
        department=contract.department,
        mode=contract.mode,
        mode_means=_MODES[contract.mode],
        cadence=contract.cadence.removeprefix("1 "),
        version=contract.version,
        columns="\n".join(map(_row, contract.columns)),
    )


def _row(column: Column) -> str:
    cells = (
        f"`{column.name}`",
        column.header,
        _type(column),
        "yes" if column.required else "",
        "yes" if column.primary_key else "",
        column.description,
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _type(column: Column) -> str:
    if column.codes:
        sent = [f"{value} = {canonical}" for value, canonical in column.codes.items() if value != canonical]
        return ", ".join(sent or column.codes)
    return f"{column.type} ≥ {column.minimum}" if column.minimum is not None else column.type
