-- How good each indicator was at seeing what came: of the warnings so far, how many a visit confirmed and after how
-- many a benefit followed; of the people who entered a benefit, how many it had seen before, and how long before.
{{ config(incremental_strategy='mirror', unique_key='indicator_code') }}

with

warning as (
    select
        warning_id,
        indicator_code,
        scope,
        person_id,
        household_id,
        opened_on
    from {{ ref('warning') }}
    where opened_on <= {{ as_of() }}
),

visit as (
    select *
    from {{ ref('stg_household_visit') }}
),

member as not materialized (
    select
        person_id,
        household_id
    from {{ ref('household_member') }}
),

person as (
    select *
    from {{ ref('person') }}
),

coverage_spell as (
    select
        person_id,
        joined_on,
        left_on,
        is_start_known
    from {{ ref('int_spell') }}
    where membership in ('minimum_allowance', 'special_hardship')
),

temporary_assistance as (
    {{ everybodys('temporary_assistance') }}
),

indicator as (
    select *
    from {{ ref('indicator') }}
),

-- Indicators are held against each other, so one horizon serves everywhere.
horizon as (
    select value::integer as horizon_days
    from (
        {{ local_standard('backtest_horizon_days') }}
    ) as standards
    where standard_area = '*'
),

watched as (
    select min(opened_on) as first_opened_on
    from warning
),

finding as (
    select distinct on (upper(warning_id))
        upper(warning_id) as warning_id,
        finding
    from visit
    where visited_on <= {{ as_of() }}
    order by
        upper(warning_id),
        visited_on desc,
        _valid_from desc
),

-- Since warnings are given. A grant helps on the day it is given and starts no coverage.
aid as (
    select
        coverage_spell.person_id,
        coverage_spell.joined_on as entered_on
    from coverage_spell
    inner join watched
        on coverage_spell.joined_on > watched.first_opened_on
    where coverage_spell.is_start_known
    union all
    select
        person.person_id,
        temporary_assistance.granted_on as entered_on
    from temporary_assistance
    inner join watched
        on temporary_assistance.granted_on > watched.first_opened_on
    inner join person
        on temporary_assistance.citizen_id = person.citizen_id
    where temporary_assistance.granted_on <= {{ as_of() }}
),

-- The first time that somebody who was not covered until then received anything.
entry as (
    select
        aid.person_id,
        min(aid.entered_on) as entered_on
    from aid
    where
        not exists (
            select 1
            from coverage_spell
            where
                coverage_spell.person_id = aid.person_id
                and coverage_spell.joined_on < aid.entered_on
                and coalesce(coverage_spell.left_on, 'infinity') >= aid.entered_on
        )
    group by aid.person_id
),

at_home as (
    select
        entry.person_id,
        entry.entered_on,
        member.household_id
    from entry
    inner join member
        on entry.person_id = member.person_id
),

-- Of the people who entered. Entering a benefit often forms a household anew, so a household's warning also meets those
-- with whom the person whom it names lives by now.
warned as (
    select
        warning.warning_id,
        warning.indicator_code,
        warning.opened_on,
        entry.person_id,
        entry.entered_on
    from entry
    inner join warning
        on entry.person_id = warning.person_id
    union
    select
        warning.warning_id,
        warning.indicator_code,
        warning.opened_on,
        at_home.person_id,
        at_home.entered_on
    from at_home
    inner join warning
        on at_home.household_id = warning.household_id
    where warning.scope = 'H'
    union
    select
        warning.warning_id,
        warning.indicator_code,
        warning.opened_on,
        at_home.person_id,
        at_home.entered_on
    from at_home
    inner join member as named
        on at_home.household_id = named.household_id
    inner join warning
        on named.person_id = warning.person_id
    where warning.scope = 'H'
),

-- Within the horizon before the entry.
foretold as (
    select
        warned.warning_id,
        warned.indicator_code,
        warned.person_id,
        warned.entered_on - warned.opened_on as days_before
    from warned
    inner join horizon
        on warned.entered_on - warned.opened_on between 1 and horizon.horizon_days
),

seen as (
    select
        indicator_code,
        person_id,
        max(days_before) as days_before
    from foretold
    group by
        indicator_code,
        person_id
),

followed as (
    select distinct warning_id
    from foretold
),

-- Only of these is it known whether a benefit followed within the horizon.
aged as (
    select
        warning.*,
        warning.opened_on + horizon.horizon_days <= {{ as_of() }} as is_aged
    from warning
    cross join horizon
),

judged as (
    select
        aged.indicator_code,
        count(*) as warnings,
        count(finding.finding) as visited_warnings,
        count(*) filter (where finding.finding in ('confirmed', 'refer', 'resolved')) as confirmed_warnings,
        count(*) filter (where aged.is_aged) as aged_warnings,
        count(followed.warning_id) filter (where aged.is_aged) as followed_warnings
    from aged
    left join finding
        on aged.warning_id = finding.warning_id
    left join followed
        on aged.warning_id = followed.warning_id
    group by aged.indicator_code
),

first_seen as (
    select
        indicator_code,
        person_id,
        days_before
    from seen
    union all
    select
        'any' as indicator_code,
        person_id,
        max(days_before) as days_before
    from seen
    group by person_id
),

foreseen as (
    select
        indicator_code,
        count(*) as foreseen_entries,
        percentile_cont(0.25) within group (order by days_before) as days_before_p25,
        percentile_cont(0.5) within group (order by days_before) as days_before_median,
        percentile_cont(0.75) within group (order by days_before) as days_before_p75
    from first_seen
    group by indicator_code
),

counted as (
    select
        indicator.code as indicator_code,
        coalesce(judged.warnings, 0) as warnings,
        coalesce(judged.visited_warnings, 0) as visited_warnings,
        coalesce(judged.confirmed_warnings, 0) as confirmed_warnings,
        coalesce(judged.aged_warnings, 0) as aged_warnings,
        coalesce(judged.followed_warnings, 0) as followed_warnings
    from indicator
    left join judged
        on indicator.code = judged.indicator_code
    union all
    select
        'any' as indicator_code,
        coalesce(sum(warnings), 0) as warnings,
        coalesce(sum(visited_warnings), 0) as visited_warnings,
        coalesce(sum(confirmed_warnings), 0) as confirmed_warnings,
        coalesce(sum(aged_warnings), 0) as aged_warnings,
        coalesce(sum(followed_warnings), 0) as followed_warnings
    from judged
),

entries as (
    select count(*) as entries
    from entry
),

final as (
    select
        {{ as_of() }} as as_of,
        counted.indicator_code,
        watched.first_opened_on as watched_since,
        horizon.horizon_days,
        counted.warnings::integer as warnings,
        counted.visited_warnings::integer as visited_warnings,
        counted.confirmed_warnings::integer as confirmed_warnings,
        round(counted.confirmed_warnings::numeric / nullif(counted.visited_warnings, 0), 4) as confirmed_share,
        counted.aged_warnings::integer as aged_warnings,
        counted.followed_warnings::integer as followed_warnings,
        round(counted.followed_warnings::numeric / nullif(counted.aged_warnings, 0), 4) as followed_share,
        entries.entries::integer as entries,
        coalesce(foreseen.foreseen_entries, 0)::integer as foreseen_entries,
        round(coalesce(foreseen.foreseen_entries, 0)::numeric / nullif(entries.entries, 0), 4) as foreseen_share,
        foreseen.days_before_p25::numeric as days_before_p25,
        foreseen.days_before_median::numeric as days_before_median,
        foreseen.days_before_p75::numeric as days_before_p75
    from counted
    cross join watched
    cross join horizon
    cross join entries
    left join foreseen
        on counted.indicator_code = foreseen.indicator_code
)

select * from final
