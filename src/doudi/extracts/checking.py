"""What a declaration asks for is held against the mart's contract and the database before a byte is written."""

from doudi.extracts.declaration import Declaration, ExtractColumn
from doudi.extracts.marts import Mart
from doudi.extracts.treatments import FITTING


def check(declaration: Declaration, *, marts: dict[str, Mart], standing: dict[str, str]) -> Mart:
    """The mart that the declaration reads, of which everything that it names is there and may be handed out so.

    ``standing``: the columns of that mart in the database. Raises ExtractError that names the file and the rule.
    """
    mart = marts.get(declaration.source)
    if mart is None:
        raise declaration.fault(f"{declaration.source} has no contract in dbt_project/models/marts")
    _refuse_missing(declaration, set(mart.columns), f"the contract of {mart.name}")
    if not standing:
        raise declaration.fault(f"there is no table {mart.name}")
    _refuse_missing(declaration, set(standing), mart.name)
    for column in declaration.columns:
        _refuse_treatment(declaration, column, mart)
    _refuse_people(declaration, mart, standing)
    if declaration.content == "changes":
        _refuse_key(declaration, mart)
    return mart


def _refuse_missing(declaration: Declaration, there: set[str], where: str) -> None:
    split = declaration.split
    asked = {
        "columns": {column.name for column in declaration.columns},
        "rows": {"division_code" if name == "area" else name for name in declaration.rows},
        "order_by": set(declaration.order_by),
        "split": {name for name in (split.file, split.sheet) if name},
        "people": set(declaration.people),
    }
    for what, names in asked.items():
        if missing := sorted(names - there):
            raise declaration.fault(f"{what}: {where} has no {', '.join(missing)}")


def _refuse_treatment(declaration: Declaration, column: ExtractColumn, mart: Mart) -> None:
    kind = mart.columns[column.name].personal
    if kind and column.treatment is None:
        raise declaration.fault(f"columns: {column.name} is personal ({kind}) and needs a treatment")
    if column.treatment in FITTING and kind not in FITTING[column.treatment]:
        raise declaration.fault(f"columns: {column.treatment} does not fit {column.name} ({kind or 'not personal'})")


def _refuse_people(declaration: Declaration, mart: Mart, standing: dict[str, str]) -> None:
    for name in declaration.people:
        if standing[name] not in ("uuid", "uuid[]"):
            raise declaration.fault(f"people: {name} is no person_id")
    personal = [column.name for column in declaration.handed_out if mart.columns[column.name].personal]
    if personal and not declaration.people:
        raise declaration.fault(f"people: whose {', '.join(personal)} is handed out must be known")


def _refuse_key(declaration: Declaration, mart: Mart) -> None:
    """A row that is gone can be told of only by what the recipient knows it by."""
    telling = {column.name for column in declaration.handed_out if column.treatment in (None, "plain", "pseudonym")}
    if not mart.key:
        raise declaration.fault(f"content: {mart.name} has no primary key to tell changes by")
    if missing := [name for name in mart.key if name not in telling]:
        raise declaration.fault(f"content: changes are told by {', '.join(missing)}, which is not handed out")
