"""The command ``doudi doctor``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from doudi.doctor import diagnose
from doudi.settings import load_settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Tell what is wrong with this installation, what it means and what to run. Changes nothing.

    Ends with 1 where anything is an error.
    """
    found = diagnose(load_settings())
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    else:
        for finding in found:
            print(f"{finding.severity}: {finding.fault}: {finding.what}")
            print(f"    {finding.meaning}")
            print(f"    do: {finding.command}")
        print(f"{len(found)} findings" if found else "nothing is wrong")
    raise typer.Exit(int(any(finding.severity == "error" for finding in found)))
