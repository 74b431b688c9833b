"""The forms of an extract, one module each: ``write`` puts the rows of a query into a file and returns how many."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psycopg

from doudi.extracts.declaration import FormName
from doudi.extracts.forms.about import About
from doudi.extracts.query import Query

Write = Callable[[psycopg.Connection, Query, Path, About], int]


@dataclass(frozen=True)
class Form:
    """The end of the file's name, and the function of a module of this package that writes it.

    ``called``: what the name begins with, the recipient where None. ``effort``: how much longer than in a CSV a row
    takes, roughly.
    """

    suffix: str
    module: str
    function: str = "write"
    called: str | None = None
    effort: int = 1

    @property
    def write(self) -> Write:
        """Imported when it is asked for: some forms need seconds of others' code."""
        return getattr(import_module(f"{__name__}.{self.module}"), self.function)


FORMS: dict[FormName, Form] = {
    "csv": Form(".csv", "delimited", "write_utf8"),
    "csv_gb18030": Form("_gb18030.csv", "delimited", "write_gb18030"),
    "xlsx": Form(".xlsx", "workbook", effort=20),
    "parquet": Form(".parquet", "parquet", effort=3),
    "jsonl": Form(".jsonl", "json_lines"),
    # the name of a delivery, since it comes back as one
    "visit_workbook": Form(".xlsx", "visit_workbook", called="household_visit", effort=50),
}
