"""Superset's configuration; SUPERSET_CONFIG_PATH names it. It runs in .venv-superset and imports nothing of ours.

Who sees which rows is decided by the database alone. Superset has one connection without account, server or password;
whenever it connects, for a chart, a filter or SQL Lab, the account of the user's own reader is put in. A user who has
no reader, or more than one, gets no connection.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

from superset import config  # which reads this file at its end

_NOTES = json.loads(Path(os.environ["DOUDI_SUPERSET_NOTES"]).read_text(encoding="utf-8"))
_SECONDS_OF_A_QUERY = 60


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="ascii").strip()


class NoReader(Exception):
    """The user may log in and has no rows to see; the message says why."""


def _reader(security_manager, username: str | None) -> dict[str, str]:
    user = security_manager.find_user(username=username) if username else None
    roles = {role.name for role in user.roles} & set(_NOTES["readers"]) if user and user.is_active else set()
    if len(roles) != 1:
        raise NoReader(f"{username or 'nobody'} must have exactly one reader's role, and has {len(roles)}")
    return _NOTES["readers"][roles.pop()]


def DB_CONNECTION_MUTATOR(uri, params, username, security_manager, source):  # noqa: N802
    """The connection that is asked for, with the account of the user's reader; one that is not ours stays as it is."""
    if uri.host != _NOTES["no_address"]:
        return uri, params
    reader, warehouse = _reader(security_manager, username), _NOTES["warehouse"]
    settings = (
        "-c default_transaction_read_only=on",
        f"-c statement_timeout={_SECONDS_OF_A_QUERY}s",
        "-c timezone=Asia/Shanghai",
    )
    params.setdefault("connect_args", {}).update(options=" ".join(settings), application_name="doudi superset")
    return uri.set(
        username=reader["login"],
        password=_secret(reader["password_file"]),
        host=warehouse["host"],
        port=warehouse["port"],
        database=warehouse["database"],
        query=warehouse["query"],
    ), params


SECRET_KEY = _secret(_NOTES["secret_key_file"])
GUEST_TOKEN_JWT_SECRET = SECRET_KEY
SQLALCHEMY_DATABASE_URI = _NOTES["metadata_url"]
if SQLALCHEMY_DATABASE_URI.startswith("sqlite"):
    # one writer at a time: the others wait for it
    SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 30, "check_same_thread": False}}

# A result that is kept would have to be kept apart by reader. None is, and should a cache be configured one day, users
# do not share it.
_NO_CACHE = {"CACHE_TYPE": "NullCache"}
CACHE_CONFIG = DATA_CACHE_CONFIG = _NO_CACHE
FEATURE_FLAGS = {"CACHE_QUERY_BY_USER": True, "ALERT_REPORTS": False, "ENABLE_TEMPLATE_PROCESSING": False}

SQLLAB_TIMEOUT = SUPERSET_WEBSERVER_TIMEOUT = _SECONDS_OF_A_QUERY
PERMANENT_SESSION_LIFETIME = timedelta(hours=8)
APP_NAME = "兜底 Doudi"
# What charts have no setting for: names in two languages take two lines, and a legend has no buttons over its end.
_DRAWN = {"legend": {"selector": False}, "yAxis": {"axisLabel": {"width": 200, "overflow": "break"}}}
THEME_DEFAULT, THEME_DARK = (
    {**theme, "token": {**theme["token"], "brandAppName": APP_NAME, "echartsOptionsOverrides": _DRAWN}}
    for theme in (config.THEME_DEFAULT, config.THEME_DARK)
)
BABEL_DEFAULT_LOCALE = "zh"
LANGUAGES = {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "us", "name": "English"}}
FAB_ADD_SECURITY_API = False
ENABLE_CORS = False
