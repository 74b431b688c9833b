"""A made-up county in a warehouse of its own: records filed straight into the registers, and builds of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import psycopg
from databases import share_parsed_project, url_of
from made_up import VILLAGE, citizen_id
from psycopg import sql

from doudi import transform
from doudi.contracts import Column, Contract, load_contracts
from doudi.settings import Settings
from doudi.transform import BuildResult

DEFAULTS = {"text": "某", "money": 0, "int": 1, "bool": False, "date": date(2019, 1, 1), "div": VILLAGE}


@dataclass(frozen=True, kw_only=True)
class County:
    """A warehouse with a session in it, and the means to file records and to build."""

    url: str
    settings: Settings
    contracts: dict[str, Contract]
    session: psycopg.Connection

    def deliver(self, feed: str, day: date) -> int:
        """A published delivery of the whole county in the ledger; returns its load_id."""
        return self.query(
            """
            insert into ops.load (
                feed, area_code, data_date, file_name, source_uri, source_modified_at, sha256, size_bytes, archive_path,
                mode, status, rows_read, rows_published, rows_unchanged, rows_quarantined, finished_at
            )
            values (%s, '513431', %s, 'made up', 'made up', now(), gen_random_uuid()::text, 1, 'made up',
                %s, 'published', 1, 1, 0, 0, clock_timestamp())
            returning load_id
            """,
            feed, day, self.contracts[feed].mode,
        )[0][0]  # fmt: skip

    def file(self, feed: str, *records: dict[str, object], day: date, load_id: int | None = None) -> None:
        """File records as a delivery of a day would; columns that are not given get some value of their type."""
        load_id = load_id or self.deliver(feed, day)
        columns = self.contracts[feed].columns
        for number, given in enumerate(records, start=1):
            filed = {column.name: _some_value(column) for column in columns if column.required} | given
            filed |= {"_county_code": "513431", "_area_code": VILLAGE, "_valid_from": day, "_row_hash": uuid4()}
            filed |= {"_load_id": load_id, "_row_no": number}
            self.session.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("register", feed),
                    sql.SQL(", ").join(map(sql.Identifier, filed)),
                    sql.SQL(", ").join(sql.Placeholder() * len(filed)),
                ),
                list(filed.values()),
            )

    def build(self, as_of: date, **options: object) -> BuildResult:
        """Of everybody: these registers are filled by hand, so nobody is known to be touched."""
        return transform.build(url=self.url, settings=self.settings, as_of=as_of, everybody=True, **options)

    def query(self, statement: str, *values: object) -> list[tuple]:
        cursor = self.session.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def standing(self, suffix: str = "") -> set[tuple[int, str]]:
        """Which indicators hold for which made-up people."""
        numbers = {citizen_id(number): number for number in range(20)}
        rows = self.query(
            f"""
            select person.citizen_id, warning.indicator_code
            from marts{suffix}.warning as warning
            inner join identity{suffix}.person as person on warning.person_id = person.person_id
            where warning.closed_on is null
            """
        )
        return {(numbers[each], code) for each, code in rows}

    def warning(self, number: int, code: str) -> list[tuple]:
        """All warnings that one person ever had by an indicator: status, opened, closed, in the order of opening."""
        return self.query(
            """
            select warning.status, warning.opened_on, warning.closed_on
            from marts.warning as warning
            inner join identity.person as person on warning.person_id = person.person_id
            where person.citizen_id = %s and warning.indicator_code = %s
            order by warning.opened_on
            """,
            citizen_id(number), code,
        )  # fmt: skip

    def warning_id(self, number: int, code: str) -> str:
        return self.query(
            "select warning_id from marts.visit_list where citizen_id = %s and indicator_code = %s",
            citizen_id(number), code,
        )[0][0]  # fmt: skip


def _some_value(column: Column) -> object:
    return next(iter(column.codes.values())) if column.type == "code" else DEFAULTS.get(column.type)


def person(number: int, **others: object) -> dict[str, object]:
    return {"name": f"某{number}", "citizen_id": citizen_id(number), **others}


@contextmanager
def opened(server_url: str, name: str, settings: Settings) -> Iterator[County]:
    url = url_of(server_url, name)
    share_parsed_project(settings.home, url)
    with psycopg.connect(url, autocommit=True) as session:
        yield County(url=url, settings=settings, contracts=load_contracts(settings.contracts), session=session)
