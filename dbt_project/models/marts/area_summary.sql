-- The warnings counted for every area above them, village to province.
{{ config(incremental_strategy='mirror', unique_key=['division_code', 'indicator_code']) }}

with

warning as (
    select *
    from {{ ref('warning') }}
    where
        closed_on is null
        or closed_on = {{ as_of() }}
),

division as (
    {{ divisions() }}
),

by_village as (
    select
        division_code,
        indicator_code,
        count(*) filter (where closed_on is null) as open_warnings,
        count(*) filter (where closed_on is null and opened_on = {{ as_of() }}) as opened_warnings,
        count(*) filter (where status = 'cleared' and opened_on < {{ as_of() }}) as cleared_warnings,
        count(*) filter (where status = 'not_confirmed') as not_confirmed_warnings,
        count(*) filter (where is_overdue) as overdue_warnings
    from warning
    group by
        division_code,
        indicator_code
),

by_area as (
    {{ by_every_area('by_village', ['indicator_code'], [
        'open_warnings',
        'opened_warnings',
        'cleared_warnings',
        'not_confirmed_warnings',
        'overdue_warnings',
    ], with_whole=false) }}
),

final as (
    select
        {{ as_of() }} as as_of,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.indicator_code,
        by_area.open_warnings::integer as open_warnings,
        by_area.opened_warnings::integer as opened_warnings,
        by_area.cleared_warnings::integer as cleared_warnings,
        by_area.not_confirmed_warnings::integer as not_confirmed_warnings,
        by_area.overdue_warnings::integer as overdue_warnings
    from by_area
    left join division
        on by_area.division_code = division.code
)

select * from final
