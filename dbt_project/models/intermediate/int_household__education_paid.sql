-- What each household pays for its members' education out of its own pocket, and since when it has been that much.
{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

education as (
    select *
    from {{ ref('int_education') }}
    where self_paid > 0
),

final as (
    select
        household_id,
        county_code,
        sum(self_paid) as education_self_paid,
        max(paid_since) as paid_since
    from education
    group by
        household_id,
        county_code
)

select * from final
