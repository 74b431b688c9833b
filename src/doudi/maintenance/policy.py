"""retention.yml: how long what is kept."""

import re
from calendar import monthrange
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

import yaml

_FOREVER = "forever"
_DURATION = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_SOME_DAY = datetime(2001, 1, 1)


class RetentionError(Exception):
    """retention.yml cannot be followed, or maintenance is at work already; the message says where and why."""


@dataclass(frozen=True)
class Duration:
    """So many days, weeks, months or years; months end on the last day of shorter ones."""

    count: int
    unit: str

    def before(self, moment: datetime) -> datetime:
        """The moment that lies this long before another."""
        if self.unit in _DAYS:
            return moment - timedelta(days=self.count * _DAYS[self.unit])
        months = moment.year * 12 + moment.month - 1 - self.count * _MONTHS[self.unit]
        year, month = divmod(months, 12)
        return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


Kept = Duration | None  # None: for ever
# Shorter than this is a slip of the pen: what was just taken in would lose what its mending needs.
_LEAST = {
    "archived_deliveries": Duration(1, "year"),
    "closed_quarantine_rows": Duration(1, "month"),
    "check_results": Duration(1, "month"),
    "failures_and_alerts": Duration(1, "month"),
    "airflow_history": Duration(1, "month"),
    "past_day_marts": Duration(1, "day"),
    "build_files": Duration(1, "day"),
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long each kind of thing is kept; retention.yml says of each from when on it counts."""

    archived_deliveries: Kept
    closed_quarantine_rows: Kept
    check_results: Kept
    failures_and_alerts: Kept
    airflow_history: Kept
    past_day_marts: Kept
    build_files: Kept

    def kept(self, name: str) -> str:
        """How long, in words."""
        return str(getattr(self, name) or _FOREVER)

    def cutoff(self, name: str, *, now: datetime) -> datetime | None:
        """What is older than this goes; None where nothing does."""
        duration = getattr(self, name)
        return duration and duration.before(now)


def load_policy(path: Path) -> Policy:
    """Read retention.yml. Raises RetentionError with the file's name and, of each fault, line and key."""
    try:
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise RetentionError(f"there is no {path.name} in the project's folder") from None
    except UnicodeDecodeError:
        raise RetentionError(f"{path.name}: not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RetentionError(f"{path.name}{f', line {mark.line + 1}' if mark else ''}: not YAML") from None
    if not isinstance(document, yaml.MappingNode):
        raise RetentionError(f"{path.name}, line 1: one line for each kind of thing, such as: check_results: 2 years")
    names = [field.name for field in fields(Policy)]
    kept: dict[str, Kept] = {}
    faults: list[str] = []
    for key, value in document.value:
        place = f"line {key.start_mark.line + 1}: {key.value if isinstance(key, yaml.ScalarNode) else 'key'}"
        if key.value not in names:
            faults.append(f"{place}: no such key; there are {', '.join(names)}")
        elif key.value in kept:
            faults.append(f"{place}: is there twice")
        else:
            kept[key.value] = None
            try:
                kept[key.value] = _duration(key.value, value)
            except ValueError as error:
                faults.append(f"{place}: {error}")
    last = document.end_mark.line
    faults += [f"line {last}: {name}: is missing; forever keeps everything" for name in names if name not in kept]
    if faults:
        raise RetentionError(f"{path.name}, {'; '.join(faults)}")
    return Policy(**kept)


def _duration(name: str, node: yaml.Node) -> Kept:
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    if text == _FOREVER:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text or 'this'} is no duration: write 6 months, 2 years or {_FOREVER}")
    duration = Duration(int(match[1]), match[2])
    if duration.count > 100 and duration.unit == "year":
        raise ValueError(f"{duration} is longer than this can count: write {_FOREVER}")
    if duration.before(_SOME_DAY) > _LEAST[name].before(_SOME_DAY):
        raise ValueError(f"{duration} is too short: {_LEAST[name]} at the least")
    return duration
