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
    from {{ ref('int_household') }}
    where register = 'poverty_register'
),

member as (
    select *
    from {{ ref('int_poverty_member') }}
),

disposable_income as (
    {{ local_standard('disposable_income_annual.rural') }}
),

share_limit as (
    {{ local_standard('self_paid_share_of_disposable_income') }}
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
        person.self_paid_total / disposable_income.value as self_paid_share,
        household.division_code,
        household.standard_area
    from person
    inner join household
        on {{ same_county('person', 'household') }} person.household_id = household.household_id
    inner join disposable_income
        on household.standard_area = disposable_income.standard_area
    inner join share_limit
        on household.standard_area = share_limit.standard_area
    where person.self_paid_total > share_limit.value * disposable_income.value
),

settled as (
    {{ self_paid_facts('settlement', 'found') }}
),

final as (
    select
        'RP05' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.settled_on as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'self_paid_total', 'found.self_paid_total', '>',
                    expected='trim_scale(share_limit.value * disposable_income.value)', unit='yuan',
                ),
                compared(
                    'self_paid_share', 'round(found.self_paid_share, 4)', '>',
                    limit='share_limit', unit='of the disposable income',
                ),
                compared(
                    'disposable_income_annual', 'disposable_income.value', '=',
                    limit='disposable_income', unit='yuan per person and year',
                ),
                compared('settled_on', 'found.settled_on', 'within', limit='look_back'),
                compared('in_poverty_register', 'true', '=', expected='true'),
            ],
            facts=[fact('poverty_register', 'household_no', 'member', 'member._valid_from')],
            facts_of=['settled.facts'],
        ) }} as evidence
    from found
    inner join settled
        on {{ same_county('found', 'settled') }} found.person_id = settled.person_id
    inner join member
        on {{ same_county('found', 'member') }} found.person_id = member.person_id
    inner join disposable_income
        on found.standard_area = disposable_income.standard_area
    inner join share_limit
        on found.standard_area = share_limit.standard_area
    inner join look_back
        on found.standard_area = look_back.standard_area
)

select * from final
