"""What is done to a value before it is handed out, as SQL, and which treatment fits which kind of personal data."""

from datetime import date

from psycopg import sql

from doudi.extracts.declaration import Treatment

# "none" and "plain" fit every kind, what is said of a column that tells nothing of a person is one of these two
FITTING: dict[Treatment, frozenset[str]] = {
    "masked": frozenset({"name", "citizen_id", "phone", "card"}),
    "pseudonym": frozenset({"citizen_id", "person_id", "household_id"}),
    "age_band": frozenset({"birth_date", "citizen_id"}),
}

_MASKS = {
    # 张**: two stars whatever the length, and of a name of one character nothing
    "name": "case when length({0}) > 1 then left({0}, 1) else '' end || '**'",
    # 5134**********1234
    "citizen_id": (
        "case when length({0}) = 18 then left({0}, 4) || '**********' || right({0}, 4)"
        " when {0} is not null then '******************' end"
    ),
    # 138****1234
    "phone": (
        "case when length({0}) = 11 then left({0}, 3) || '****' || right({0}, 4) when {0} is not null then '****' end"
    ),
    # ****1234
    "card": "case when length({0}) >= 12 then '****' || right({0}, 4) when {0} is not null then '****' end",
}

# Whole years, by the difference of days written as numbers: born on 29 February, one is older on 1 March.
_AGE = "floor(({day} - {born}) / 10000.0)::integer"
_BORN = {
    "birth_date": "to_char({0}, 'YYYYMMDD')::integer",
    "citizen_id": "case when {0} ~ '^[0-9]{{17}}[0-9X]$' then substr({0}, 7, 8)::integer end",
}
# The ages at which the plan's rules change: school, work, special hardship, the oldest.
_BANDS = (6, 16, 18, 45, 60, 80)


def masked(value: sql.Composable, kind: str) -> sql.Composable:
    """The beginning or the end of a name, citizen ID, phone or card number, with stars for the rest."""
    return sql.SQL(_MASKS[kind]).format(value)


def age_band(value: sql.Composable, kind: str, *, on: date) -> sql.Composable:
    """Such as ``18-44`` or ``80+``: the age on a day, of a birth date or a citizen ID; null where it holds none."""
    born = sql.SQL(_BORN[kind]).format(value)
    age = sql.SQL(_AGE).format(day=sql.Literal(int(f"{on:%Y%m%d}")), born=born)
    starts = (0, *_BANDS)
    names = [f"{start}-{after - 1}" for start, after in zip(starts, _BANDS, strict=False)] + [f"{_BANDS[-1]}+"]
    return sql.SQL("({names}::text[])[nullif(width_bucket({age}, {starts}::integer[]), 0)]").format(
        names=sql.Literal(names), age=age, starts=sql.Literal(list(starts))
    )
