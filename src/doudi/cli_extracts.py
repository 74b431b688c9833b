"""The command ``doudi extract``: hand out, and look after what handing out needs."""

from pathlib import Path
from typing import Annotated

import typer
from click import Context
from typer.core import TyperGroup

from doudi.settings import Settings, load_settings
from doudi.warehouse import schema
from doudi.warehouse.connection import connect, warehouse_url

_SEND = "send"


class _SendsUnlessTold(TyperGroup):
    """``doudi extract housing`` is ``doudi extract send housing``."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "--help"):
            args = [_SEND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_SendsUnlessTold, help="Hand out extracts: [RECIPIENT…] --out DIR, or one of the commands below.")
keys = typer.Typer(no_args_is_help=True, help="The keys that recipients' pseudonyms are made with.")
app.add_typer(keys, name="keys")


def _settings() -> Settings:
    settings = load_settings()
    schema.initialise(warehouse_url(settings), settings)
    return settings


def _say(line: str) -> None:
    typer.echo(line, err=True)


@app.command(_SEND)
def send(
    recipients: Annotated[list[str] | None, typer.Argument()] = None,
    out: Annotated[Path | None, typer.Option(help="Into this folder, and not to the recipients' connections.")] = None,
) -> None:
    """Hand out the extracts of the RECIPIENTS named, or of all, from the last build."""
    from doudi import extracts

    settings = _settings()
    names = recipients or list(extracts.load_declarations(settings.extracts))
    for file in extracts.send(names, settings=settings, out=out, progress=_say):
        print(f"{file.path}: {file.rows} rows")


@app.command()
def prune() -> None:
    """Remove what lies with us of delivered extracts for longer than their declarations say."""
    from doudi.extracts import retention

    settings = _settings()
    with connect(warehouse_url(settings), autocommit=True, step="extract", role="extractor") as connection:
        count = retention.prune(connection, settings=settings, progress=_say)
    print(f"{count} removed")


@keys.command("list")
def keys_list() -> None:
    """Whose keys there are, of which versions and days; no secrets. Those of the environment are not among them."""
    from doudi.extracts import pseudonyms
    from doudi.summary import print_table

    rows = [
        (recipient, str(version), made_on, "in use" if in_use else "kept")
        for recipient, version, made_on, in_use in pseudonyms.versions(folder=load_settings().keys)
    ]
    print_table("Keys of pseudonyms", "recipient", "version", "made on", "state", rows=rows)


@keys.command("rotate")
def keys_rotate(recipient: str) -> None:
    """Make a new key for a RECIPIENT: from the next extract on, everybody has another pseudonym there."""
    from doudi import extracts
    from doudi.extracts import pseudonyms

    settings = load_settings()
    if recipient not in extracts.load_declarations(settings.extracts):
        raise extracts.ExtractError(f"no extract is declared for {recipient}")
    print(f"{recipient}: version {pseudonyms.rotate(recipient, folder=settings.keys)} is in use")
