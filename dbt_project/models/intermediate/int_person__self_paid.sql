-- What each person paid for treatment out of their own pocket within the look-back months.
{{ config(indexes=[{'columns': ['person_id'], 'unique': true}]) }}

with

settlement as (
    select *
    from {{ ref('int_settlement') }}
),

final as (
    select
        person_id,
        household_id,
        county_code,
        sum(self_paid) as self_paid_total,
        max(settled_on) as settled_on
    from settlement
    group by
        person_id,
        household_id,
        county_code
)

select * from final
