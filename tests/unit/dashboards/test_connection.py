"""With which account Superset connects: the user's own reader's, and with none where that is not certain."""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import urlsplit

import pytest

from doudi.access import load_access
from doudi.dashboards import accounts, installation
from doudi.dashboards.bundle import NO_ADDRESS
from doudi.settings import load_settings

CONFIG = Path(installation.__file__).parent / "inside" / "superset_config.py"


@dataclass(frozen=True)
class Address:
    """What of SQLAlchemy's URL is used."""

    host: str
    username: str = "reader"
    password: str | None = None
    port: int | None = None
    database: str = "doudi"
    query: object = None

    def set(self, **parts: object) -> "Address":
        return Address(**(self.__dict__ | parts))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("bi", "county"):
        (tmp_path / name).write_text(f"password of {name}\n")
    (tmp_path / "secret").write_text("secret\n")
    notes = {
        "secret_key_file": str(tmp_path / "secret"),
        "metadata_url": "sqlite:///superset.db",
        "no_address": NO_ADDRESS,
        "warehouse": {"host": "db", "port": 5433, "database": "warehouse", "query": {"sslmode": "require"}},
        "readers": {
            "doudi_bi": {"login": "superset_bi", "password_file": str(tmp_path / "bi")},
            "doudi_bi_513431": {"login": "superset_bi_513431", "password_file": str(tmp_path / "county")},
        },
    }
    (tmp_path / "notes.json").write_text(json.dumps(notes))
    monkeypatch.setenv("DOUDI_SUPERSET_NOTES", str(tmp_path / "notes.json"))
    theme = {"token": {}}  # Superset, which the configuration takes it from, is in another environment
    own = SimpleNamespace(config=SimpleNamespace(THEME_DEFAULT=theme, THEME_DARK=theme))
    monkeypatch.setitem(sys.modules, "superset", own)
    specification = importlib.util.spec_from_file_location("superset_config", CONFIG)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def connect(config: ModuleType) -> Callable[..., tuple[Address, dict]]:
    def connect(*roles: str, host: str = NO_ADDRESS, user: str | None = "somebody", active: bool = True):
        found = SimpleNamespace(is_active=active, roles=[SimpleNamespace(name=role) for role in roles])
        manager = SimpleNamespace(find_user=lambda username: found if username == "somebody" else None)
        return config.DB_CONNECTION_MUTATOR(Address(host), {}, user, manager, None)

    return connect


def test_a_user_connects_with_the_account_of_their_reader_and_can_only_read(connect: Callable) -> None:
    address, parameters = connect("Gamma", "sql_lab", "doudi_bi_513431")
    assert address == Address(
        "db", "superset_bi_513431", "password of county", 5433, "warehouse", {"sslmode": "require"}
    )
    assert "default_transaction_read_only=on" in parameters["connect_args"]["options"]


@pytest.mark.parametrize(
    "given",
    [
        {"roles": ("Gamma",)},
        {"roles": ("Admin",)},
        {"roles": ("doudi_bi", "doudi_bi_513431")},
        {"roles": ("doudi_bi_513401",)},  # declared no more
        {"roles": ("doudi_bi",), "active": False},
        {"roles": ("doudi_bi",), "user": "stranger"},
        {"roles": ("doudi_bi",), "user": None},
    ],
    ids=str,
)
def test_whoever_has_not_exactly_one_reader_gets_no_connection(
    config: ModuleType, connect: Callable, given: dict
) -> None:
    roles = given.pop("roles")
    with pytest.raises(config.NoReader):
        connect(*roles, **given)


def test_a_connection_that_is_not_to_the_warehouse_stays_as_it_is(connect: Callable) -> None:
    assert connect("Admin", host="elsewhere") == (Address("elsewhere"), {})


def test_results_are_kept_nowhere(config: ModuleType) -> None:
    assert config.CACHE_CONFIG["CACHE_TYPE"] == config.DATA_CACHE_CONFIG["CACHE_TYPE"] == "NullCache"
    assert config.FEATURE_FLAGS["CACHE_QUERY_BY_USER"]


def test_every_area_of_access_yml_has_its_own_account_and_no_account_two_roles(tmp_path: Path) -> None:
    access = load_access(load_settings().access)
    made = accounts.accounts(access, keys=tmp_path)
    assert [account.role for account in made] == ["doudi_bi", *(f"doudi_bi_{code}" for code in access.areas)]
    assert len({account.login for account in made}) == len(made)


def test_superset_is_not_told_the_account_of_the_warehouse() -> None:
    url = "postgresql://doudi:the-password@127.0.0.1:5433/doudi?sslmode=require"
    told = accounts.address(url)
    assert told == {"host": "127.0.0.1", "port": 5433, "database": "doudi", "query": {"sslmode": "require"}}
    assert urlsplit(url).password not in json.dumps(told)
