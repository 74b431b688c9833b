-- The counties of the 'three districts and three states' (三区三州) from which anything has come: how many there are to
-- be helped, what has been paid, and in which order to look at them. The table is marts.priority_area; the seed has the
-- short name.
{{ config(alias='priority_area', incremental_strategy='mirror', unique_key='county_code') }}

with

priority_area as (
    select *
    from {{ ref('priority_area') }}
),

member as (
    select *
    from {{ ref('household_member') }}
),

coverage_gap as (
    select *
    from {{ ref('coverage_gap') }}
    where division_level = 'county'
),

warning as (
    select *
    from {{ ref('warning') }}
    where closed_on is null
),

benefit_amount as (
    select *
    from {{ ref('int_benefit_amount') }}
),

division as (
    {{ divisions() }}
),

inhabited as (
    select
        county_code,
        count(*) as people
    from member
    group by county_code
),

-- A county's own row wins over that of its prefecture or province.
county as (
    select distinct on (inhabited.county_code)
        inhabited.county_code,
        inhabited.people,
        priority_area.priority_group,
        priority_area.region,
        coalesce(priority_area.is_deep_poverty, false) as is_deep_poverty
    from inhabited
    cross join lateral {{ area_and_parents('inhabited.county_code') }} as around
    inner join priority_area
        on around.area = priority_area.area
    order by
        inhabited.county_code,
        around.digits desc
),

at_risk as (
    select
        division_code as county_code,
        sum(at_risk_people) as at_risk_people,
        sum(uncovered_people) as uncovered_people,
        sum(uncovered_households) as uncovered_households
    from coverage_gap
    group by division_code
),

warned as (
    select
        county_code,
        count(*) as open_warnings,
        count(*) filter (where is_overdue) as overdue_warnings
    from warning
    group by county_code
),

paid as (
    select
        left(division_code, 6) as county_code,
        sum(amount) filter (
            where paid_on >= date_trunc('month', {{ as_of() }} + interval '1 day') - interval '1 month'
            and paid_on < date_trunc('month', {{ as_of() }} + interval '1 day')
        ) as month_yuan,
        sum(amount) filter (where {{ within_months('paid_on', 12) }}) as year_yuan,
        count(distinct paid_on) filter (
            where is_monthly and {{ within_months('paid_on', 12) }}
        ) as months_listed
    from benefit_amount
    group by left(division_code, 6)
),

final as (
    select
        {{ as_of() }} as as_of,
        county.county_code,
        division.name as county_name,
        county.priority_group,
        county.region,
        county.is_deep_poverty,
        county.people::integer as people,
        coalesce(at_risk.at_risk_people, 0)::integer as at_risk_people,
        coalesce(at_risk.uncovered_people, 0)::integer as uncovered_people,
        coalesce(at_risk.uncovered_households, 0)::integer as uncovered_households,
        coalesce(warned.open_warnings, 0)::integer as open_warnings,
        coalesce(warned.overdue_warnings, 0)::integer as overdue_warnings,
        coalesce(paid.month_yuan, 0) as paid_last_month_yuan,
        coalesce(paid.year_yuan, 0) as paid_12_months_yuan,
        coalesce(paid.months_listed, 0)::integer as months_listed,
        (rank() over (
            order by
                county.is_deep_poverty desc,
                coalesce(at_risk.uncovered_people, 0) desc,
                coalesce(warned.overdue_warnings, 0) desc,
                coalesce(at_risk.at_risk_people, 0) desc
        ))::integer as priority_rank
    from county
    left join division
        on county.county_code = division.code
    left join at_risk
        on county.county_code = at_risk.county_code
    left join warned
        on county.county_code = warned.county_code
    left join paid
        on county.county_code = paid.county_code
)

select * from final
