"""Whom a build has to compute: those for whom something changed since the build before, and all who belong with them.

A person is touched by what was published about them, and by the days between the two builds: every rule compares the
date with a day that some record tells, or with one that lies a parameter's length from it. So whoever is told a day
that comes to lie so within these days is touched, more people than need be and never fewer. From there the list is
closed over everybody who shares a household, a certificate or a mention with one who is on it, as no rule looks
further: what is computed for those on the list alone is what is computed for them among all (docs/incremental.md).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain

import psycopg

from doudi.contracts import Contract
from doudi.identity import people
from doudi.transform import record
from doudi.transform.reaching import Reached, reach, reaching
from doudi.warehouse import distribution

# Of more people than this share of those known, a whole build costs no more than one of them alone.
WORTH_IT = 0.25
# The registers that tell a household's income.
_INCOME = ("minimum_allowance", "poverty_register")
# Times in a group are told from the days for which lists came, of the whole county (int_list_day).
_LISTED = ("minimum_allowance", "special_hardship", "disability", "left_behind", "child_protection")
_OLDEST = 130  # years
_HOUSEHOLD = "household"
_VERSION = ("_valid_from", "_valid_to")
# Tables of a tenth of the people are read in a few thousand rows as well as in thirty thousand, which is all of some.
STATISTICS_TARGET = 25
# By parameter, the days of records with which the date is compared at its length: none where a silence ends on a day
# that the warning says, or where it only chooses what is counted over everybody. A parameter in months or days that is
# missing here is taken for one that is compared with every day.
COMPARED = {
    "look_back_months": ("settled_on", "checked_on", "granted_on", "end_date", "_valid_from", "_valid_to"),
    "new_disability_days": ("issued_on",),
    "gradual_exit_days": ("gradual_exit_until",),
    "mute_days": (),
    "backtest_horizon_days": (),
    "notice_days": ("start_date",),
}


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a build takes up: the date of the one before, its own, and the deliveries that are new to it."""

    before: date
    as_of: date
    new_loads: list[int]


def list_touched(
    url: str,
    session: psycopg.Connection,
    *,
    contracts: Sequence[Contract],
    as_of: date,
    suffix: str,
    content: dict[str, str],
) -> str:
    """Fill ``intermediate.touched`` with whom a build touches, and the households in which the build before left them.

    To whom the build before gave no identifier dbt gives one, as it has the key (macro ``identify_touched``). And
    ``intermediate.touched_<feed>`` with what the registers hold about them, through which some thirty models look.

    Returns why everybody has to be computed instead, or the empty string. ``session`` commits each statement.
    """
    session.execute("set client_min_messages to warning")
    # The views of staging look into it, so it stays the same table.
    session.execute(
        """
        create unlogged table if not exists intermediate.touched (
            citizen_id text primary key, person_id uuid, household_id uuid
        )
        with (autovacuum_enabled = off)
        """
    )
    session.execute("truncate intermediate.touched")
    span = _span(session, as_of=as_of, suffix=suffix, content=content)
    if isinstance(span, str):
        return span
    (known,) = session.execute("select count(*) from identity.person").fetchone()
    with reaching(url, session, at_most=WORTH_IT * known) as reached:
        queries = chain.from_iterable(find(session, contracts, span) for find in (_published, _dated, _listed))
        reached.add(partial(reach, query=query) for query in queries)
        _close(reached, session, contracts)
        if reached.too_many:
            return f"{reached.count} people or more are touched, of {known}"
        session.execute("analyze touching.reached")
        reached.let_each([_identify, *_copies(session, contracts)])
    return ""


def _copies(session: psycopg.Connection, contracts: Iterable[Contract]) -> list[Callable[[psycopg.Connection], None]]:
    """A copy of each register, the largest first."""
    pages = dict(
        session.execute("select relname, relpages from pg_class where relnamespace = 'register'::regnamespace")
    )
    own = {contract.name: column for contract in contracts if (column := _own_id(contract))}
    return [partial(_copy, feed=feed, column=own[feed]) for feed in sorted(own, key=lambda feed: -pages[feed])]


def _copy(session: psycopg.Connection, *, feed: str, column: str) -> None:
    copy = f"intermediate.touched_{feed}"
    # The views of staging look into it, so it stays the same table.
    session.execute(
        f"create unlogged table if not exists {copy} (like register.{feed}) with (autovacuum_enabled = off)"
    )
    session.execute(f"truncate {copy}")
    session.execute(
        f"insert into {copy} select * from register.{feed} where {column} in (select citizen_id from touching.reached)"
    )
    session.execute(f"set default_statistics_target = {STATISTICS_TARGET}")
    session.execute(f"analyze {copy}")


def _identify(session: psycopg.Connection) -> None:
    session.execute(
        """
        insert into intermediate.touched (citizen_id, person_id, household_id)
        select citizen_id, person_id, household_id
        from touching.reached
        left join identity.person using (citizen_id)
        left join identity.household_member using (person_id)
        """
    )
    session.execute("analyze intermediate.touched")


def _span(session: psycopg.Connection, *, as_of: date, suffix: str, content: dict[str, str]) -> Span | str:
    """What the build takes up; or why the tables of the build before are nothing to start from."""
    if suffix:
        return "a past date"
    if distribution.is_distributed(session):
        return "a cluster"
    last = record.last_build(session, suffix, but=1)  # the last one is this
    if last is None:
        return "the first build"
    status, before, made_from, started_at = last
    if status != "succeeded":
        return "the build before did not succeed"
    if made_from != content:
        return "models, contracts or parameters changed"
    if record.decided_since(session, started_at):
        return "people were joined or erased, or rows withdrawn"
    span = Span(before=before, as_of=as_of, new_loads=record.new_loads(session, as_of))
    return _why_everybody(session, span) or span


def _why_everybody(session: psycopg.Connection, span: Span) -> str:
    """Why what the span takes up may concern anybody; the empty string where it can be told whom."""
    if span.before.year != span.as_of.year:
        return "another year"  # the disposable income that counts is that of the year before
    (dated,) = session.execute(_PARAMETERS_CHANGE, {"before": span.before, "as_of": span.as_of}).fetchone()
    if dated:
        return "a parameter, an indicator or a division begins or ends to hold"
    (late,) = session.execute(
        """
        select exists (
            select
            from ops.load as new
            inner join ops.load as other
                on other.feed = new.feed and other.status = 'published' and other.load_id <> new.load_id
                and other.data_date >= new.data_date
                and left(other.area_code, 6) ^@ left(new.area_code, 6)
            where new.load_id = any(%(loads)s) and new.feed = any(%(feeds)s) and not other.load_id = any(%(loads)s)
        )
        """,
        {"loads": span.new_loads, "feeds": list(_LISTED)},
    ).fetchone()
    return "a list came late or was corrected" if late else ""


_PARAMETERS_CHANGE = """
    select exists (
        select
        from (
            select valid_from, valid_to + 1 as valid_until from reference.local_standard
            union all select valid_from, valid_to + 1 from reference.indicator
            union all select valid_from, valid_to + 1 from reference.division
            union all select changed_on, null from reference.division_change
        ) as dated
        where valid_from > %(before)s and valid_from <= %(as_of)s
            or valid_until > %(before)s and valid_until <= %(as_of)s
    )
"""


def _published(session: psycopg.Connection, contracts: Iterable[Contract], span: Span) -> Iterable[str]:
    """Whom publishing handed on; of a first list, which hands on nobody by name, all whom it names."""
    loads = _array(span.new_loads)
    yield f"select citizen_id from ops.touched_person where load_id = any({loads})"
    first = session.execute(
        """
        select feed, array_agg(load_id)
        from ops.load
        where load_id = any(%s)
            and exists (
                select from ops.touched_person as touched
                where touched.load_id = load.load_id and touched.citizen_id is null
            )
        group by feed
        """,
        (span.new_loads,),
    ).fetchall()
    own = {contract.name: _own_id(contract) for contract in contracts}
    for feed, load_ids in first:
        if own[feed]:
            yield f"select {own[feed]} as citizen_id from register.{feed} where _load_id = any({_array(load_ids)})"


def _dated(session: psycopg.Connection, contracts: Iterable[Contract], span: Span) -> Iterable[str]:
    """For whom the days since the build before may change something, visits included."""
    parameters = {"before": span.before, "as_of": span.as_of, "oldest": _OLDEST}
    days = dict(session.execute(_DAYS, parameters).fetchall())
    now = days[""]
    if span.before < span.as_of:
        (birthdays,) = session.execute(_BIRTHDAYS, parameters).fetchone()
        yield f"select citizen_id from identity.person where birth_on = any({_array(birthdays)})"
        # Versions begin and end on the days for which something came; of what is new all are touched.
        delivered = dict(
            session.execute(
                "select feed, array_agg(distinct data_date) from ops.load where not load_id = any(%s) group by feed",
                (span.new_loads,),
            ).fetchall()
        )
        for contract in contracts:
            if own := _own_id(contract):
                dates = [column.name for column in contract.columns if column.type == "date"]
                told = {name: _compared(name, days) for name in (*dates, *_VERSION)}
                came = delivered.get(contract.name, ())
                told |= {name: [day for day in told[name] if day in came] for name in _VERSION}
                within = " or ".join(f"{name} = any({_array(on)})" for name, on in told.items() if on)
                if within:
                    yield f"select {own} as citizen_id from register.{contract.name} where {within}"
    warned = "select person.citizen_id from marts.warning inner join identity.person using (person_id)"
    yield f"{warned} where due_on = any({_array(now)}) or muted_until = any({_array(now)})"
    yield f"""
        {warned}
        where warning_id in (
            select upper(answered)
            from register.household_visit as visit
            cross join lateral unnest(ops.warning_ids(visit.warning_id)) as answered
            where visited_on = any({_array(now)}) or _valid_from = any({_array(now)})
                or _load_id = any({_array(span.new_loads)})
        )
    """
    yield f"""
        {warned}
        where visited_on is not null and exists (
            select from ops.load where feed = 'household_visit' and load_id = any({_array(span.new_loads)})
        )
    """


def _compared(column: str, days: dict[str, list[date]]) -> list[date]:
    """The days of those by parameter on which what this column tells comes to lie on another side of the date."""
    return sorted({day for name, told in days.items() if column in COMPARED.get(name, (column,)) for day in told})


# The days from the build before to this one, under no parameter's name: what is compared with the date changes sides on
# one of them. By parameter those that lie its length in months or days from one, each way, but not from the day of the
# build before: models ask whether a day lies after the one so far off or not, and of that one itself it was told then.
# From a month's last day, so many months lead to every day at the other month's end that has no counterpart.
_DAYS = """
    with length (name, months, days) as (
        select '', 0, 0
        union all
        select distinct
            name,
            case unit when 'months' then value::integer else 0 end,
            case unit when 'days' then value::integer else 0 end
        from reference.local_standard
        where unit in ('months', 'days')
    ),

    shifted as (
        select
            length.name,
            (%(before)s::date + distance)::date + (length.name <> '')::integer as first_on,
            case
                when months > 0 and extract(day from %(as_of)s::date + 1) = 1
                    then (date_trunc('month', %(as_of)s::date + distance) + interval '1 month')::date - 1
                else (%(as_of)s::date + distance)::date
            end as last_on
        from length
        cross join (values (1), (-1)) as signs (sign)
        cross join make_interval(months => sign * months, days => sign * days) as distance
    )

    select
        shifted.name,
        array_agg(distinct day::date)
    from shifted
    cross join generate_series(first_on, last_on, interval '1 day') as day
    group by shifted.name
"""
_BIRTHDAYS = """
    select array_agg(distinct birthday::date)
    from generate_series(0, %(oldest)s) as years
    cross join lateral generate_series(
        %(before)s::date - make_interval(years => years) + interval '1 day',
        %(as_of)s::date - make_interval(years => years), interval '1 day'
    ) as birthday
"""


def _listed(session: psycopg.Connection, contracts: Iterable[Contract], span: Span) -> Iterable[str]:
    """Whom it concerns which of two lists is the later one: where they say different things of somebody.

    A record that stands on its feed's latest list is as young as this list (`_data_date`), and where feeds contradict
    each other, the younger is believed. A new list thus changes what is believed even of those of whom it says nothing
    new, if it overtakes another feed's list, or an event.
    """
    overtaken, moved, income_day, last_day = session.execute(
        """
        with place as (select distinct area_code from ops.load where status = 'published' and mode = 'snapshot'),

        latest as (
            select
                place.area_code, load.feed,
                max(load.data_date) filter (
                    where load.data_date <= %(before)s and not load.load_id = any(%(loads)s)
                ) as before,
                max(load.data_date) as now
            from place
            inner join ops.load on starts_with(place.area_code, load.area_code)
            where load.status = 'published' and load.mode = 'snapshot' and load.data_date <= %(as_of)s
            group by place.area_code, load.feed
        ),

        moved as (select * from latest where now is distinct from before)

        select
            (
                select coalesce(array_agg(distinct one.feed || ' ' || other.feed), '{}')
                from latest as one
                inner join latest as other on (one.feed, one.area_code) < (other.feed, other.area_code)
                where sign(one.now - other.now) is distinct from sign(one.before - other.before)
            ),
            (
                select coalesce(array_agg(format('(%%L, date %%L, date %%L)', feed, first_day, last_day)), '{}')
                from (select feed, min(before) as first_day, max(now) as last_day from moved group by feed) as list
                where first_day is not null
            ),
            (select min(before) from moved where feed = any(%(income)s)),
            (select max(now) from moved)
        """,
        {"before": span.before, "as_of": span.as_of, "loads": span.new_loads, "income": list(_INCOME)},
    ).fetchone()
    contradicted = "select citizen_id from intermediate.int_person__contradicted where is_latest_believed"
    for pair in overtaken:
        yield f"{contradicted} and string_to_array(feeds, ' ') @> string_to_array('{pair}', ' ')"
    if moved:
        for feed in (contract.name for contract in contracts if contract.mode == "events" and _own_id(contract)):
            yield f"""
                select person.citizen_id
                from (values {", ".join(moved)}) as list (feed, first_day, last_day)
                inner join register.{feed} as event on event._valid_from between list.first_day and list.last_day
                left join identity.joined_id as joined on event.citizen_id = joined.citizen_id
                inner join intermediate.int_person__contradicted as person
                    on person.citizen_id = coalesce(joined.canonical_id, event.citizen_id)
                where person.is_latest_believed
                    and string_to_array(person.feeds, ' ') @> array['{feed}', list.feed]
            """
    if income_day is not None:
        yield f"""
            select citizen_id from register.economic_check
            where checked_on between date '{income_day}' and date '{last_day}'
        """
    if {f"{one} {other}" for one in _INCOME for other in _INCOME} & set(overtaken):
        yield """
            select citizen_id from register.minimum_allowance inner join register.poverty_register using (citizen_id)
        """
    if {"minimum_allowance special_hardship", "special_hardship special_hardship"} & set(overtaken):
        yield "select citizen_id from register.special_hardship"


def _close(reached: Reached, session: psycopg.Connection, contracts: Iterable[Contract]) -> None:
    """Add everybody who belongs with one who is reached, and who belongs with those, until there is nobody more."""
    groups, mentions = [*_groups(contracts)], [*_mentions(contracts)]
    for group in groups:
        session.execute(
            f"create unlogged table touching.followed_{group.name} as select {group.shared} {group.rows} with no data"
        )
    while reached.begin_turn():
        if reached.turn > 1:  # of those found since no record has changed: the registers tell of their households
            groups = [group for group in groups if group.name != _HOUSEHOLD]
        reached.add(
            [
                *(partial(_reach_group, group=group) for group in groups),
                *(partial(reach, query=query) for query in mentions),
            ]
        )


@dataclass(frozen=True)
class _Group:
    """Who belongs together by what they share: ``rows`` follows a select of the columns ``citizen_id`` or ``shared``.

    The table followed_<name> holds what was shared by those reached before: it leads to nobody more.
    """

    name: str
    citizen_id: str
    shared: str
    rows: str


def _groups(contracts: Iterable[Contract]) -> Iterable[_Group]:
    """By a number that is part of the key of members' records, and by a household of the build before.

    Of the latter a record may have told that has changed since.
    """
    for contract in contracts:
        own, names = _own_id(contract), [column.name for column in contract.key]
        if own in names and (shared := [name for name in names if name != own]):
            columns = ", ".join(("_county_code", *shared))
            yield _Group(contract.name, own, columns, f"from register.{contract.name}")
    yield _Group(
        _HOUSEHOLD,
        "person.citizen_id",
        "member.household_id",
        "from identity.household_member as member inner join identity.person using (person_id)",
    )


def _reach_group(session: psycopg.Connection, turn: int, *, group: _Group) -> int:
    followed, led_to = f"followed_{group.name}", f"led_to_{group.name}"
    session.execute(
        f"""
        create unlogged table {led_to} as
        select {group.shared} {group.rows} where {group.citizen_id} in (select citizen_id from newly)
        except select * from {followed}
        """
    )
    session.execute(f"analyze {led_to}")
    session.execute(f"insert into {followed} select * from {led_to}")
    sharing = f"select {group.citizen_id} as citizen_id {group.rows} where ({group.shared}) in (select * from {led_to})"
    added = reach(session, turn, query=sharing)
    session.execute(f"drop table {led_to}")
    return added


def _mentions(contracts: Iterable[Contract]) -> Iterable[str]:
    """Queries of whom the records of those in the table ``newly`` mention, in whose they are, and of second IDs."""
    newly = "(select citizen_id from newly)"
    for contract in contracts:
        own = _own_id(contract)
        for mentioned in (person["column"] for person in people(contract) if own and person["column"] != own):
            yield f"select {mentioned} as citizen_id from register.{contract.name} where {own} in {newly}"
            yield f"select {own} as citizen_id from register.{contract.name} where {mentioned} in {newly}"
    yield f"select canonical_id as citizen_id from identity.joined_id where citizen_id in {newly}"
    yield f"select citizen_id from identity.joined_id where canonical_id in {newly}"


def _own_id(contract: Contract) -> str | None:
    """The column that says whose a record is; None of a feed whose records are about no person by citizen ID."""
    return next((person["column"] for person in people(contract) if person["is_own"]), None)


def _array(values: Sequence[int] | Sequence[date]) -> str:
    """Load ids or days as an SQL array."""
    if values and isinstance(values[0], date):
        return f"'{{{','.join(day.isoformat() for day in values)}}}'::date[]"
    return f"array[{', '.join(map(str, values))}]::bigint[]"
