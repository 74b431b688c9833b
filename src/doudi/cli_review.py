"""The command ``doudi review``: proposals of who is who, for somebody to decide."""

from typing import Annotated

import typer

from doudi.identity.decisions import STATES, Proposal
from doudi.identity.numbers import ReviewError
from doudi.quarantine.numbers import RowNumber
from doudi.settings import Settings, load_settings
from doudi.warehouse import schema
from doudi.warehouse.connection import warehouse_url

app = typer.Typer(no_args_is_help=True, help="Who is who: proposals to look at, accept, reject and take back.")

_MASK = "•••"
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The number of a proposal, as the list names it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the decision. Write no personal data into it.")]


def _settings() -> Settings:
    settings = load_settings()
    schema.initialise(warehouse_url(settings), settings)
    return settings


def _subject(proposal: Proposal) -> str:
    if proposal.kind == "pair":
        return "two IDs, one person?"
    return f"{RowNumber(proposal.load_id, proposal.row_no)} {proposal.column_name}"


def _reasons(proposal: Proposal) -> str:
    return ", ".join(f"{each['reason'].replace('_', ' ')} {each['weight']}" for each in proposal.reasons)


@app.command("list")
def review_list(
    state: Annotated[str, typer.Option(help="open, accepted, rejected or all.")] = "open",
    kind: Annotated[str | None, typer.Option(help="row: whose a refused row is; pair: one person, two IDs.")] = None,
) -> None:
    """What is proposed as of the last build, the surest first; nobody's ID."""
    from doudi import review
    from doudi.summary import print_table

    if state not in (*STATES, "all") or kind not in (None, "row", "pair"):
        raise ReviewError("write --state open, accepted, rejected or all, and --kind row or pair")
    found = review.listing(settings=_settings(), state=None if state == "all" else state, kind=kind)
    rows = [
        (each.review_no, _subject(each), each.file_name, each.county_code, _reasons(each), each.state, each.score)
        for each in found
    ]
    columns = ("number", "about", "delivery", "county", "what speaks for it", "state", "score")
    print_table("Proposals", *columns, rows=rows, numbers=1)


@app.command("show")
def review_show(
    number: Number,
    values: Annotated[
        bool, typer.Option("--values", help="With the IDs. They are personal: for your own screen only.")
    ] = False,
) -> None:
    """One proposal, its reasons, and what was decided about it."""
    from doudi import review
    from doudi.summary import print_table

    proposal, history = review.show(number, settings=_settings())
    called = ("whose it most likely is", None) if proposal.kind == "row" else ("kept", "counts as the one kept")
    print_table(
        f"Proposal {number}: {_subject(proposal)}",
        *("what", "value"),
        rows=[
            ("delivery", proposal.file_name),
            ("county", proposal.county_code),
            ("score", proposal.score),
            *((each["reason"].replace("_", " "), each["weight"]) for each in proposal.reasons),
            *(
                (told, citizen_id if values else _MASK)
                for told, citizen_id in zip(called, (proposal.citizen_id, proposal.other_id), strict=True)
                if told
            ),
            ("state", proposal.state),
        ],
    )
    if history:
        print_table("Decisions", "decision", "by", "at", "reason", rows=history)


@app.command("accept")
def review_accept(
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER...", help="Proposals, as the list names them.")],
    reason: Reason,
    keep_other: Annotated[bool, typer.Option("--keep-other", help="Of a pair keep the ID that is not named.")] = False,
) -> None:
    """Take a refused row in with the ID proposed, as a load of its own; or count two IDs as one person.

    A pair is one person from the next build on. Ends with 1 where a row is refused again.
    """
    from doudi import review

    loads = review.accept(numbers, settings=_settings(), reason=reason, keep_other=keep_other, progress=print)
    for load in loads:
        print(f"load {load.load_id}: {load.status}" + (", refused again" if load.rows_quarantined else ""))
    raise typer.Exit(int(any(load.status != "published" or load.rows_quarantined for load in loads)))


@app.command("reject")
def review_reject(number: Number, reason: Reason) -> None:
    """Say no to a proposal; it is not made again."""
    from doudi import review

    review.reject(number, settings=_settings(), reason=reason)
    print(f"proposal {number}: rejected")


@app.command("undo")
def review_undo(number: Number, reason: Reason) -> None:
    """Take a decision back: the row is withdrawn and open again; the pair is two people from the next build on."""
    from doudi import review

    review.undo(number, settings=_settings(), reason=reason)
    print(f"proposal {number}: open again")
