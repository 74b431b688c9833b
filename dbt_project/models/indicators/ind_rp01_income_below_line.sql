with

head as (
    select *
    from {{ ref('int_poverty_member') }}
    where is_head
),

versions as (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

poverty_line as (
    {{ local_standard('return_to_poverty_line_annual') }}
),

found as (
    select
        head.*,
        poverty_line.value as poverty_line
    from head
    inner join poverty_line
        on head.standard_area = poverty_line.standard_area
    where head.annual_income_per_capita < poverty_line.value
),

income as (
    select
        versions._county_code,
        versions.household_no,
        versions.citizen_id,
        versions._valid_from,
        versions._valid_to,
        versions.annual_income_per_capita < found.poverty_line as is_below
    from versions
    inner join found
        on versions._county_code = found._county_code
        and versions.household_no = found.household_no
        and versions.citizen_id = found.citizen_id
),

below as (
    {{ since('income', records='found', key=['_county_code', 'household_no', 'citizen_id'], state='is_below') }}
),

final as (
    select
        'RP01' as indicator_code,
        'H' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        below.since as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'annual_income_per_capita', 'found.annual_income_per_capita', '<',
                    limit='poverty_line', unit='yuan per person and year',
                ),
            ],
            facts=[fact('poverty_register', 'annual_income_per_capita', 'found', 'found._valid_from')],
        ) }} as evidence
    from found
    inner join below
        on found._county_code = below._county_code
        and found.household_no = below.household_no
        and found.citizen_id = below.citizen_id
    inner join poverty_line
        on found.standard_area = poverty_line.standard_area
)

select * from final
