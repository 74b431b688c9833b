-- The latest economic check within the look-back months for which any member of the household applied.
{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

economic_check as (
    select *
    from {{ ref('stg_economic_check') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

final as (
    select distinct on (member.household_id)
        member.household_id,
        member.person_id as applicant_person_id,
        member.county_code,
        economic_check.check_no,
        economic_check.checked_on,
        economic_check.monthly_income_per_capita,
        economic_check.assets_over_limit,
        bool_or(economic_check.assets_over_limit) over (partition by member.household_id) as any_over_limit,
        economic_check.result,
        economic_check._load_id,
        economic_check._row_no
    from economic_check
    inner join member
        on economic_check.citizen_id = member.citizen_id
    inner join look_back
        on member.standard_area = look_back.standard_area
    where {{ within_months('economic_check.checked_on', 'look_back.value') }}
    order by
        member.household_id,
        economic_check.checked_on desc,
        member.is_head desc,
        member.citizen_id,
        economic_check.check_no,
        economic_check._county_code,
        economic_check._load_id,
        economic_check._row_no
)

select * from final
