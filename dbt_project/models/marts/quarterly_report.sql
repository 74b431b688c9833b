-- What is reported at the end of a quarter, and of any other period: every figure for its own days and for the days it
-- is held against. A row is there where either has something.
{{ config(
    incremental_strategy='mirror',
    unique_key=['period', 'division_code', 'measure', 'item'],
) }}

with

report_period as (
    select *
    from {{ ref('int_report_period') }}
),

warning as (
    select
        warning_id,
        level,
        division_code,
        status,
        opened_on,
        closed_on,
        due_on
    from {{ ref('warning') }}
),

visit as (
    select *
    from {{ ref('stg_household_visit') }}
    where visited_on <= {{ as_of() }}
),

spell as (
    select *
    from {{ ref('int_spell') }}
    where is_start_known
),

grant_paid as (
    {{ everybodys('temporary_assistance') }}
),

benefit_amount as (
    select *
    from {{ ref('int_benefit_amount') }}
),

division as (
    {{ divisions() }}
),

-- Warnings that open and close together are counted once for all periods.
warnings as (
    select
        level,
        division_code,
        status,
        opened_on,
        closed_on,
        due_on,
        count(*) as amount
    from warning
    group by
        level,
        division_code,
        status,
        opened_on,
        closed_on,
        due_on
),

visited as (
    select
        warning.*,
        visit.visited_on,
        visit.finding,
        visit._valid_from
    from visit
    inner join warning
        on upper(visit.warning_id) = warning.warning_id
),

-- How a warning stood on the last day of a period, by the latest visit up to then.
latest_visit as (
    select distinct on (report_period.period, report_period.is_before, visited.warning_id)
        report_period.period,
        report_period.is_before,
        report_period.last_on,
        visited.warning_id,
        visited.level,
        visited.division_code,
        visited.opened_on,
        visited.closed_on,
        visited.due_on,
        visited.finding
    from visited
    inner join report_period
        on visited.visited_on <= report_period.last_on
    order by
        report_period.period,
        report_period.is_before,
        visited.warning_id,
        visited.visited_on desc,
        visited._valid_from desc
),

opened as (
    select
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        'warnings_opened' as measure,
        warnings.level as item,
        sum(warnings.amount) as amount
    from warnings
    inner join report_period
        on warnings.opened_on between report_period.first_on and report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        warnings.level
),

closed as (
    select
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        'warnings_' || warnings.status as measure,
        warnings.level as item,
        sum(warnings.amount) as amount
    from warnings
    inner join report_period
        on warnings.closed_on between report_period.first_on and report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        warnings.status,
        warnings.level
),

seen as (
    select
        report_period.period,
        report_period.is_before,
        visited.division_code,
        visited.level as item,
        count(distinct visited.warning_id) as warnings_visited,
        count(distinct visited.warning_id) filter (where visited.finding = 'refer') as warnings_referred,
        count(distinct visited.warning_id) filter (where visited.finding = 'resolved') as warnings_resolved
    from visited
    inner join report_period
        on visited.visited_on between report_period.first_on and report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        visited.division_code,
        visited.level
),

-- Standing and due on the last day of a period, but answered by then.
answered as (
    select
        period,
        is_before,
        division_code,
        level,
        count(*) as amount
    from latest_visit
    where
        opened_on <= last_on
        and coalesce(closed_on, 'infinity') > last_on
        and due_on < last_on
        and finding in ('refer', 'resolved')
    group by
        period,
        is_before,
        division_code,
        level
),

on_last_day as (
    select
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        warnings.level,
        sum(warnings.amount) as amount,
        coalesce(sum(warnings.amount) filter (where warnings.due_on < report_period.last_on), 0) as due_amount
    from warnings
    inner join report_period
        on warnings.opened_on <= report_period.last_on
        and coalesce(warnings.closed_on, 'infinity') > report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        warnings.division_code,
        warnings.level
),

standing as (
    select
        on_last_day.period,
        on_last_day.is_before,
        on_last_day.division_code,
        on_last_day.level as item,
        on_last_day.amount as warnings_standing,
        on_last_day.due_amount - coalesce(answered.amount, 0) as warnings_overdue
    from on_last_day
    left join answered
        on on_last_day.period = answered.period
        and on_last_day.is_before = answered.is_before
        and on_last_day.division_code = answered.division_code
        and on_last_day.level = answered.level
),

newly_covered as (
    select
        report_period.period,
        report_period.is_before,
        spell.joined_division_code as division_code,
        'people_newly_covered' as measure,
        spell.membership as item,
        count(distinct spell.person_id) as amount
    from spell
    inner join report_period
        on spell.joined_on between report_period.first_on and report_period.last_on
    where
        spell.membership in (
            'minimum_allowance', 'special_hardship', 'living_subsidy', 'care_subsidy', 'orphan', 'de_facto_unsupported'
        )
    group by
        report_period.period,
        report_period.is_before,
        spell.joined_division_code,
        spell.membership
),

helped as (
    select
        report_period.period,
        report_period.is_before,
        grant_paid.division_code,
        'people_granted' as measure,
        'temporary_assistance' as item,
        count(distinct grant_paid.citizen_id) as amount
    from grant_paid
    inner join report_period
        on grant_paid.granted_on between report_period.first_on and report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        grant_paid.division_code
),

paid as (
    select
        report_period.period,
        report_period.is_before,
        benefit_amount.division_code,
        'money' as measure,
        benefit_amount.benefit as item,
        sum(benefit_amount.amount) as amount
    from benefit_amount
    inner join report_period
        on benefit_amount.paid_on between report_period.first_on and report_period.last_on
    group by
        report_period.period,
        report_period.is_before,
        benefit_amount.division_code,
        benefit_amount.benefit
),

measured as (
    select * from opened
    union all
    select * from closed
    {% for measure, source in [
        ('warnings_visited', 'seen'),
        ('warnings_referred', 'seen'),
        ('warnings_resolved', 'seen'),
        ('warnings_standing', 'standing'),
        ('warnings_overdue', 'standing'),
    ] %}
    union all
    select
        period,
        is_before,
        division_code,
        '{{ measure }}' as measure,
        item,
        {{ measure }} as amount
    from {{ source }}
    where {{ measure }} > 0
    {% endfor %}
    union all
    select * from newly_covered
    union all
    select * from helped
    union all
    select * from paid
),

by_village as (
    select
        period,
        division_code,
        measure,
        item,
        coalesce(sum(amount) filter (where not is_before), 0) as amount,
        coalesce(sum(amount) filter (where is_before), 0) as amount_before
    from measured
    group by
        period,
        division_code,
        measure,
        item
),

by_area as (
    {{ by_every_area('by_village', ['period', 'measure', 'item'], ['amount', 'amount_before']) }}
),

-- Of an allowance that is paid every month, the months that are known: a change against a period of which only some
-- months were ever listed says nothing. Counted once, however few rows the planner expects to ask for it.
listed as materialized (
    select
        report_period.period,
        benefit_amount.benefit,
        count(distinct benefit_amount.paid_on) filter (where not report_period.is_before) as months,
        count(distinct benefit_amount.paid_on) filter (where report_period.is_before) as months_before
    from benefit_amount
    inner join report_period
        on benefit_amount.paid_on between report_period.first_on and report_period.last_on
    where benefit_amount.is_monthly
    group by
        report_period.period,
        benefit_amount.benefit
),

final as (
    select
        {{ as_of() }} as as_of,
        own.period,
        own.name_en as period_name_en,
        own.name_zh as period_name_zh,
        own.first_on,
        own.last_on,
        earlier.first_on as before_first_on,
        earlier.last_on as before_last_on,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.measure,
        by_area.item,
        case
            when by_area.measure = 'money' then 'yuan'
            when starts_with(by_area.measure, 'people') then 'people'
            else 'warnings'
        end as unit,
        by_area.amount,
        by_area.amount_before,
        listed.months::integer as months_listed,
        listed.months_before::integer as months_listed_before
    from by_area
    inner join report_period as own
        on by_area.period = own.period
        and not own.is_before
    inner join report_period as earlier
        on by_area.period = earlier.period
        and earlier.is_before
    left join division
        on by_area.division_code = division.code
    left join listed
        on by_area.measure = 'money'
        and by_area.period = listed.period
        and by_area.item = listed.benefit
)

select * from final
