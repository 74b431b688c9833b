-- The differences counted by area and month, from their history.
{{ config(incremental_strategy='mirror', unique_key=['month', 'division_code', 'kind']) }}

with

comparison as (
    select *
    from {{ ref('register_comparison') }}
),

month as (
    {{ report_months() }}
),

division as (
    {{ divisions() }}
),

by_village as (
    select
        comparison.division_code,
        comparison.kind,
        month.month,
        count(*) filter (
            where comparison.closed_on is null or comparison.closed_on > month.last_on
        ) as standing_people,
        count(*) filter (where comparison.first_seen_on >= month.month) as new_people,
        count(*) filter (where comparison.closed_on between month.month and month.last_on) as gone_people
    from comparison
    inner join month
        on comparison.first_seen_on <= month.last_on
        and coalesce(comparison.closed_on, 'infinity') >= month.month
    group by
        comparison.division_code,
        comparison.kind,
        month.month
),

by_area as (
    {{ by_every_area('by_village', ['kind', 'month'], ['standing_people', 'new_people', 'gone_people']) }}
),

final as (
    select
        {{ as_of() }} as as_of,
        by_area.month,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.kind,
        by_area.standing_people::integer as standing_people,
        by_area.new_people::integer as new_people,
        by_area.gone_people::integer as gone_people
    from by_area
    left join division
        on by_area.division_code = division.code
)

select * from final
