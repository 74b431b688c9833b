-- The special groups counted by area and month, with joins and leaves.
{{ config(incremental_strategy='mirror', unique_key=['month', 'division_code', 'special_group']) }}

with

special_group as (
    select *
    from {{ ref('special_group') }}
),

month as (
    {{ report_months() }}
),

division as (
    {{ divisions() }}
),

by_village as (
    select
        special_group.division_code,
        special_group.special_group,
        month.month,
        count(*) filter (
            where special_group.left_on is null or special_group.left_on > month.last_on
        ) as people,
        count(*) filter (
            where special_group.joined_on >= month.month and special_group.is_start_known
        ) as joined_people,
        count(*) filter (where special_group.left_on between month.month and month.last_on) as left_people
    from special_group
    inner join month
        on special_group.joined_on <= month.last_on
        and coalesce(special_group.left_on, 'infinity') >= month.month
    group by
        special_group.division_code,
        special_group.special_group,
        month.month
),

by_area as (
    {{ by_every_area('by_village', ['special_group', 'month'], ['people', 'joined_people', 'left_people']) }}
),

final as (
    select
        {{ as_of() }} as as_of,
        by_area.month,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.special_group,
        by_area.people::integer as people,
        by_area.joined_people::integer as joined_people,
        by_area.left_people::integer as left_people
    from by_area
    left join division
        on by_area.division_code = division.code
)

select * from final
