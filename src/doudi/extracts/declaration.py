"""What a recipient gets, as declared in extracts/<recipient>.yml; closed to keys that nobody knows."""

import hashlib
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, StrictBool, StrictInt, StrictStr, ValidationError, field_validator, model_validator

from doudi.closed import Closed, faults_of, read_yaml
from doudi.extracts.errors import ExtractError

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # a cell that begins with one of these may be run by a spreadsheet program
CHANGE_HEADING = "变更"

_IDENTIFIER = r"^[a-z][a-z0-9_]*$"
Treatment = Literal["plain", "masked", "pseudonym", "age_band", "none"]
Cadence = Literal["daily", "weekly", "monthly", "quarterly", "on_demand"]
FormName = Literal["csv", "csv_gb18030", "xlsx", "parquet", "jsonl", "visit_workbook"]
Value = StrictStr | StrictInt | StrictBool


class ExtractColumn(Closed):
    """A column of the mart, what stands above it, and what is done to it; ``treatment`` None where nothing is said."""

    name: str = Field(pattern=_IDENTIFIER)
    heading: str = Field(min_length=1)
    treatment: Treatment | None = None

    @property
    def is_handed_out(self) -> bool:
        return self.treatment != "none"

    @field_validator("heading")
    @classmethod
    def _is_no_formula(cls, heading: str) -> str:
        if heading[0] in FORMULA_STARTS:
            raise ValueError("a spreadsheet would take it for a formula")
        return heading


class Split(Closed):
    """One file for each value of the column ``file``, in it one sheet for each of ``sheet``; both hold area codes."""

    file: str | None = Field(default=None, pattern=_IDENTIFIER)
    sheet: str | None = Field(default=None, pattern=_IDENTIFIER)


class Declaration(Closed):
    """Who gets which columns of which rows of which mart, why, how often and in which forms.

    ``rows``: a column and the value or values it must have; ``area`` is the beginning of ``division_code``.
    ``people``: the columns, uuid or uuid[], that hold the person_id of those whom a row is about.
    ``retention_days``: how long what lies with us of a delivered extract is kept.
    """

    recipient: str = Field(pattern=_IDENTIFIER)
    title: str
    purpose: str
    legal_basis: str
    contact: str
    cadence: Cadence
    source: str = Field(pattern=r"^marts\.[a-z][a-z0-9_]*$")
    rows: dict[str, Value | tuple[Value, ...]]
    columns: tuple[ExtractColumn, ...] = Field(min_length=1)
    order_by: tuple[str, ...] = Field(min_length=1)
    formats: tuple[FormName, ...] = Field(min_length=1)
    content: Literal["full", "changes"] = "full"
    retention_days: int = Field(ge=1, le=3660)
    split: Split = Split()
    people: tuple[str, ...] = ()
    encrypt: Literal["required", "where_a_key"] = "where_a_key"

    @field_validator("rows")
    @classmethod
    def _are_columns_or_the_area(cls, rows: dict[str, Value | tuple[Value, ...]]) -> dict:
        if "area" in rows and not (isinstance(rows["area"], str) and rows["area"].isdecimal()):
            raise ValueError("area is the beginning of a division code, in quotes")
        if empty := [name for name, wanted in rows.items() if wanted == ()]:
            raise ValueError(f"no value for {', '.join(empty)}")
        return rows

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for what, names in (
            ("columns", [column.name for column in self.columns]),
            ("headings", [column.heading for column in self.handed_out]),
            ("formats", list(self.formats)),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: one is named twice")
        if not self.handed_out:
            raise ValueError("columns: none is handed out")
        if "visit_workbook" in self.formats and not self.split.file:
            raise ValueError("split: a visit_workbook is the list of one area, which its file's name must say")
        if self.content == "changes" and (self.split.file or self.split.sheet):
            raise ValueError("content: changes cannot be split, since what is gone has no place any more")
        if self.content == "changes" and CHANGE_HEADING in {column.heading for column in self.handed_out}:
            raise ValueError(f"headings: {CHANGE_HEADING} is the column that says what changed")
        return self

    @property
    def handed_out(self) -> tuple[ExtractColumn, ...]:
        return tuple(column for column in self.columns if column.is_handed_out)

    @property
    def file_name(self) -> str:
        return f"extracts/{self.recipient}.yml"

    @property
    def text(self) -> str:
        """What is declared, the same whatever the order of keys and the comments in the file."""
        return self.model_dump_json()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def fault(self, rule: str) -> ExtractError:
        return ExtractError(f"{self.file_name}: {rule}")


def load_declaration(path: Path) -> Declaration:
    """Read one declaration. Raises ExtractError with the file's name and each fault."""
    try:
        declaration = Declaration.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ExtractError(f"{path.parent.name}/{path.name}: {faults_of(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExtractError(f"{path.parent.name}/{path.name}: {error}") from None
    if declaration.recipient != path.stem:
        raise ExtractError(f"{path.parent.name}/{path.name}: its recipient says {declaration.recipient}")
    return declaration


def load_declarations(folder: Path) -> dict[str, Declaration]:
    """All declarations of a folder by recipient. Raises ExtractError for the first that is wrong."""
    return {path.stem: load_declaration(path) for path in sorted(folder.glob("*.yml"))}
