-- What holds on the date: every indicator's findings with what the catalogue says of the indicator on that date.
{{ config(indexes=[{'columns': ['indicator_code', 'subject_id']}]) }}

with

found as (
    {% for indicator in var('indicators') %}
    select
        indicator_code,
        scope,
        person_id,
        household_id,
        division_code,
        fact_on,
        evidence
    from {{ ref(indicator) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

indicator as (
    {{ catalogue() }}
),

level as (
    select *
    from {{ ref('level') }}
),

household as (
    select *
    from {{ ref('int_household') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

mute as (
    {{ local_standard('mute_days') }}
),

final as (
    select
        found.indicator_code,
        found.scope,
        case found.scope when 'P' then found.person_id else found.household_id end as subject_id,
        found.person_id,
        found.household_id,
        household.county_code,
        found.division_code,
        indicator.level,
        level.rank as level_rank,
        indicator.lead_department,
        deadline.value::integer as deadline_working_days,
        mute.value::integer as mute_days,
        found.fact_on,
        found.evidence
    from found
    inner join indicator
        on found.indicator_code = indicator.code
    left join level
        on indicator.level = level.level
    left join household
        on found.household_id = household.household_id
    left join local_standard as deadline
        on household.standard_area = deadline.standard_area
        and deadline.name = 'visit_deadline.' || indicator.level
    left join mute
        on household.standard_area = mute.standard_area
)

select * from final
