with

household as (
    select *
    from {{ ref('int_household__situation') }}
    where is_at_risk
),

member as (
    select *
    from {{ ref('int_poverty_member') }}
),

-- Read more than once, and each time a small part of it: not to be copied first.
versions as not materialized (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

working_age_from as (
    {{ local_standard('working_age_from') }}
),

working_age_to as (
    {{ local_standard('working_age_to') }}
),

aged as (
    select
        member.*,
        {{ age_on('member.birth_on') }} as age,
        working_age_from.value as age_from,
        working_age_to.value as age_to
    from member
    inner join household
        on member.household_id = household.household_id
    inner join working_age_from
        on household.standard_area = working_age_from.standard_area
    inner join working_age_to
        on household.standard_area = working_age_to.standard_area
),

-- The workers are counted beside each member: a search for households without any would be expected to find one.
members as (
    select
        aged.*,
        count(*) filter (
            where aged.labour = any({{ able_to_work() }}) and aged.age between aged.age_from and aged.age_to
        ) over (partition by aged.household_id) as workers
    from aged
),

found as (
    select *
    from members
    where
        is_head
        and workers = 0
),

at_risk as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'household_no', 'citizen_id'],
        state='status = any(' ~ at_risk_statuses() ~ ')',
    ) }}
),

-- Everybody ever listed under the household's number, with the days on which they were able and of an age to work:
-- the last of these days, be it that somebody fell ill, grew old or left, is that on which the labour ended.
working_life as (
    select
        found.household_id,
        greatest(
            versions._valid_from,
            {{ turned_on(birth_on('versions.citizen_id'), 'found.age_from') }}
        ) as began_on,
        least(
            versions._valid_to,
            {{ turned_on(birth_on('versions.citizen_id'), '(found.age_to + 1)') }}
        ) as ended_on
    from versions
    inner join found
        on versions._county_code = found._county_code
        and versions.household_no = found.household_no
    where versions.labour = any({{ able_to_work() }})
),

labour_ended as (
    select
        household_id,
        max(ended_on) as ended_on
    from working_life
    where
        began_on < ended_on
        and ended_on <= {{ as_of() }}
    group by household_id
),

member_facts as (
    select
        members.household_id,
        jsonb_agg(
            {{ fact('poverty_register', 'labour', 'members', 'members._valid_from') }}
            order by members.birth_on, members.citizen_id
        )
        || jsonb_agg(
            {{ fact('poverty_register', 'citizen_id', 'members', 'members._valid_from', 'members.birth_on') }}
            order by members.birth_on, members.citizen_id
        ) as facts
    from members
    inner join found
        on members.household_id = found.household_id
    group by members.household_id
),

final as (
    select
        'RP04' as indicator_code,
        'H' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(at_risk.since, labour_ended.ended_on) as fact_on,
        {{ evidence(
            compared=[
                compared('poverty_status', 'found.status', 'in', expected=at_risk_statuses()),
                compared('workers', '0', '=', expected='0'),
                compared('working_age_from', 'found.age_from', '=', limit='working_age_from', unit='years'),
                compared('working_age_to', 'found.age_to', '=', limit='working_age_to', unit='years'),
            ],
            facts=[fact('poverty_register', 'status', 'found', 'found._valid_from')],
            facts_of=['member_facts.facts'],
        ) }} as evidence
    from found
    inner join member_facts
        on found.household_id = member_facts.household_id
    inner join at_risk
        on found._county_code = at_risk._county_code
        and found.household_no = at_risk.household_no
        and found.citizen_id = at_risk.citizen_id
    left join labour_ended
        on found.household_id = labour_ended.household_id
    inner join working_age_from
        on found.standard_area = working_age_from.standard_area
    inner join working_age_to
        on found.standard_area = working_age_to.standard_area
)

select * from final
