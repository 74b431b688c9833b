"""access.yml: the readers there are, and what is open to them."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError

from doudi.closed import Closed, faults_of, read_yaml

Kind = Literal["bi", "area", "department"]
Division = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,11}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Opened = Annotated[str, StringConstraints(pattern=r"^(marts|ops)\.[a-z][a-z0-9_]*$")]


class AccessError(Exception):
    """Access is declared or asked for wrongly; the message says where."""


class Relation(Closed):
    """A mart or a view on the ledger, the kinds of readers it is open to, and the columns that tell whose a row is.

    Without an ``area`` it is about no area: areas read every row.
    """

    readers: tuple[Kind, ...]
    area: Name | None = "division_code"
    department: Name = "lead_department"


class Reader(Closed):
    """A role that reads: everything that is open to its kind, within its ``scope``.

    Of BI there is one reader for all, without a scope, and one for each area, which reads what is open to both kinds:
    no names, as BI has none, and no row of elsewhere.
    """

    kind: Kind
    scope: str | None

    @property
    def role(self) -> str:
        return "_".join(filter(None, ("doudi", self.kind, self.scope)))


class Access(Closed):
    """``areas`` by the beginning of their division codes, ``departments`` by their names; each with what people say."""

    areas: dict[Division, str] = Field(default_factory=dict)
    departments: dict[Name, str] = Field(default_factory=dict)
    relations: dict[Opened, Relation]

    @property
    def readers(self) -> tuple[Reader, ...]:
        return (
            Reader(kind="bi", scope=None),
            *(Reader(kind="bi", scope=code) for code in self.areas),
            *(Reader(kind="area", scope=code) for code in self.areas),
            *(Reader(kind="department", scope=name) for name in self.departments),
        )


def load_access(path: Path) -> Access:
    """Read access.yml. Raises AccessError with the file's name and each fault."""
    try:
        return Access.model_validate(read_yaml(path))
    except FileNotFoundError:
        raise AccessError(f"there is no {path.name} in the project's folder") from None
    except ValidationError as error:
        raise AccessError(f"{path.name}: {faults_of(error)}") from None
    except yaml.YAMLError as error:
        raise AccessError(f"{path.name}: {error}") from None
