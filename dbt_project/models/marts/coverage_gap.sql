-- The funnel of those at risk in the poverty register, for every area and for the whole: each person stands once, with
-- the first of the benefits they have.
{{ config(incremental_strategy='mirror', unique_key=['division_code', 'poverty_status']) }}

with

person as (
    select *
    from {{ ref('marts_person') }}
    where is_at_risk
),

division as (
    {{ divisions() }}
),

by_household as (
    select
        division_code,
        poverty_status,
        household_id,
        count(*) as at_risk_people,
        count(*) filter (where has_minimum_allowance) as minimum_allowance_people,
        count(*) filter (where not has_minimum_allowance and has_special_hardship) as special_hardship_people,
        count(*) filter (where not is_covered and temporary_grants > 0) as temporary_people,
        count(*) filter (where not is_covered and temporary_grants = 0) as uncovered_people,
        count(*) filter (where not is_household_covered and is_head) as uncovered_households
    from person
    group by
        division_code,
        poverty_status,
        household_id
),

by_village as (
    select
        division_code,
        poverty_status,
        sum(at_risk_people) as at_risk_people,
        sum(minimum_allowance_people) as minimum_allowance_people,
        sum(special_hardship_people) as special_hardship_people,
        sum(temporary_people) as temporary_people,
        sum(uncovered_people) as uncovered_people,
        count(*) as at_risk_households,
        sum(uncovered_households) as uncovered_households
    from by_household
    group by
        division_code,
        poverty_status
),

by_area as (
    {{ by_every_area('by_village', ['poverty_status'], [
        'at_risk_people',
        'minimum_allowance_people',
        'special_hardship_people',
        'temporary_people',
        'uncovered_people',
        'at_risk_households',
        'uncovered_households',
    ]) }}
),

final as (
    select
        {{ as_of() }} as as_of,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.poverty_status,
        by_area.at_risk_people::integer as at_risk_people,
        by_area.minimum_allowance_people::integer as minimum_allowance_people,
        by_area.special_hardship_people::integer as special_hardship_people,
        by_area.temporary_people::integer as temporary_people,
        by_area.uncovered_people::integer as uncovered_people,
        by_area.at_risk_households::integer as at_risk_households,
        by_area.uncovered_households::integer as uncovered_households
    from by_area
    left join division
        on by_area.division_code = division.code
)

select * from final
