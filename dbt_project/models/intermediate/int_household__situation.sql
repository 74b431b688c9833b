-- Where each household stands on the date: covered, at risk, margin, low-income.
{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

household as (
    select *
    from {{ ref('int_household') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

income as (
    select *
    from {{ ref('int_household__income') }}
),

latest_check as (
    select *
    from {{ ref('int_household__latest_check') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

margin as (
    {{ local_standard('low_margin_multiple') }}
),

covered as (
    select distinct {{ county_of() }} household_id
    from coverage
),

known as (
    select
        household.*,
        (household.poverty_status = any({{ at_risk_statuses() }})) is true as is_at_risk,
        covered.household_id is not null as is_covered,
        income.income_monthly,
        income.income_feed,
        income.income_column,
        income.income_sent,
        income.income_since,
        income.income_load_id,
        income.income_row_no,
        minimum_allowance.value as minimum_allowance_monthly,
        margin.value * minimum_allowance.value as margin_monthly,
        latest_check.any_over_limit is true as is_over_asset_limit
    from household
    left join covered
        on {{ same_county('household', 'covered') }} household.household_id = covered.household_id
    left join income
        on {{ same_county('household', 'income') }} household.household_id = income.household_id
    left join latest_check
        on {{ same_county('household', 'latest_check') }} household.household_id = latest_check.household_id
    left join local_standard as minimum_allowance
        on household.standard_area = minimum_allowance.standard_area
        and minimum_allowance.name = 'minimum_allowance_monthly.' || household.area_type
    left join margin
        on household.standard_area = margin.standard_area
),

judged as (
    select
        known.*,
        (
            not known.is_covered
            and known.income_monthly >= known.minimum_allowance_monthly
            and known.income_monthly < known.margin_monthly
            and not known.is_over_asset_limit
        ) is true as is_margin
    from known
),

final as (
    select
        judged.*,
        judged.is_covered or judged.is_margin or judged.is_at_risk as is_low_income
    from judged
)

select * from final
