with

household as (
    select *
    from {{ ref('int_household__situation') }}
    where
        register = 'poverty_register'
        and poverty_status = 'lifted'
        and not is_covered
        and income_monthly < minimum_allowance_monthly
),

head as (
    select *
    from {{ ref('int_poverty_member') }}
    where is_head
),

-- Read more than once, and each time a small part of it: not to be copied first.
poverty_versions as not materialized (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

allowance_versions as not materialized (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

found as (
    select
        household.*,
        head.person_id,
        head.household_no,
        head.citizen_id,
        head.status,
        head._county_code,
        head._valid_from,
        head._load_id,
        head._row_no
    from household
    inner join head
        on household.household_id = head.household_id
),

lifted as (
    {{ since(
        'poverty_versions',
        records='found',
        key=['_county_code', 'household_no', 'citizen_id'],
        state="status = 'lifted'",
    ) }}
),

-- A check has its day; what a list says has been so for as long as its row says it.
income as (
    select
        found.household_id,
        versions._valid_from,
        versions._valid_to,
        versions.annual_income_per_capita / 12 < found.minimum_allowance_monthly as is_below
    from found
    inner join poverty_versions as said
        on found.income_load_id = said._load_id
        and found.income_row_no = said._row_no
    inner join poverty_versions as versions
        on said._county_code = versions._county_code
        and said.household_no = versions.household_no
        and said.citizen_id = versions.citizen_id
    where found.income_feed = 'poverty_register'
    union all
    select
        found.household_id,
        versions._valid_from,
        versions._valid_to,
        versions.monthly_income_per_capita < found.minimum_allowance_monthly as is_below
    from found
    inner join allowance_versions as said
        on found.income_load_id = said._load_id
        and found.income_row_no = said._row_no
    inner join allowance_versions as versions
        on said._county_code = versions._county_code
        and said.certificate_no = versions.certificate_no
        and said.citizen_id = versions.citizen_id
    where found.income_feed = 'minimum_allowance'
),

-- Computed once, however few rows the planner expects to ask for it.
below as materialized (
    {{ since('income', records='found', key=['household_id'], state='is_below') }}
),

final as (
    select
        'RP06' as indicator_code,
        'H' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(lifted.since, coalesce(below.since, found.income_since)) as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'income_monthly', 'trunc(found.income_monthly, 2)', '<',
                    limit='minimum_allowance', unit='yuan per person and month',
                ),
                compared('poverty_status', 'found.status', '=', expected="'lifted'"),
                compared('covered', 'found.is_covered', '=', expected='false'),
            ],
            facts=[
                income_fact('found'),
                fact('poverty_register', 'status', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join lifted
        on found._county_code = lifted._county_code
        and found.household_no = lifted.household_no
        and found.citizen_id = lifted.citizen_id
    left join below
        on found.household_id = below.household_id
    inner join local_standard as minimum_allowance
        on found.standard_area = minimum_allowance.standard_area
        and minimum_allowance.name = 'minimum_allowance_monthly.' || found.area_type
)

select * from final
