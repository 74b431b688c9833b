-- The special groups counted by area and month, with joins and leaves.
{{ config(incremental_strategy='mirror', unique_key=['month', 'division_code', 'special_group']) }}

with

-- Before the first of the months one day is like another.
special_group as (
    select
        division_code,
        special_group,
        greatest(joined_on, {{ first_report_month() }} - 1) as joined_on,
        is_start_known,
        left_on
    from {{ ref('special_group') }}
),

month as (
    {{ report_months() }}
),

division as (
    {{ divisions() }}
),

-- Those who come and go together are counted once for all months.
spell as (
    select
        division_code,
        special_group,
        joined_on,
        is_start_known,
        left_on,
        count(*) as people
    from special_group
    group by
        division_code,
        special_group,
        joined_on,
        is_start_known,
        left_on
),

by_village as (
    select
        spell.division_code,
        spell.special_group,
        month.month,
        coalesce(sum(spell.people) filter (where spell.left_on is null or spell.left_on > month.last_on), 0) as people,
        coalesce(
            sum(spell.people) filter (where spell.joined_on >= month.month and spell.is_start_known), 0
        ) as joined_people,
        coalesce(
            sum(spell.people) filter (where spell.left_on between month.month and month.last_on), 0
        ) as left_people
    from spell
    inner join month
        on spell.joined_on <= month.last_on
        and coalesce(spell.left_on, 'infinity') >= month.month
    group by
        spell.division_code,
        spell.special_group,
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
