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

-- Those that come and go together are counted once for all months.
spell as (
    select
        division_code,
        kind,
        first_seen_on,
        closed_on,
        count(*) as people
    from comparison
    group by
        division_code,
        kind,
        first_seen_on,
        closed_on
),

by_village as (
    select
        spell.division_code,
        spell.kind,
        month.month,
        coalesce(
            sum(spell.people) filter (where spell.closed_on is null or spell.closed_on > month.last_on), 0
        ) as standing_people,
        coalesce(sum(spell.people) filter (where spell.first_seen_on >= month.month), 0) as new_people,
        coalesce(
            sum(spell.people) filter (where spell.closed_on between month.month and month.last_on), 0
        ) as gone_people
    from spell
    inner join month
        on spell.first_seen_on <= month.last_on
        and coalesce(spell.closed_on, 'infinity') >= month.month
    group by
        spell.division_code,
        spell.kind,
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
