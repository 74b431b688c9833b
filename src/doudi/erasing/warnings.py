"""What of the history of warnings and comparisons is somebody's: a build keeps it, so it has to be taken out here."""

from collections.abc import Sequence
from uuid import UUID

import psycopg

# Tables with a history, the list of facts in each, and its key.
_FACTS = {"marts.warning": "evidence -> 'facts'", "marts.register_comparison": "facts"}
_SET = {
    "marts.warning": "evidence = jsonb_set(told.evidence, '{facts}', stripped.facts)",
    "marts.register_comparison": "facts = stripped.facts",
}
_KEY = {"marts.warning": ["warning_id"], "marts.register_comparison": ["kind", "person_id", "first_seen_on"]}


def hand_on(connection: psycopg.Connection, person_ids: Sequence[UUID]) -> tuple[int, list[str]]:
    """Give the warnings about households to another member, where there is one.

    The household's time until a visit goes on; the next build says itself who is the head now. Returns how many that
    were, and the numbers of all others, which are the person's own.
    """
    own = connection.execute(
        "select warning_id, scope, household_id from marts.warning where person_id = any(%s)", (list(person_ids),)
    ).fetchall()
    heirs = dict(
        connection.execute(
            """
            select distinct on (household_id) household_id, person_id
            from identity.household_member
            where household_id = any(%s) and person_id <> all(%s)
            order by household_id, is_head desc, person_id
            """,
            ([household_id for _, _, household_id in own], list(person_ids)),
        ).fetchall()
    )
    inherited = {
        warning_id: heirs[household_id]
        for warning_id, scope, household_id in own
        if scope == "H" and household_id in heirs
    }
    for warning_id, heir in inherited.items():
        connection.execute("update marts.warning set person_id = %s where warning_id = %s", (heir, warning_id))
    return len(inherited), [warning_id for warning_id, _, _ in own if warning_id not in inherited]


def strip_facts(connection: psycopg.Connection, rows: Sequence[str]) -> int:
    """Take the facts that were read from ``rows`` (`Held.rows`) out of the evidence; returns of how many."""
    stripped = 0
    for table, facts in _FACTS.items():
        if connection.execute("select to_regclass(%s)", (table,)).fetchone() == (None,):
            continue
        origin = "(fact ->> 'feed') || ' ' || (fact ->> 'load_id') || ' ' || (fact ->> 'row_no')"
        left = f"""
            coalesce((
                select jsonb_agg(fact) from jsonb_array_elements({facts}) as fact
                where coalesce({origin} <> all(%(rows)s), true)
            ), '[]')
        """
        # first beside the table, since Citus computes no list within an update
        connection.execute("drop table if exists stripped")
        connection.execute(
            f"""
            create temporary table stripped on commit drop as
            select {", ".join(_KEY[table])}, {left} as facts
            from {table}
            where exists (select 1 from jsonb_array_elements({facts}) as fact where {origin} = any(%(rows)s))
            """,
            {"rows": list(rows)},
        )
        same = " and ".join(f"told.{name} = stripped.{name}" for name in _KEY[table])
        stripped += connection.execute(f"update {table} as told set {_SET[table]} from stripped where {same}").rowcount
    return stripped
