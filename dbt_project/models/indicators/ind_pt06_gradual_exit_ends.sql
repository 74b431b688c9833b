with

allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
    where gradual_exit_until >= {{ as_of() }}
),

versions as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

exit_days as (
    {{ local_standard('gradual_exit_days') }}
),

exit_multiple as (
    {{ local_standard('gradual_exit_multiple') }}
),

-- The first exit of a household to end.
found as (
    select distinct on (household.household_id)
        household.*,
        allowance.certificate_no,
        allowance.citizen_id,
        allowance.gradual_exit_until,
        allowance._county_code,
        allowance._valid_from,
        allowance._load_id,
        allowance._row_no
    from allowance
    inner join member
        on allowance.citizen_id = member.citizen_id
    inner join household
        on member.household_id = household.household_id
    inner join exit_days
        on household.standard_area = exit_days.standard_area
    inner join exit_multiple
        on household.standard_area = exit_multiple.standard_area
    where
        allowance.gradual_exit_until <= {{ as_of() }} + exit_days.value::integer
        and household.income_monthly < exit_multiple.value * household.minimum_allowance_monthly
    order by
        household.household_id,
        allowance.gradual_exit_until,
        member.is_head desc,
        allowance.citizen_id,
        allowance.certificate_no,
        allowance._county_code,
        allowance._load_id,
        allowance._row_no
),

exiting as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'certificate_no', 'citizen_id'],
        state='gradual_exit_until >= ' ~ as_of(),
    ) }}
),

final as (
    select
        'PT06' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        greatest(
            exiting.since, found.gradual_exit_until - exit_days.value::integer, found.income_since
        ) as fact_on,
        {{ evidence(
            compared=[
                compared('gradual_exit_until', 'found.gradual_exit_until', 'within', limit='exit_days'),
                compared(
                    'income_in_standards', 'round(found.income_monthly / found.minimum_allowance_monthly, 4)', '<',
                    limit='exit_multiple', unit='times the standard',
                ),
                compared(
                    'minimum_allowance_monthly', 'found.minimum_allowance_monthly', '=',
                    limit='minimum_allowance', unit='yuan per person and month',
                ),
            ],
            facts=[
                fact('minimum_allowance', 'gradual_exit_until', 'found', 'found._valid_from'),
                income_fact('found'),
            ],
        ) }} as evidence
    from found
    inner join exiting
        on found._county_code = exiting._county_code
        and found.certificate_no = exiting.certificate_no
        and found.citizen_id = exiting.citizen_id
    inner join exit_days
        on found.standard_area = exit_days.standard_area
    inner join exit_multiple
        on found.standard_area = exit_multiple.standard_area
    inner join local_standard as minimum_allowance
        on found.standard_area = minimum_allowance.standard_area
        and minimum_allowance.name = 'minimum_allowance_monthly.' || found.area_type
)

select * from final
