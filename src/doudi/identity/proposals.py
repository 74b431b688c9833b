"""identity.review: whose a refused row most likely is, and which pairs look like one person.

Both are found within blocks, so that work grows with the rows and not with their square: a refused row is held against
the record that its own number names and against the people of the same name in its county; people are paired within
county, name, birth date and sex. Each thing that agrees speaks for a proposal with its own weight; together they give
1 - (1 - w1)(1 - w2)…, so that every score can be worked out by hand.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from doudi.contracts import Contract
from doudi.identity.columns import people, record_numbers
from doudi.identity.unusable import read_unusable
from doudi.warehouse import distribution

# What speaks for a proposal, and how much. They are choices, told and justified in docs/identity.md.
SAME_RECORD = 0.8
SAME_NAME = 0.5
ONE_EDIT = 0.8
SAME_PERSON_DATA = 0.5
ONE_EDIT_IN_PAIR = 0.6
RARE_NAME = 0.4
SAME_VILLAGE = 0.3
# What speaks against one: the score is multiplied by it.
OTHER_NAME = 0.5
# A name that no more than so many people of a county bear is rare.
RARE_NAME_BEARERS = 5


def propose(connection: psycopg.Connection, *, contracts: Mapping[str, Contract], contracts_folder: Path) -> int:
    """Bring identity.review up to date with the quarantine and the last build; returns how many proposals it holds.

    A proposal keeps its number as long as it is found, and one that was decided about stays. Runs in the caller's
    transaction.
    """
    read_unusable(connection, contracts=contracts, contracts_folder=contracts_folder)
    connection.execute("drop table if exists matched, alike, proposed")
    connection.execute(
        """
        create temporary table matched (
            load_id bigint, row_no bigint, column_name text, citizen_id text, by_record boolean, is_other_name boolean
        ) on commit drop
        """
    )
    for (feed,) in connection.execute("select distinct feed from unusable where status = 'open'").fetchall():
        for person in people(contracts[feed]):
            if record_numbers(contracts[feed]):
                connection.execute(_same_record(contracts[feed], person["column"], person["name_column"]))
    connection.execute(_SAME_NAME)
    connection.execute(_ALIKE)
    connection.execute("analyze matched; analyze alike")
    housed = distribution.at_hand(
        connection,
        "select person_id from identity.household_member",
        table="housed",
        needed="where person_id in (select person_id from alike union all select other_person_id from alike)",
    )
    connection.execute(
        f"""
        create temporary table proposed on commit drop as
        select *, ops.review_subject(load_id, row_no, column_name, citizen_id, other_id) as subject
        from ({_ROWS} union all {_pairs(housed)}) as proposal
        """
    )
    connection.execute("analyze proposed")
    connection.execute(_MERGE)
    return connection.execute("select count(*) from identity.review").fetchone()[0]


def _same_record(contract: Contract, column: str, name_column: str | None) -> str:
    """The ID under which the register knew the record last, by the number that the feed calls it by.

    Where an ID is part of the key, the number is that of several people's records, and the name must agree.
    """
    name = f"ops.person_name(known.{name_column})" if name_column else "null::text"
    numbers = " and ".join(
        f"known.{each.name} = (unusable.record ->> '{each.name}')::{each.physical_type}"
        for each in record_numbers(contract)
    )
    shared = any(each.type == "id" for each in contract.key)
    return f"""
        insert into matched
        select distinct on (unusable.load_id, unusable.row_no)
            unusable.load_id, unusable.row_no, unusable.column_name, known.{column}, true,
            coalesce({name} <> unusable.name, false)
        from unusable
        inner join register.{contract.name} as known
            on known._county_code = unusable.county_code and {numbers}
            and known._valid_from <= unusable.data_date and known.{column} is not null
            {f"and {name} = unusable.name" if shared else ""}
        where unusable.feed = '{contract.name}' and unusable.column_name = '{column}' and unusable.status = 'open'
        order by unusable.load_id, unusable.row_no, known._valid_from desc, known._load_id desc, known._row_no desc
    """


# One of the same name in the same county is proposed where the ID is a slip of the hand away, or, where nothing of the
# ID can be trusted, where there is only one of that name.
_SAME_NAME = """
    insert into matched
    select load_id, row_no, column_name, citizen_id, false, false
    from (
        select
            unusable.load_id, unusable.row_no, unusable.column_name, unusable.written, person.citizen_id,
            count(*) over (partition by unusable.load_id, unusable.row_no, unusable.column_name) as bearers
        from unusable
        inner join identity.person as person
            on person.county_code = unusable.county_code and person.name = unusable.name
        where
            unusable.status = 'open'
            and not exists (select from identity.joined_id as joined where joined.citizen_id = person.citizen_id)
    ) as namesake
    where
        case
            when written is null then bearers = 1
            else ops.citizen_id_edit(written, citizen_id) is not null
        end
"""

_ROWS = f"""
    select
        'row' as kind, weighed.load_id, weighed.row_no, weighed.column_name, weighed.citizen_id,
        null::text as other_id, weighed.county_code,
        -- Where a row may be several people's, each score is its share of all.
        round(weighed.score * weighed.score / sum(weighed.score) over this_row, 2) as score,
        weighed.reasons || case
            when count(*) over this_row = 1 then '[]'
            else jsonb_build_array(jsonb_build_object(
                'reason', 'rivals', 'weight', round(weighed.score / sum(weighed.score) over this_row, 2)
            ))
        end as reasons
    from (
        select
            unusable.load_id, unusable.row_no, unusable.column_name, unusable.county_code, candidate.citizen_id,
            judged.score, judged.reasons
        from (
            select
                load_id, row_no, column_name, citizen_id, bool_or(by_record) as by_record,
                bool_and(is_other_name) as is_other_name
            from matched
            group by load_id, row_no, column_name, citizen_id
        ) as candidate
        inner join unusable using (load_id, row_no, column_name)
        cross join lateral ops.citizen_id_edit(unusable.written, candidate.citizen_id) as edit
        cross join lateral (
            select
                (1 - exp(sum(ln(1 - weight)) filter (where reason <> 'other_name')))
                * case when candidate.is_other_name then {OTHER_NAME} else 1 end as score,
                jsonb_agg(jsonb_build_object('reason', reason, 'weight', weight) order by position) as reasons
            from (
                values
                (1, 'same_record', {SAME_RECORD}, candidate.by_record),
                (2, 'same_name', {SAME_NAME}, unusable.name is not null and not candidate.is_other_name),
                (3, 'one_character_' || edit, {ONE_EDIT}, edit is not null),
                (4, 'other_name', {OTHER_NAME}, candidate.is_other_name)
            ) as reason (position, reason, weight, holds)
            where holds
        ) as judged
    ) as weighed
    window this_row as (partition by weighed.load_id, weighed.row_no, weighed.column_name)
"""

# Nearly everybody is the only one of a name and birthday in the county, and is left out before people are compared.
_ALIKE = """
    create temporary table alike on commit drop as
    with namesake as (
        select county_code, name, birth_on, sex, citizen_id, person_id, division_code
        from identity.person
        where (county_code, name, birth_on) in (
            select county_code, name, birth_on
            from identity.person
            group by county_code, name, birth_on
            having count(*) > 1
        )
    )
    select
        one.county_code, one.name, one.citizen_id, one.person_id, other.citizen_id as other_id,
        other.person_id as other_person_id, one.division_code = other.division_code as same_village
    from namesake as one
    inner join namesake as other
        on one.birth_on = other.birth_on and one.name = other.name and one.county_code = other.county_code
        and one.sex = other.sex and one.citizen_id < other.citizen_id
    where not exists (
        select from identity.joined_id as joined where joined.citizen_id in (one.citizen_id, other.citizen_id)
    )
"""


# Two sound IDs are never one character apart as a whole, since the check character catches that: so the first 17
# digits are compared. The one that a current row names is kept before one that none does.
def _pairs(housed: str) -> str:
    return f"""
        select
            'pair' as kind, null::bigint as load_id, null::bigint as row_no, null::text as column_name,
            case when swapped then pair.other_id else pair.citizen_id end as citizen_id,
            case when swapped then pair.citizen_id else pair.other_id end as other_id,
            pair.county_code, round(judged.score, 2) as score, judged.reasons
        from (
            select
                alike.county_code, alike.citizen_id, alike.other_id, alike.same_village,
                ops.one_edit(left(alike.citizen_id, 17), left(alike.other_id, 17)) as edit,
                namesakes.bearers <= {RARE_NAME_BEARERS} as is_rare,
                not exists (select from ({housed}) as member where member.person_id = alike.person_id)
                and exists (select from ({housed}) as member where member.person_id = alike.other_person_id)
                    as swapped
            from alike
            inner join (
                select county_code, name, count(*) as bearers
                from identity.person
                where (county_code, name) in (select county_code, name from alike)
                group by county_code, name
            ) as namesakes on namesakes.county_code = alike.county_code and namesakes.name = alike.name
        ) as pair
        cross join lateral (
            select
                1 - exp(sum(ln(1 - weight))) as score,
                jsonb_agg(jsonb_build_object('reason', reason, 'weight', weight) order by position) as reasons
            from (
                values
                (1, 'same_name_birth_date_sex_county', {SAME_PERSON_DATA}, true),
                (2, 'one_character_' || pair.edit, {ONE_EDIT_IN_PAIR}, pair.edit is not null),
                (3, 'rare_name', {RARE_NAME}, pair.is_rare),
                (4, 'same_village', {SAME_VILLAGE}, pair.same_village)
            ) as reason (position, reason, weight, holds)
            where holds
        ) as judged
    """


# Insert and update apart: on conflict would use up a number for each proposal that stands.
_MERGE = """
    delete from identity.review as review
    where
        not exists (select from proposed where proposed.subject = review.subject)
        and not exists (select from ops.identity_decision as decision where decision.subject = review.subject);

    update identity.review as review
    set score = proposed.score, reasons = proposed.reasons
    from proposed
    where
        proposed.subject = review.subject
        and (review.score, review.reasons) is distinct from (proposed.score, proposed.reasons);

    insert into identity.review (
        kind, load_id, row_no, column_name, citizen_id, other_id, county_code, score, reasons
    )
    select kind, load_id, row_no, column_name, citizen_id, other_id, county_code, score, reasons
    from proposed
    where not exists (select from identity.review as review where review.subject = proposed.subject)
    order by kind desc, score desc, load_id, row_no, column_name, citizen_id, other_id;
"""
