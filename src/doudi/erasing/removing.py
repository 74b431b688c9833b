"""Everything that is somebody's out of the database, in one transaction; what is others' stays.

First what needs to be understood: registers, refused rows, decisions, warnings. Then every table is searched by the
catalogue, so that one that is added later is not forgotten: of what builds make the rows go, since the next build makes
those anew that are others'; elsewhere something else takes the ID's place.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from doudi.contracts import Contract
from doudi.erasing import places, registers, warnings
from doudi.erasures import refused_rows
from doudi.erasures.leaving_out import ANOTHER_TEXT
from doudi.erasures.record import id_hash, stand_in
from doudi.settings import Settings
from doudi.transform.builds import drop_schemas

_SCHEMAS = "all schemas …"  # of a past date or a trial: dropped, for who looks at them can build them again
_NAMED_IN_DECISION = (
    "citizen_id = any(%(ids)s)",
    "other_id = any(%(ids)s)",
    "exists (select from unnest(%(ids)s::text[]) as id where strpos(reason || reasons::text, id) > 0)",
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom to erase: all citizen IDs that count as theirs, and what identifiers were made of these with ``key``."""

    citizen_ids: tuple[str, ...]
    person_ids: tuple[UUID, ...]
    key: str

    @property
    def id_hashes(self) -> tuple[str, ...]:
        return tuple(id_hash(each, self.key) for each in self.citizen_ids)

    @property
    def stand_ins(self) -> dict[str, str]:
        """What takes the place of each, written with a small x too."""
        forms = ((form, each) for each in self.citizen_ids for form in (each, each.lower()))
        return {form: stand_in(id_hash(each, self.key)) for form, each in forms}


@dataclass(frozen=True, kw_only=True)
class Removed:
    """Rows by place, the deliveries whose files name the person, the warnings that went, the tables that changed."""

    counts: dict[str, int]
    load_ids: tuple[int, ...]
    warning_ids: tuple[str, ...]
    tables: tuple[str, ...]


def remove(
    connection: psycopg.Connection, person: Person, *, contracts: Mapping[str, Contract], settings: Settings
) -> Removed:
    """Take the person out of every table. Runs in the caller's transaction, with the rights of the owner.

    Nothing else may take in deliveries, build or hand out meanwhile.
    """
    counts: Counter[str] = Counter()
    built = connection.execute("select to_regclass('marts.warning') is not null").fetchone()[0]
    known = registers.held(connection, contracts.values(), person.citizen_ids)
    gone: list[str] = []
    if built:
        counts["marts.warning, another of the household named"], gone = warnings.hand_on(connection, person.person_ids)
        counts["marts, facts of others' evidence"] = warnings.strip_facts(connection, known.rows)
    for contract in contracts.values():
        place = f"register.{contract.name}"
        counts[place] = registers.remove_own(connection, contract, person.citizen_ids)
        counts[f"{place}, named in others' rows"] = registers.empty_mentions(connection, contract, person.citizen_ids)
    if registers.VISITS in contracts:
        counts[f"register.{registers.VISITS}"] = registers.remove_visits(connection, gone)
    refused = _clean_refused(connection, person, gone, contracts=contracts, settings=settings)
    counts["ops.quarantine"] = len(refused)
    counts["ops.identity_decision"] = _forget_decisions(connection, person)
    counts["ops.touched_person"] = connection.execute(
        "delete from ops.touched_person where citizen_id = any(%s)", (list(person.citizen_ids),)
    ).rowcount
    counts.update(_everywhere_else(connection, person))
    _drop_landing(connection)
    found = {place: count for place, count in counts.items() if count}
    changed = {place.partition(",")[0] for place in found if "." in place}
    return Removed(
        counts=found,
        load_ids=tuple(sorted(known.load_ids | {load_id for load_id, _ in refused})),
        warning_ids=tuple(gone),
        tables=tuple(sorted(changed | ({"marts.warning", "marts.register_comparison"} if built else set()))),
    )


def _clean_refused(
    connection: psycopg.Connection,
    person: Person,
    warning_ids: list[str],
    *,
    contracts: Mapping[str, Contract],
    settings: Settings,
) -> set[tuple[int, int]]:
    """Refused rows that hold an ID of theirs, that were decided to be theirs, or that tell of a visit to them."""
    cleaned = [
        row
        for load_id in refused_rows.loads_with_text(connection)
        for row in refused_rows.clean(
            connection,
            load_id,
            is_erased=lambda ids: [each for each in ids if each in person.citizen_ids],
            key=person.key,
            contracts=contracts,
            contracts_folder=settings.contracts,
        )
    ]
    theirs = connection.execute(
        """
        select kept.load_id, kept.row_no
        from ops.quarantine as kept
        where
            kept.raw <> '{}'
            and (
                kept.feed = %(visits)s and exists (
                    select from unnest(%(warnings)s::text[]) as gone where strpos(upper(kept.raw::text), gone) > 0
                )
                or exists (
                    select
                    from (
                        select distinct on (subject) load_id, row_no, decision, citizen_id
                        from ops.identity_decision
                        where kind = 'row'
                        order by subject, decision_id desc
                    ) as last
                    where
                        (last.load_id, last.row_no) = (kept.load_id, kept.row_no)
                        and last.decision = 'accept' and last.citizen_id = any(%(ids)s)
                )
            )
        """,
        {"visits": registers.VISITS, "warnings": warning_ids, "ids": list(person.citizen_ids)},
    ).fetchall()
    refused_rows.blank(connection, theirs)
    both = {*cleaned, *theirs}
    with connection.cursor() as cursor:
        cursor.executemany("delete from identity.review where load_id = %s and row_no = %s", list(both))
    return both


def _forget_decisions(connection: psycopg.Connection, person: Person) -> int:
    """Decisions on who is who are only ever added to, and name people by their ID: here alone some of them go.

    One about others that names the person in its reason goes as well.
    """
    theirs = f"from ops.identity_decision where {' or '.join(_NAMED_IN_DECISION)}"
    ids = {"ids": list(person.stand_ins)}
    (count,) = connection.execute(f"select count(*) {theirs}", ids).fetchone()
    if count:
        connection.execute("alter table ops.identity_decision disable trigger identity_decision_stays")
        connection.execute(f"delete {theirs}", ids)
        connection.execute("alter table ops.identity_decision enable trigger identity_decision_stays")
    return count


def _everywhere_else(connection: psycopg.Connection, person: Person) -> Counter[str]:
    """By the catalogue, table by table."""
    counts: Counter[str] = Counter()
    for table in places.tables(connection):
        if table.schema == "landing":
            continue
        wanted = places.Wanted(
            stand_ins=person.stand_ins, person_ids=person.person_ids if table.is_built else ()
        )  # fmt: skip
        found = sql.SQL("from {} where {}").format(table.identifier, table.holds(wanted))
        # Asked first: some tables refuse every change, also of no row.
        (count,) = connection.execute(sql.SQL("select count(*) {}").format(found), wanted.values).fetchone()
        if not count:
            continue
        if table.suffix:
            counts[f"{_SCHEMAS}{table.suffix}"] += count
        elif table.is_built:
            connection.execute(sql.SQL("delete {}").format(found), wanted.values)
            counts[table.full_name] += count
        else:
            _replace(connection, table, wanted)
            counts[f"{table.full_name}, within texts"] += count
    for place in counts:
        if place.startswith(_SCHEMAS):
            drop_schemas(connection, place.removeprefix(_SCHEMAS))
    return counts


def _replace(connection: psycopg.Connection, table: places.Table, wanted: places.Wanted) -> None:
    changes = table.without(wanted)
    if table.schema == "register":
        registers.forget_texts(connection, table.name, table.holds(wanted), wanted.values)
        changes = sql.SQL("{}, {}").format(changes, sql.SQL(ANOTHER_TEXT))
    query = sql.SQL("update {} set {} where {}").format(table.identifier, changes, table.holds(wanted))
    connection.execute(query, wanted.values)


def _drop_landing(connection: psycopg.Connection) -> None:
    """What loads that were cut off have left; they begin anew from the archive."""
    tables = connection.execute("select tablename from pg_tables where schemaname = 'landing'").fetchall()
    for (name,) in tables:
        connection.execute(sql.SQL("drop table {} cascade").format(sql.Identifier("landing", name)))
