"""The suites of ``expectations/`` as frozen models: what is checked of a feed's content, beyond its contract.

An expectation is one of Great Expectations' own, by its type and keyword arguments; ``columns`` repeats it for each
column, and ``derived`` names SQL expressions that are tested as if they were columns. What several feeds share is
written once, in ``_shared.yml``; a suite's entry names the rule and adds what the shared one leaves open.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from doudi.closed import Closed, faults_of, read_yaml
from doudi.contracts import Contract

ROWS_BY_QUERY = "unexpected_rows_expectation"
_BY_ROW = ("expect_column_values_", ROWS_BY_QUERY)

# What a suite may ask about the delivery, as {$PARAMETER: <name>} and, by _<name>, in a derived expression: the day it
# is true for; of the sender's last one its sound rows, its day, the day that one was due after it by the contract's
# cadence, and whether its file was the same (1) or not (0). All but the first are None where there was none.
PARAMETER_NAMES = frozenset({"data_date", "last_rows", "last_data_date", "due_on", "same_file"})
Parameters = Mapping[str, int | date | None]

# Beside these: what the same rule observed of the same column in the sender's last delivery, by rule and column name.
LAST_OBSERVED = "last_observed"
Observed = Mapping[tuple[str, str | None], float]


class SuiteError(Exception):
    """A suite is wrong or could not be judged; the message names feed and rule, and never holds a row's values."""


class Reason(Closed):
    """What is said of a row or a delivery that fails, one clause per language, without values."""

    en: str
    zh: str


class Expectation(Closed):
    """One rule of a suite.

    ``severity`` stop refuses each failing row, warn counts it. ``reported_as`` is the contract's column that the
    sender is pointed to where a derived one is tested. ``requires`` is a relation without which the rule is skipped.
    ``from_rows``: of fewer rows a figure such as a mean is neither compared nor told, since it says little of the
    delivery and too much of a person.
    """

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    severity: Literal["stop", "warn"]
    type: str = Field(pattern=rf"^(expect_[a-z_]+|{ROWS_BY_QUERY})$")
    columns: tuple[str, ...] = ()
    kwargs: dict[str, Any] = Field(default_factory=dict)
    reported_as: str | None = None
    requires: str | None = Field(default=None, pattern=r"^[a-z_]+\.[a-z_]+$")
    from_rows: int = Field(default=0, ge=0)
    reason: Reason

    @model_validator(mode="after")
    def _agree(self) -> "Expectation":
        if "column" in self.kwargs:
            raise ValueError(f"rule {self.rule}: a column belongs under columns, not under kwargs")
        if self.severity == "stop" and not (self.columns or self.type == ROWS_BY_QUERY):
            raise ValueError(f"rule {self.rule}: only what is judged row by row can stop a row")
        unknown = self.parameters - PARAMETER_NAMES - {LAST_OBSERVED}
        if unknown:
            raise ValueError(f"rule {self.rule}: unknown parameters {sorted(unknown)}")
        if self.by_row and (self.from_rows or LAST_OBSERVED in self.parameters):
            raise ValueError(f"rule {self.rule}: from_rows and {LAST_OBSERVED} belong to figures of the whole delivery")
        return self

    @property
    def by_row(self) -> bool:
        """Whether it judges each row; else it judges one figure of the delivery."""
        return self.type.startswith(_BY_ROW)

    @property
    def parameters(self) -> set[str]:
        """The names in its ``{$PARAMETER: <arithmetic>}`` arguments."""
        return {name for value in self.kwargs.values() for name in parameters_in(value)}


def parameters_in(value: object) -> set[str]:
    """The names in one argument of an expectation."""
    return set(re.findall(r"[a-z_]+", str(value["$PARAMETER"]))) if isinstance(value, dict) else set()


class Suite(Closed):
    """All rules of a feed.

    ``derived`` maps a name to a SQL expression over the typed columns and the parameters, such as ``_data_date``.
    Where more than ``max_refused_share`` (0 to 1) of a delivery's rows are refused, by whatever rule, the delivery is
    refused as a whole, unless it has fewer rows than ``refused_share_from_rows``.
    """

    feed: str
    max_refused_share: float = Field(default=1, ge=0, le=1)
    refused_share_from_rows: int = Field(default=0, ge=0)
    derived: dict[str, str] = Field(default_factory=dict)
    expectations: tuple[Expectation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _agree(self) -> "Suite":
        tested = [(check.expectation.rule, check.column) for check in self.checks]
        if len(tested) != len(set(tested)):
            raise ValueError("a rule tests a column twice")
        observing = [each for each in self.checks if LAST_OBSERVED in each.expectation.parameters]
        if len({(each.expectation.rule, each.expectation.reported_as or each.column) for each in observing}) < len(
            observing
        ):
            raise ValueError(f"{LAST_OBSERVED}: a rule is reported at a column twice, so its last figure is ambiguous")
        unused = self.derived.keys() - {column for _, column in tested}
        if unused:
            raise ValueError(f"derived, but tested by no rule: {sorted(unused)}")
        for name in self.derived:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"derived {name}: a name is written in lower case with underscores")
        if "%" in f"{self.derived} {[each.kwargs for each in self.expectations]}":
            raise ValueError("a % would be taken for a placeholder where the failing rows are selected: write mod()")
        return self

    @property
    def checks(self) -> tuple["Check", ...]:
        return tuple(
            Check(expectation=each, column=column) for each in self.expectations for column in each.columns or (None,)
        )

    @property
    def asks_for_rows(self) -> bool:
        """Whether a query of its own selects rows, which may name them by ``_row_no``."""
        return any(each.type == ROWS_BY_QUERY for each in self.expectations)

    def refuses(self, *, refused: int, rows: int) -> bool:
        """Whether a delivery of ``rows`` rows is refused as a whole where ``refused`` of them are."""
        return rows >= self.refused_share_from_rows and refused > self.max_refused_share * rows

    def parameters_of(self, check: "Check") -> set[str]:
        """The names without which ``check`` cannot be judged: in its arguments, and in what its column derives from."""
        named = re.findall(r"\b_([a-z_]+)\b", self.derived.get(check.column or "", ""))
        return (check.expectation.parameters | set(named)) & PARAMETER_NAMES


@dataclass(frozen=True, kw_only=True)
class Check:
    """One expectation on one column, or on the delivery as a whole where ``column`` is None."""

    expectation: Expectation
    column: str | None


def check_against_contract(suite: Suite, contract: Contract) -> None:
    """Raise SuiteError where the suite tests or reports a column that the contract does not have."""
    if suite.feed != contract.name:
        raise SuiteError(f"suite {suite.feed} cannot judge feed {contract.name}")
    shadowed = sorted(name for name in suite.derived if contract.has(name))
    if shadowed:
        raise SuiteError(f"suite {suite.feed}: derived hides columns of the contract: {', '.join(shadowed)}")
    for each in suite.expectations:
        place = f"suite {suite.feed}, rule {each.rule}"
        unknown = [name for name in each.columns if name not in suite.derived and not contract.has(name)]
        if unknown:
            raise SuiteError(f"{place}: neither in the contract nor derived: {', '.join(unknown)}")
        if each.by_row and any(name in suite.derived for name in each.columns) and not each.reported_as:
            raise SuiteError(f"{place}: tests a derived column, so reported_as must name one of the contract")
        if each.reported_as and not contract.has(each.reported_as):
            raise SuiteError(f"{place}: reported_as {each.reported_as} is no column of the contract")


class _Shared(Closed):
    max_refused_share: float = 1
    refused_share_from_rows: int = 0
    derived: dict[str, str] = Field(default_factory=dict)
    rules: dict[str, dict[str, Any]]


@lru_cache
def load_suite(path: Path) -> Suite:
    """Read one suite; the file's name is the feed's. Raises SuiteError with the file's name and each fault in it."""
    own = _read(path)
    try:
        shared = _Shared.model_validate(_read(path.with_name("_shared.yml")))
        entries = [_completed(entry, shared.rules) for entry in own.pop("expectations", [])]
        tested = {column for entry in entries for column in entry.get("columns", ())}
        derived = {name: text for name, text in shared.derived.items() if name in tested} | own.pop("derived", {})
        limits = shared.model_dump(include={"max_refused_share", "refused_share_from_rows"})
        return Suite.model_validate({"feed": path.stem, **limits, "derived": derived, "expectations": entries, **own})
    except ValidationError as error:
        raise SuiteError(f"{path.name}: {faults_of(error)}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise SuiteError(f"{path.name}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path)
    except FileNotFoundError as error:
        raise SuiteError(f"{path.name}: there is no such suite") from error
    except yaml.YAMLError as error:
        raise SuiteError(f"{path.name}: not YAML: {error}") from error


def _completed(entry: dict[str, Any], shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The entry with what the shared rule of its name says; it may add to that, and not contradict it."""
    common = shared.get(entry.get("rule", ""), {})
    repeated = sorted(common.keys() & entry.keys())
    if repeated:
        raise ValueError(f"rule {entry['rule']}: {', '.join(repeated)} is settled in _shared.yml")
    return common | entry
