with

household as (
    select *
    from {{ ref('int_household__situation') }}
),

latest_check as (
    select *
    from {{ ref('int_household__latest_check') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

final as (
    select
        'PT01' as indicator_code,
        'H' as scope,
        household.head_person_id as person_id,
        household.household_id,
        household.division_code,
        greatest(latest_check.checked_on, household.income_since) as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'income_monthly', 'round(household.income_monthly, 2)', '<',
                    limit='minimum_allowance', unit='yuan per person and month',
                ),
                compared('assets_over_limit', 'latest_check.assets_over_limit', '=', expected='false'),
                compared('checked_on', 'latest_check.checked_on', 'within', limit='look_back'),
                compared('covered', 'household.is_covered', '=', expected='false'),
            ],
            facts=[
                income_fact('household'),
                fact('economic_check', 'assets_over_limit', 'latest_check', 'latest_check.checked_on'),
            ],
        ) }} as evidence
    from household
    inner join latest_check
        on household.household_id = latest_check.household_id
    inner join look_back
        on household.standard_area = look_back.standard_area
    inner join local_standard as minimum_allowance
        on household.standard_area = minimum_allowance.standard_area
        and minimum_allowance.name = 'minimum_allowance_monthly.' || household.area_type
    where
        not latest_check.assets_over_limit
        and not household.is_covered
        and household.income_monthly < minimum_allowance.value
)

select * from final
