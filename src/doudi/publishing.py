"""Publishing: one checked delivery into the register's versioned history, all of it or none.

A register holds a row per version of a record, true from one data date up to another. A delivery of day D says what
was true on D; until which day it says so depends on what is known of later days already:

- the normal case is the newest delivery: versions that it contradicts end on D, its own hold from D on;
- one that arrives late is true from D up to the next delivery that covers the record, and what was known of the time
  after that stays;
- one that corrects another of the same day takes its place.

Whatever the order in which deliveries arrive, the register ends the same. Unchanged records cost no row.
"""

from dataclasses import dataclass

import psycopg

from doudi.checking import sound_rows
from doudi.column_rules import as_text
from doudi.contracts import Contract
from doudi.landing import LoadTables
from doudi.typed_rows import RowTyping, register_knows
from doudi.warehouse import distribution
from doudi.warehouse.bulk import bulk_changed, bulk_filled, remove


@dataclass(frozen=True, kw_only=True)
class Published:
    """What became of the sound rows of a delivery, and how many records ended by not being in it."""

    rows_published: int
    rows_unchanged: int
    rows_ended: int


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The place in time that a delivery takes: its feed's area and day, and whether others came before it.

    ``partial``: it is no whole list but some rows of one, replayed from quarantine, so no record ends by its absence.
    """

    load_id: int
    area_code: str
    data_date: str
    sequence: int
    late: bool
    same_day: bool
    partial: bool


def find_slot(connection: psycopg.Connection, *, contract: Contract, load_id: int) -> Slot | None:
    """The delivery's slot; None where a later delivery of the same list and day has been published already."""
    row = connection.execute(
        """
        with this as (select * from ops.load where load_id = %(load_id)s),

        overlapping as (
            select other.*
            from ops.load as other
            inner join this on other.feed = this.feed and other.status = 'published'
            where starts_with(other.area_code, left(this.area_code, 6))
                or starts_with(this.area_code, left(other.area_code, 6))
        )

        select
            this.area_code, this.data_date::text, this.sequence, this.replays_load_id is not null as partial,
            exists (select from overlapping where data_date > this.data_date) as late,
            exists (select from overlapping where data_date = this.data_date) as same_day,
            exists (
                select from overlapping
                where data_date = this.data_date and area_code = this.area_code and sequence > this.sequence
            ) as superseded
        from this
        """,
        {"load_id": load_id},
    ).fetchone()
    area_code, data_date, sequence, partial, late, same_day, superseded = row
    if superseded and contract.mode == "snapshot":
        return None
    return Slot(
        load_id=load_id, area_code=area_code, data_date=data_date, sequence=sequence,
        late=late, same_day=same_day, partial=partial,
    )  # fmt: skip


def is_first(connection: psycopg.Connection, *, contract: Contract, slot: Slot) -> bool:
    """Whether nothing is known of the delivery's county: its rows go in as they are, and no key may come twice."""
    return not slot.late and not register_knows(connection, contract=contract, area_code=slot.area_code)


def publish(connection: psycopg.Connection, *, contract: Contract, typing: RowTyping, slot: Slot) -> Published:
    """Write the sound rows of a delivery into the register. Runs in the caller's transaction.

    Raises UniqueViolation for a first delivery in which a key comes twice.
    """
    tables = typing.tables
    place = {"area": slot.area_code, "day": slot.data_date, "load": slot.load_id, "sequence": slot.sequence}

    def run(query: str) -> psycopg.Cursor:
        return connection.execute(query, place)

    if is_first(connection, contract=contract, slot=slot):
        with bulk_filled(connection, table=f"register.{contract.name}"):
            rows = run(_insert_all(contract, tables)).rowcount
        run("insert into ops.touched_person (load_id) values (%(load)s)")
        return Published(rows_published=rows, rows_unchanged=0, rows_ended=0)
    history = _history(connection, contract, slot) if slot.late else ""
    run(f"create temporary table compared on commit drop as {_compared(contract, typing, slot, history)}")
    if contract.mode == "snapshot" and not (slot.late or slot.partial):
        _renew_other_texts(connection, contract, typing, slot)
    run("create temporary table change on commit drop as select * from compared where not same")
    if contract.mode == "snapshot" and not slot.partial:
        run(_keep_what_was_refused(contract, tables))
    run("analyze change")
    on_cluster = distribution.is_distributed(connection)
    if not on_cluster:  # there every build computes everybody
        run(_HAND_ON_TOUCHED)
    sound, published, ended = run(
        f"""
        select
            (select count(*) from {sound_rows(tables)} as sound),
            count(*) filter (where _row_no is not null),
            count(*) filter (where _row_no is null)
        from change
        """
    ).fetchone()
    changed = 0 if on_cluster else published + ended
    with bulk_changed(connection, table=f"register.{contract.name}", rows=changed):
        if slot.late:
            run(_keep_what_follows(contract, history))
        run(_remove_same_day(contract))
        run(_end_standing(contract))
        run(_insert_versions(contract, tables))
    if slot.late or slot.same_day:
        join_equal_neighbours(connection, contract)
    return Published(rows_published=published, rows_unchanged=typing.known + sound - published, rows_ended=ended)


def _key_names(contract: Contract) -> list[str]:
    return ["_county_code", *(column.name for column in contract.key)]


def _key(contract: Contract) -> str:
    return ", ".join(_key_names(contract))


def _same_record(contract: Contract, left: str, right: str) -> str:
    return " and ".join(f"{left}.{name} = {right}.{name}" for name in _key_names(contract))


def _history(connection: psycopg.Connection, contract: Contract, slot: Slot) -> str:
    """A query of what the register says of all days, of the county or counties of the delivery."""
    county = as_text(slot.area_code[:6])
    versions = f"select * from register.{contract.name} where starts_with(_county_code, {county})"
    return distribution.at_hand(connection, versions, table="history")


def _compared(contract: Contract, typing: RowTyping, slot: Slot, history: str) -> str:
    """The records of which the delivery and the register do not say to the letter the same on its day.

    ``same``: the values are the same though the text is another, ``row_hash`` and no longer ``standing_hash``. Of the
    others ``citizen_ids`` are all whom the old words or the new ones name. ``_row_no`` is null for one that ended,
    ``standing_from`` for one that was not there; ``until`` is the day up to which the delivery's word holds. What is
    known by its text, nearly everything, stays out: so only the rest is compared by key, which is long and of text.
    """
    whole_list = contract.mode == "snapshot" and not slot.partial
    until = _until(contract, history) if slot.late else "date 'infinity'"
    corrected_already = (
        "and not (standing._valid_from = %(day)s and exists ("
        "select from ops.load as other where other.load_id = standing._load_id and other.sequence > %(sequence)s))"
        if slot.same_day and contract.mode == "events"
        else ""
    )
    ended = "or (sound._row_no is null and starts_with(standing._area_code, %(area)s))" if whole_list else ""
    names = [column.name for column in contract.columns]
    values = {side: ", ".join(f"{side}.{name}" for name in names) for side in ("sound", "standing")}
    ids = [f"{side}.{c.name}" for c in contract.columns if c.type == "id" for side in ("sound", "standing")]
    # `offset` keeps `same` from being computed at each place that reads it; it is quoted as in typed_rows.
    return f"""
        with sound as (select * from {sound_rows(typing.tables)} as sound_row),

        standing as (
            select *, {_name(contract)} as person_name from ({typing.standing_unknown}) as version
        ),

        compared as (
            select
                {_key(contract)},
                coalesce(sound._area_code, standing._area_code) as _area_code,
                standing._valid_from as standing_from,
                standing._valid_to as standing_to,
                standing._row_hash as standing_hash,
                standing.person_name,
                sound._row_no,
                sound._row_hash as row_hash,
                standing._valid_from is not null and sound._row_no is not null
                and ({values["sound"]}) is not distinct from ({values["standing"]}) as same,
                array[{", ".join(ids)}]::text[] as citizen_ids
            from sound
            {"full" if whole_list else "left"} join standing using ({_key(contract)})
            where (sound._row_no is not null {corrected_already}) {ended}
            offset '0'
        )

        select
            {_key(contract)}, _area_code, standing_from, standing_to, standing_hash, person_name,
            _row_no, row_hash, same,
            case when not same then citizen_ids end as citizen_ids,
            {until} as until
        from compared
    """


def _until(contract: Contract, history: str) -> str:
    next_version = f"""(
        select min(later._valid_from) from ({history}) as later
        where {_same_record(contract, "later", "compared")} and later._valid_from > %(day)s
    )"""
    next_list = f"""(
        select min(later.data_date) from ops.load as later
        where later.feed = '{contract.name}' and later.status = 'published' and later.data_date > %(day)s
            and starts_with(compared._area_code, later.area_code)
    )"""
    known = f"coalesce(compared.standing_to, {next_version}, 'infinity')"
    return f"least({known}, {next_list})" if contract.mode == "snapshot" else known


def _name(contract: Contract) -> str:
    return next((name for name in ("name", "head_name") if contract.has(name)), "null::text")


def _renew_other_texts(connection: psycopg.Connection, contract: Contract, typing: RowTyping, slot: Slot) -> None:
    """What is the same in other words, or by other rules, is known by these too from now on.

    Noted beside the register: to write these versions anew, with their indexes, took longer than all the rest. Texts of
    a form that the department has left are forgotten, and those that mean something else from now on.
    """
    table = f"other_text.{contract.name}"
    of_county = f"starts_with(county_code, {as_text(slot.area_code[:6])})"
    note = f"""
        insert into {table} (county_code, row_hash, known_as)
        select _county_code, row_hash, standing_hash from compared where same and row_hash <> standing_hash
    """
    if typing.known:
        connection.execute(
            f"delete from {table} where {of_county} and row_hash in (select row_hash from compared where same)"
        )
        connection.execute(note)
    else:
        remove(connection, table=table, where=of_county)
        with bulk_filled(connection, table=table):
            connection.execute(note)


def _keep_what_was_refused(contract: Contract, tables: LoadTables) -> str:
    """A record that a refused row or line of the delivery is about does not end.

    A key column that could not be read is replaced by the name; of a line that is no record, its text must hold one
    of the key's values.
    """
    unread = {c.name: f'refused._faults @> \'[{{"column": "{c.name}"}}]\'' for c in contract.key}
    same_key = " and ".join(f"({unread[name]} or refused.{name} = change.{name})" for name in unread)
    all_read = " and ".join(f"not coalesce({condition}, false)" for condition in unread.values())
    in_line = " or ".join(f"strpos(line.raw ->> '_line', change.{column.name}) > 0" for column in contract.key)
    return f"""
        -- first, or the planner, who does not know how few they are, looks through the whole list for each that ended
        with refused as materialized (
            select typed.* from {tables.faults} as fault inner join {tables.typed} as typed using (_row_no)
        )

        delete from change
        where _row_no is null and (
            exists (
                select from refused
                where refused._county_code = change._county_code and {same_key}
                    and (({all_read}) or refused.{_name(contract)} = change.person_name)
            )
            or exists (select from {tables.lines} as line where {in_line})
        )
    """


def _column_names(contract: Contract) -> list[str]:
    """A version's columns but for the days between which it holds."""
    names = (column.name for column in contract.columns)
    return ["_county_code", *names, "_area_code", "_row_hash", "_load_id", "_row_no"]


# Everybody whom a record names that changes, in its old words or its new ones: the next build computes them.
_HAND_ON_TOUCHED = """
    insert into ops.touched_person (load_id, citizen_id)
    select distinct %(load)s, named.citizen_id
    from change cross join lateral unnest(change.citizen_ids) as named (citizen_id)
    where named.citizen_id is not null
"""


def _keep_what_follows(contract: Contract, history: str) -> str:
    """What was known from the next list on stays true when a late list contradicts the time before."""
    standing = ", ".join(f"standing.{name}" for name in _column_names(contract))
    return f"""
        insert into register.{contract.name} ({", ".join(_column_names(contract))}, _valid_from, _valid_to)
        select {standing}, change.until, change.standing_to
        from change
        inner join ({history}) as standing
            on {_same_record(contract, "standing", "change")} and standing._valid_from = change.standing_from
        where change.until < change.standing_to
    """


def _remove_same_day(contract: Contract) -> str:
    return f"""
        delete from register.{contract.name} as standing
        using change
        where {_same_record(contract, "standing", "change")}
            and standing._valid_from = change.standing_from and change.standing_from = %(day)s
    """


def _end_standing(contract: Contract) -> str:
    return f"""
        update register.{contract.name} as standing
        set _valid_to = %(day)s
        from change
        where {_same_record(contract, "standing", "change")}
            and standing._valid_from = change.standing_from and change.standing_from < %(day)s
    """


def _insert_versions(contract: Contract, tables: LoadTables) -> str:
    own = {"_load_id": "%(load)s"}
    values = ", ".join(own.get(name, f"typed.{name}") for name in _column_names(contract))
    return f"""
        insert into register.{contract.name} ({", ".join(_column_names(contract))}, _valid_from, _valid_to)
        select {values}, %(day)s, change.until
        from change
        inner join {tables.typed} as typed using (_row_no)
    """


def _insert_all(contract: Contract, tables: LoadTables) -> str:
    own = {"_load_id": "%(load)s"}
    values = ", ".join(own.get(name, f"sound.{name}") for name in _column_names(contract))
    return f"""
        insert into register.{contract.name} ({", ".join(_column_names(contract))}, _valid_from, _valid_to)
        select {values}, %(day)s, 'infinity' from {sound_rows(tables)} as sound
    """


def join_equal_neighbours(connection: psycopg.Connection, contract: Contract) -> None:
    """One version where two with the same values meet, so that the order of arrival leaves no trace.

    Of the records whose keys are in the table ``change``. Runs in the caller's transaction.
    """
    register, key = f"register.{contract.name}", _key(contract)
    values = f"row({', '.join(column.name for column in contract.columns)})"
    touched = distribution.at_hand(
        connection, f"select * from {register} where ({key}) in (select {key} from change)", table="touched"
    )
    connection.execute("drop table if exists whole")
    connection.execute(
        f"""
        create temporary table whole on commit drop as
        with version as (
            select
                {key}, _valid_from, _valid_to,
                lag(_valid_to) over record is distinct from _valid_from
                or lag({values}) over record is distinct from {values} as begins
            from ({touched}) as version
            window record as (partition by {key} order by _valid_from)
        ),

        stretch as (
            select *, count(*) filter (where begins) over (partition by {key} order by _valid_from) as stretch_no
            from version
        )

        select {key}, min(_valid_from) as first_from, max(_valid_to) as last_to
        from stretch group by {key}, stretch_no having count(*) > 1
        """
    )
    connection.execute(
        f"""
        delete from {register} as version
        using whole
        where {_same_record(contract, "version", "whole")}
            and version._valid_from > whole.first_from and version._valid_from < whole.last_to
        """
    )
    connection.execute(
        f"""
        update {register} as version
        set _valid_to = whole.last_to
        from whole
        where {_same_record(contract, "version", "whole")} and version._valid_from = whole.first_from
        """
    )
