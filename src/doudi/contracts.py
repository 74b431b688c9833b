"""What each department must send: the contracts of the feeds, as frozen models.

The files under ``contracts/`` follow the Open Data Contract Standard 3; the models below admit the part
of it that Doudi uses and refuse every other key, so that a misspelt key is an error and not a silent no.
"""

import re
import unicodedata
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from doudi.closed import Closed, faults_of, read_yaml

ColumnType = Literal["text", "id", "div", "date", "money", "int", "bool", "code"]
PHYSICAL_TYPES: dict[str, str] = {
    "text": "text",
    "id": "text",
    "div": "text",
    "code": "text",
    "date": "date",
    "money": "numeric(14,2)",
    "int": "integer",
    "bool": "boolean",
}


class ContractError(Exception):
    """A contract file is wrong; the message names the file and what is wrong in it."""


class _Closed(Closed):
    model_config = ConfigDict(populate_by_name=True)


class _Custom(_Closed):
    property: str
    value: Any


class _Customised(_Closed):
    """A part of the standard that carries properties of ours."""

    custom: tuple[_Custom, ...] = Field(alias="customProperties")

    def _custom_value(self, name: str, default: Any) -> Any:
        return next((item.value for item in self.custom if item.property == name), default)


class _TypeOptions(_Closed):
    minimum: int


class Column(_Customised):
    """One column of a feed.

    ``header`` is the department's own heading, ``type`` the kind of text that is accepted in it
    (feeds.md), ``codes`` maps each accepted value to its canonical one.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    header: str = Field(alias="businessName")
    description: str
    logical_type: Literal["string", "date", "number", "integer", "boolean"] = Field(alias="logicalType")
    physical_type: str = Field(alias="physicalType")
    classification: Literal["internal", "personal", "sensitive"]
    required: bool = False
    primary_key: bool = Field(default=False, alias="primaryKey")
    primary_key_position: int | None = Field(default=None, alias="primaryKeyPosition")
    type_options: _TypeOptions | None = Field(default=None, alias="logicalTypeOptions")

    @model_validator(mode="after")
    def _agree(self) -> "Column":
        unknown = {item.property for item in self.custom} - {"type", "aliases", "codes", "formerly"}
        if unknown:
            raise ValueError(f"column {self.name}: unknown customProperties {sorted(unknown)}")
        if self.type not in PHYSICAL_TYPES:
            raise ValueError(f"column {self.name}: unknown type {self.type}")
        if self.physical_type != PHYSICAL_TYPES[self.type]:
            raise ValueError(f"column {self.name}: physicalType of {self.type} is {PHYSICAL_TYPES[self.type]}")
        if (self.type == "code") != bool(self.codes):
            raise ValueError(f"column {self.name}: codes belong to type code, and to no other")
        return self

    @property
    def type(self) -> ColumnType:
        return self._custom_value("type", "text")

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(self._custom_value("aliases", ()))

    @property
    def formerly(self) -> tuple[str, ...]:
        """The names that the column had in earlier versions of the contract; a register that has one takes the new."""
        return tuple(self._custom_value("formerly", ()))

    @property
    def codes(self) -> dict[str, str]:
        """Accepted value → canonical value; the canonical value itself is accepted too."""
        declared = {str(sent): str(canonical) for sent, canonical in self._custom_value("codes", {}).items()}
        return declared | {canonical: canonical for canonical in declared.values()}

    @property
    def minimum(self) -> int | None:
        return self.type_options.minimum if self.type_options else None


class _Table(_Closed):
    name: str
    physical_name: str = Field(alias="physicalName")
    business_name: str = Field(alias="businessName")
    description: str
    properties: tuple[Column, ...]


class _Description(_Closed):
    purpose: str
    usage: str


class _Team(_Closed):
    name: str
    description: str


class _Service(_Closed):
    property: Literal["frequency"]
    value: int
    unit: Literal["day", "week", "month"]


class Contract(_Customised):
    """A feed's contract: its columns, its owner, its mode and how often it comes."""

    api_version: str = Field(alias="apiVersion", pattern=r"^v3\.")
    kind: Literal["DataContract"]
    id: str
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str
    status: Literal["active", "deprecated"]
    domain: str
    description: _Description
    team: _Team
    service: tuple[_Service, ...] = Field(alias="slaProperties", min_length=1, max_length=1)
    tables: tuple[_Table, ...] = Field(alias="schema", min_length=1, max_length=1)

    @model_validator(mode="after")
    def _agree(self) -> "Contract":
        unknown = {item.property for item in self.custom} - {"mode", "extra_columns", "blank_without"}
        if unknown:
            raise ValueError(f"unknown customProperties {sorted(unknown)}")
        if self.mode not in ("snapshot", "events"):
            raise ValueError("customProperties must hold mode: snapshot or events")
        if self.extra_columns not in ("ignore", "note", "refuse"):
            raise ValueError("extra_columns is ignore, note or refuse")
        if not self.key:
            raise ValueError("no primaryKey")
        if not all(column.required for column in self.key):
            raise ValueError("a column of the key must be required")
        names = [column.name for column in self.columns]
        if len(names) != len(set(names)):
            raise ValueError("a column name stands twice")
        if strange := sorted(set(self.blank_without) - set(names)):
            raise ValueError(f"blank_without: there is no column {', '.join(strange)}")
        return self

    @property
    def title(self) -> str:
        """The feed's Chinese name."""
        return self.tables[0].business_name

    @property
    def department(self) -> str:
        return self.team.name

    @property
    def mode(self) -> Literal["snapshot", "events"]:
        return self._custom_value("mode", None)

    @property
    def extra_columns(self) -> Literal["ignore", "note", "refuse"]:
        """What becomes of columns that the contract does not know: kept out, kept out and noted, or a refusal."""
        return self._custom_value("extra_columns", "ignore")

    @property
    def blank_without(self) -> tuple[str, ...]:
        """The columns that a sender fills in on a list he was sent: with none of them filled in, a line is no row."""
        return tuple(self._custom_value("blank_without", ()))

    @property
    def cadence(self) -> str:
        """How often a delivery is due, as a Postgres interval such as ``1 month``."""
        return f"{self.service[0].value} {self.service[0].unit}"

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.tables[0].properties

    @cached_property
    def key(self) -> tuple[Column, ...]:
        keyed = [column for column in self.columns if column.primary_key]
        return tuple(sorted(keyed, key=lambda column: column.primary_key_position or 0))

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)


def normalise_header(header: str) -> str:
    """A header as it is compared: half-width, lower case, without spaces, underscores and a unit in brackets."""
    text = unicodedata.normalize("NFKC", header).lower()
    text = re.sub(r"[\s_\ufeff*'\"]", "", text)
    return re.sub(r"\([^()]*\)$", "", text)


@lru_cache
def _synonyms(folder: Path) -> dict[str, list[str]]:
    return read_yaml(folder / "_synonyms.yml")


def accepted_headers(column: Column, *, folder: Path) -> set[str]:
    """Every normalised header under which ``column`` may come: its own, its name, aliases and synonyms."""
    headers = {column.header, *column.aliases}
    for word, others in _synonyms(folder).items():
        headers |= {header.replace(word, other) for header in set(headers) if word in header for other in others}
    return {normalise_header(header) for header in headers | {column.name}}


def load_contract(path: Path) -> Contract:
    """Read one contract file. Raises ContractError with the file's name and each fault in it."""
    try:
        contract = Contract.model_validate(read_yaml(path))
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not YAML: {error}") from error
    except ValidationError as error:
        raise ContractError(f"{path.name}: {faults_of(error)}") from error
    if contract.name != path.stem:
        raise ContractError(f"{path.name}: its name says {contract.name}")
    return contract


@lru_cache
def load_contracts(folder: Path) -> dict[str, Contract]:
    """All contracts of a folder by feed name, in alphabetical order."""
    paths = sorted(path for path in folder.glob("*.yml") if not path.name.startswith("_"))
    return {path.stem: load_contract(path) for path in paths}
