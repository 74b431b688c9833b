with

household as (
    select *
    from {{ ref('int_household') }}
),

finding as (
    {{ findings(['RP', 'BL', 'PT', 'CG', 'SG']) }}
),

risks_limit as (
    {{ local_standard('several_risks') }}
),

-- Two members with the same trouble are one risk.
risk as (
    select
        household_id,
        indicator_code,
        min(fact_on) as fact_on
    from finding
    group by
        household_id,
        indicator_code
),

ranked as (
    select
        *,
        row_number() over (partition by household_id order by fact_on, indicator_code) as place
    from risk
),

-- The risk that made them several.
found as (
    select
        household.household_id,
        household.head_person_id,
        household.division_code,
        household.standard_area,
        ranked.fact_on
    from ranked
    inner join household
        on ranked.household_id = household.household_id
    inner join risks_limit
        on household.standard_area = risks_limit.standard_area
    where ranked.place = risks_limit.value
),

of_found as (
    select finding.*
    from finding
    inner join found
        on finding.household_id = found.household_id
),

together as (
    {{ findings_by_household('of_found') }}
),

final as (
    select
        'MR01' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        found.fact_on,
        {{ evidence(
            compared=[
                compared('indicators', 'together.indicators', '>=', limit='risks_limit', unit='indicators'),
                compared(
                    'indicator_codes', 'together.indicator_codes', 'in',
                    expected="array['RP', 'BL', 'PT', 'CG', 'SG']",
                ),
            ],
            facts_of=['together.facts'],
        ) }} as evidence
    from found
    inner join together
        on found.household_id = together.household_id
    inner join risks_limit
        on found.standard_area = risks_limit.standard_area
)

select * from final
