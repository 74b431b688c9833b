"""Landed text becomes typed rows, each with what the contract finds wrong with it, in one scan.

A row whose text, to the letter, is what a record standing in the register came from is known: it is neither typed nor
judged by the contract again, for the record has its values and had no fault. Of a list that comes every month this is
nearly every row. A list in another form, of which every row says what is known in other words, is read in full once;
its texts are noted beside the register (schema other_text), and the list of the next month is known by them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import psycopg

from doudi.column_rules import as_json, as_text, column_faults, reading, rules_hash
from doudi.contracts import Contract
from doudi.landing import SEPARATOR, UNWATCHED, Landed, LoadTables
from doudi.rules import reason
from doudi.warehouse import distribution

_SAMPLE_ROWS = 1000


@dataclass(kw_only=True)
class RowTyping:
    """The typing of one delivery's rows; ``known`` of them were known by their text, and stand in the register.

    ``tables.typed`` holds the others, typed, with ``_row_hash`` and ``_faults``; ``tables.judged`` shows all of them, a
    known row without its ``_row_no``. A value that is there and cannot be read as its type is null in ``typed`` and
    named in ``_faults``. ``_row_hash`` is that of the row's text and of the rules by which it was read.
    """

    connection: psycopg.Connection
    contract: Contract
    landed: Landed
    tables: LoadTables
    area_code: str
    data_date: date
    known: int = 0

    def run(self) -> None:
        """Fill ``tables.typed`` and ``tables.faults``; commits."""
        connection, tables = self.connection, self.tables
        if self._comparable():
            self.known = self._set_apart()
        apart = f"inner join {tables.apart} as apart using (_row_no)" if self.known else ""
        connection.execute(f"create unlogged table {tables.typed} {UNWATCHED} as {self._query(apart)}")
        connection.execute(
            f"""
            create unlogged table {tables.faults} {UNWATCHED} as
            select typed._row_no, fault.position::integer as position, fault.content ->> 'column' as column_name,
                fault.content ->> 'rule' as rule, fault.content ->> 'reason' as reason
            from {tables.typed} as typed
            cross join lateral jsonb_array_elements(typed._faults) with ordinality as fault (content, position)
            where typed._faults is not null
            """
        )
        self._analyze()
        self._show_all()
        connection.commit()

    def complete(self) -> None:
        """Type the known rows too, since one of them is to be refused for what the contract does not know of."""
        if not self.known:
            return
        others = f"where not exists (select from {self.tables.typed} as typed where typed._row_no = landed._row_no)"
        self.connection.execute(f"insert into {self.tables.typed} {self._query(others)}")
        self._analyze()
        self.known = 0
        self._show_all()
        self.connection.commit()

    def refuse(self, rows: str, values: Mapping[str, object], *, column: str, rule: str, position: int) -> None:
        """Give the typed rows whose ``_row_no`` the query ``rows`` selects one more fault, before those they have.

        ``position`` is its place among a row's faults, of which the first one is that by which the row is refused.
        """
        said = reason(rule, header=self.contract.column(column).header, column=column)
        fault = {"column": column, "rule": rule, "reason": said}
        given = {**values, **{f"_{name}": value for name, value in fault.items()}}
        self.connection.execute(
            f"""
            insert into {self.tables.faults}
            select _row_no, {position}, %(_column)s, %(_rule)s, %(_reason)s from ({rows}) as refused
            """,
            given,
        )
        self.connection.execute(
            f"""
            update {self.tables.typed} set _faults = jsonb_build_array(%(_fault)s::jsonb) || coalesce(_faults, '[]')
            where _row_no in ({rows})
            """,
            {**values, "_fault": json.dumps(fault)},
        )

    def _comparable(self) -> bool:
        """Whether rows may be known: of events few are sent again, and what a cell's text hides is not in its hash."""
        if self.contract.mode != "snapshot" or self.landed.holds_separator:
            return False
        (damaged,) = self.connection.execute(f"select exists (select from {self.tables.cells})").fetchone()
        return (
            not damaged
            and register_knows(self.connection, contract=self.contract, area_code=self.area_code)
            and self._some_known()
        )

    def _some_known(self) -> bool:
        """Whether any of a sample of the rows is known: in another form none is, and it takes long to compare all.

        A tenth of what stands tells: where few of the rows are known, little is lost by typing them too.
        """
        every = max(self.landed.rows_read // _SAMPLE_ROWS, 1)
        sample = f"select _row_hash from ({self._texts(f'where _row_no % {every} = 0')}) as sample"
        others = other_texts(self.contract, area_code=self.area_code)
        few = max(self.landed.rows_read // 10, _SAMPLE_ROWS)
        some = f"select _row_hash from ({self.standing}) as standing limit {few}"
        # Not joined but looked up in a hash table of the sample (that is what `is true` does), until one is found.
        (known,) = self.connection.execute(
            f"""
            select exists (select 1 from {others} as other where (row_hash in ({sample})) is true)
                or exists (select 1 from ({some}) as standing where (_row_hash in ({sample})) is true)
            """
        ).fetchone()
        return known

    def _set_apart(self) -> int:
        """Set the rows and the standing records that have no equal apart; returns the number of known rows.

        0 where a known row came twice, since the second is to be refused.
        """
        self.connection.execute(
            f"""
            create unlogged table {self.tables.apart} {UNWATCHED} as
            select landed._row_no, standing._row_hash, standing._county_code
            from (
                select landed._row_no, coalesce(other.known_as, landed._row_hash) as _row_hash
                from ({self._texts("")}) as landed
                left join {other_texts(self.contract, area_code=self.area_code)} as other
                    on landed._row_hash = other.row_hash
            ) as landed
            full join (
                select _row_hash, _county_code,
                    case when _county_code = left({self._area}, 6) then _row_hash end as as_filed
                from ({self.standing}) as standing
            ) as standing on landed._row_hash = standing.as_filed
            where landed._row_no is null or standing._row_hash is null
            """
        )
        self.connection.execute(f"analyze {self.tables.apart}")
        self.connection.execute(
            f"""
            create unlogged table {self.tables.gone} {UNWATCHED} as
            select standing.* from ({self.standing}) as standing
            inner join ({self._apart_standing}) as apart using (_row_hash, _county_code)
            """
        )
        self.connection.execute(f"analyze {self.tables.gone}")
        new, gone, stood = self.connection.execute(
            f"""
            select count(_row_no), count(_row_hash), (select count(*) from ({self.standing}) as standing)
            from {self.tables.apart}
            """
        ).fetchone()
        known = self.landed.rows_read - self.landed.lines_set_aside - new
        return known if known == stood - gone else 0

    @cached_property
    def standing(self) -> str:
        """A query of the versions that stand in the register on the day of the delivery, in its county or counties."""
        versions = standing_versions(self.contract, area_code=self.area_code, data_date=self.data_date)
        return distribution.at_hand(self.connection, versions, table=self.tables.standing)

    @property
    def standing_unknown(self) -> str:
        """Of these the ones that no known row confirms, all of them where no row is known."""
        return f"select * from {self.tables.gone}" if self.known else self.standing

    @property
    def _apart_standing(self) -> str:
        """A query of the standing records that were set apart, without the rows, which have neither hash nor county.

        A hash join on two columns keeps rows without values in its table: millions of them, under one hash, made it
        divide the table again and again, until the parts took ten gigabytes.
        """
        return f"select _row_hash, _county_code from {self.tables.apart} where _row_hash is not null"

    def _analyze(self) -> None:
        """Of the columns that later statements join by or choose by; the others' statistics would cost more."""
        asked = ", ".join(["_row_no", "_faults", "_county_code", *(column.name for column in self.contract.key)])
        self.connection.execute(f"analyze {self.tables.typed} ({asked})")

    def _show_all(self) -> None:
        names = ", ".join(column.name for column in self.contract.columns)
        known = f"""
            union all
            select null, {names}, {self._area}, left({self._area}, 6), _row_hash, null
            from ({self.standing}) as standing
            where not exists (
                select from ({self._apart_standing}) as apart
                where apart._row_hash = standing._row_hash and apart._county_code = standing._county_code
            )
        """
        self.connection.execute(
            f"""
            create or replace view {self.tables.judged} as
            select _row_no, {names}, _area_code, _county_code, _row_hash, _faults from {self.tables.typed}
            {known if self.known else ""}
            """
        )

    def _raws(self, restriction: str) -> str:
        texts = ", ".join(
            f"{column.name if column.name in self.landed.columns else 'null::text'} as raw_{column.name}"
            for column in self.contract.columns
        )
        return f"select _row_no, {texts} from {self.tables.landed} as landed {restriction}"

    def _texts(self, restriction: str) -> str:
        return f"select _row_no, {self._row_hash} as _row_hash from ({self._raws(restriction)}) as landed"

    @cached_property
    def _row_hash(self) -> str:
        # Where a value holds the separator itself, two rows may be one text: no other delivery's hash is like these.
        salt = rules_hash(self.connection, self.contract) + (
            f" {self.tables.load_id}" if self.landed.holds_separator else ""
        )
        texts = ", ".join(f"coalesce(raw_{column.name}, '')" for column in self.contract.columns)
        return f"md5(concat_ws({as_text(SEPARATOR)}, {as_text(salt)}, {texts}))::uuid"

    @property
    def _area(self) -> str:
        """Where a row is filed: in the division it names, if that lies in the area of the delivery."""
        area = as_text(self.area_code)
        if not self.contract.has("division_code"):
            return area
        return f"case when starts_with(division_code, {area}) then division_code else {area} end"

    def _query(self, restriction: str) -> str:
        """The landed rows typed and judged, with ``restriction`` only those it leaves."""
        columns = self.contract.columns
        names = ", ".join(column.name for column in columns)
        raws = ", ".join(f"raw_{column.name}" for column in columns)
        ids = [column.name for column in columns if column.type == "id"]
        others = [column for column in columns if column.type != "id"]
        typed = [f"{reading(column)} as {column.name}" for column in others]
        typed += [f"ops.is_citizen_id(raw_{name}) as {name}_plain" for name in ids]
        normalised = [column.name for column in others]
        for name in ids:
            raw = f"raw_{name}"
            normalised += [
                f"case when {name}_plain then {raw} else ops.citizen_id_as_written({raw}) end as {name}",
                f"case when {name}_plain then left({raw}, 8)::integer end as {name}_head",
                f"case when {name}_plain then substr({raw}, 9, 9)::integer end as {name}_tail",
            ]
        judged = [f"ops.citizen_id_fault({name}, {name}_head, {name}_tail) as {name}_fault" for name in ids]
        faults = [fault for column in columns for fault in column_faults(column)]
        any_fault = " or ".join(condition for condition, _ in faults)
        # No subquery here: one that looks at the row's own values would keep the scan from being shared among workers.
        all_faults = ", ".join(f"case when {condition} then {as_json(told)} end" for condition, told in faults)
        # `offset` keeps the planner from folding the levels into one, which would read each value several times. It is
        # quoted since a bare 0 becomes a constant only after the planner has asked whether workers may share the level.
        return f"""
            select _row_no, {names},
                {self._area} as _area_code,
                left({self._area}, 6) as _county_code,
                _row_hash,
                case when {any_fault} then to_jsonb(array_remove(array[{all_faults}], null)) end as _faults
            from (
                select {", ".join(["_row_no, _row_hash", raws, names, *judged])}
                from (
                    select {", ".join(["_row_no, _row_hash", raws, *normalised])}
                    from (
                        select {", ".join(["_row_no", f"{self._row_hash} as _row_hash", raws, *typed])}
                        from ({self._raws(restriction)}) as landed
                        offset '0'
                    ) as typed
                    offset '0'
                ) as normalised
                offset '0'
            ) as judged
        """


def register_knows(connection: psycopg.Connection, *, contract: Contract, area_code: str) -> bool:
    """Whether the register holds anything, of whatever day, of the county or counties of ``area_code``."""
    (known,) = connection.execute(
        f"select exists (select 1 from register.{contract.name} where starts_with(_county_code, left(%s, 6)))",
        (area_code,),
    ).fetchone()
    return known


def other_texts(contract: Contract, *, area_code: str) -> str:
    """A subquery of the other texts of records of the county or counties of an area; no text is in it twice."""
    return f"""(
        select * from other_text.{contract.name} where starts_with(county_code, left({as_text(area_code)}, 6))
    )"""


def standing_versions(contract: Contract, *, area_code: str, data_date: date | str) -> str:
    """A query of the versions that stand in the register on a day, in the county or counties of an area."""
    day = as_text(str(data_date))
    return f"""
        select * from register.{contract.name}
        where _valid_from <= {day} and _valid_to > {day} and starts_with(_county_code, left({as_text(area_code)}, 6))
    """
