with

household as (
    select *
    from {{ ref('int_household__situation') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

versions as (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

found as (
    select
        household.household_id,
        household.head_person_id,
        household.division_code,
        head.poverty_status,
        head.register_no as household_no,
        head.citizen_id,
        head._county_code,
        head._valid_from,
        head._load_id,
        head._row_no
    from household
    inner join member as head
        on household.head_person_id = head.person_id
    where
        household.is_at_risk
        and not household.is_covered
),

at_risk as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'household_no', 'citizen_id'],
        state='status = any(' ~ at_risk_statuses() ~ ')',
    ) }}
),

final as (
    select
        'RP03' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        at_risk.since as fact_on,
        {{ evidence(
            compared=[
                compared('poverty_status', 'found.poverty_status', 'in', expected=at_risk_statuses()),
                compared('covered', 'false', '=', expected='false'),
            ],
            facts=[fact('poverty_register', 'status', 'found', 'found._valid_from', 'found.poverty_status')],
        ) }} as evidence
    from found
    inner join at_risk
        on found._county_code = at_risk._county_code
        and found.household_no = at_risk.household_no
        and found.citizen_id = at_risk.citizen_id
)

select * from final
