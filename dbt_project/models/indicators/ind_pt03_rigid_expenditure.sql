with

household as (
    select *
    from {{ ref('int_household__situation') }}
),

rigid as (
    select *
    from {{ ref('int_household__rigid') }}
    where rigid_expenditure > 0
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

rigid_share as (
    {{ local_standard('rigid_share_of_income') }}
),

final as (
    select
        'PT03' as indicator_code,
        'H' as scope,
        household.head_person_id as person_id,
        household.household_id,
        household.division_code,
        greatest(rigid.paid_on, household.income_since) as fact_on,
        -- Without any income the share has no bound, and JSON says so in a word.
        {{ evidence(
            compared=[
                compared('rigid_expenditure', 'rigid.rigid_expenditure', '>', expected='0', unit='yuan'),
                compared(
                    'rigid_share',
                    "case when household.income_monthly = 0 then 'infinity' else"
                    ~ ' round(rigid.rigid_expenditure / (household.income_monthly * 12 * household.members), 4) end',
                    '>=', limit='rigid_share', unit='of the yearly income',
                ),
                compared(
                    'income_annual', 'round(household.income_monthly * 12, 2)', '<',
                    limit='disposable_income', unit='yuan per person and year',
                ),
                compared('members', 'household.members', '>=', expected='1', unit='persons'),
                compared('covered', 'household.is_covered', '=', expected='false'),
            ],
            facts=[income_fact('household')],
            facts_of=['rigid.facts'],
        ) }} as evidence
    from household
    inner join rigid
        on {{ same_county('household', 'rigid') }} household.household_id = rigid.household_id
    inner join rigid_share
        on household.standard_area = rigid_share.standard_area
    inner join local_standard as disposable_income
        on household.standard_area = disposable_income.standard_area
        and disposable_income.name = 'disposable_income_annual.' || household.area_type
    where
        not household.is_covered
        -- A yearly income was divided by twelve: rounding to the fen gives back exactly what was sent.
        and round(household.income_monthly * 12, 2) < disposable_income.value
        and rigid.rigid_expenditure
        >= rigid_share.value * round(household.income_monthly * 12, 2) * household.members
)

select * from final
