with

household as (
    select *
    from {{ ref('int_household') }}
),

refused as (
    select *
    from {{ ref('int_household__latest_check') }}
    where result = 'refused'
),

finding as (
    {{ findings(['BL']) }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

new_trouble as (
    select finding.*
    from finding
    inner join refused
        on finding.household_id = refused.household_id
    where finding.fact_on > refused.checked_on
),

trouble as (
    {{ findings_by_household('new_trouble') }}
),

final as (
    select
        'PT04' as indicator_code,
        'H' as scope,
        household.head_person_id as person_id,
        household.household_id,
        household.division_code,
        trouble.first_fact_on as fact_on,
        {{ evidence(
            compared=[
                compared('result', 'refused.result', '=', expected="'refused'"),
                compared('checked_on', 'refused.checked_on', 'within', limit='look_back'),
                compared('indicator_codes', 'trouble.indicator_codes', 'in', expected="array['BL']"),
                compared('new_trouble_on', 'trouble.first_fact_on', '>', expected='refused.checked_on'),
            ],
            facts=[
                fact('economic_check', 'result', 'refused', 'refused.checked_on'),
                fact('economic_check', 'checked_on', 'refused', 'refused.checked_on'),
            ],
            facts_of=['trouble.facts'],
        ) }} as evidence
    from trouble
    inner join refused
        on trouble.household_id = refused.household_id
    inner join household
        on trouble.household_id = household.household_id
    inner join look_back
        on household.standard_area = look_back.standard_area
)

select * from final
