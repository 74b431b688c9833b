with

person as (
    select *
    from {{ ref('int_person__self_paid') }}
),

settlement as (
    select *
    from {{ ref('int_settlement') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
),

low_income as (
    select *
    from {{ ref('int_household__low_income') }}
),

self_paid_limit as (
    {{ local_standard('medical_self_paid.low_income') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

found as (
    select
        {{ county_of('household') }}
        person.person_id,
        person.household_id,
        person.self_paid_total,
        person.settled_on,
        household.division_code,
        household.standard_area
    from person
    inner join household
        on {{ same_county('person', 'household') }} person.household_id = household.household_id
    inner join self_paid_limit
        on household.standard_area = self_paid_limit.standard_area
    where
        household.is_low_income
        and person.self_paid_total > self_paid_limit.value
),

settled as (
    {{ self_paid_facts('settlement', 'found') }}
),

final as (
    select
        'BL01' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.settled_on as fact_on,
        {{ evidence(
            compared=[
                compared('self_paid_total', 'found.self_paid_total', '>', limit='self_paid_limit', unit='yuan'),
                compared('settled_on', 'found.settled_on', 'within', limit='look_back'),
            ],
            compared_of=['low_income.compared'],
            facts_of=['settled.facts', 'low_income.facts'],
        ) }} as evidence
    from found
    inner join settled
        on {{ same_county('found', 'settled') }} found.person_id = settled.person_id
    inner join low_income
        on {{ same_county('found', 'low_income') }} found.household_id = low_income.household_id
    inner join self_paid_limit
        on found.standard_area = self_paid_limit.standard_area
    inner join look_back
        on found.standard_area = look_back.standard_area
)

select * from final
