-- What a household has per person and month, as whichever feed says it latest. `income_on` is the day for which it is
-- said, `income_since` the day from which that row has said it.
{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

member as (
    select *
    from {{ ref('int_household_member') }}
),

latest_check as (
    select *
    from {{ ref('int_household__latest_check') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

poverty_register as (
    select *
    from {{ ref('stg_poverty_register') }}
),

told as (
    select
        {{ county_of() }}
        household_id,
        monthly_income_per_capita as income_monthly,
        'economic_check' as income_feed,
        'monthly_income_per_capita' as income_column,
        monthly_income_per_capita as income_sent,
        checked_on as income_on,
        checked_on as income_since,
        1 as feed_rank,
        true as is_head,
        null as citizen_id,
        null as record_no,
        _load_id,
        _row_no
    from latest_check
    union all
    select
        {{ county_of('member') }}
        member.household_id,
        minimum_allowance.monthly_income_per_capita as income_monthly,
        'minimum_allowance' as income_feed,
        'monthly_income_per_capita' as income_column,
        minimum_allowance.monthly_income_per_capita as income_sent,
        minimum_allowance._data_date as income_on,
        minimum_allowance._valid_from as income_since,
        2 as feed_rank,
        member.is_head,
        member.citizen_id,
        minimum_allowance.certificate_no as record_no,
        minimum_allowance._load_id,
        minimum_allowance._row_no
    from minimum_allowance
    inner join member
        on minimum_allowance.citizen_id = member.citizen_id
    union all
    select
        {{ county_of('member') }}
        member.household_id,
        poverty_register.annual_income_per_capita / 12 as income_monthly,
        'poverty_register' as income_feed,
        'annual_income_per_capita' as income_column,
        poverty_register.annual_income_per_capita as income_sent,
        poverty_register._data_date as income_on,
        poverty_register._valid_from as income_since,
        3 as feed_rank,
        member.is_head,
        member.citizen_id,
        poverty_register.household_no as record_no,
        poverty_register._load_id,
        poverty_register._row_no
    from poverty_register
    inner join member -- not the row of another household that lists a member too
        on poverty_register.citizen_id = member.citizen_id
        and poverty_register._county_code = member._county_code
        and poverty_register.household_no = member.register_no
),

final as (
    select distinct on (household_id)
        {{ county_of() }}
        household_id,
        income_monthly,
        income_feed,
        income_column,
        income_sent,
        income_on,
        income_since,
        _load_id as income_load_id,
        _row_no as income_row_no
    from told
    order by
        household_id,
        income_on desc,
        feed_rank,
        is_head desc,
        citizen_id,
        record_no,
        _load_id,
        _row_no
)

select * from final
