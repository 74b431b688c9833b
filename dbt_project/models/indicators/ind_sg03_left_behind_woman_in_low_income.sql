with

left_behind as (
    select *
    from {{ ref('int_left_behind') }}
    where kind = 'woman'
),

versions as (
    select *
    from {{ ref('stg_left_behind__versions') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
    where is_low_income
),

low_income as (
    select *
    from {{ ref('int_household__low_income') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

found as (
    select distinct on (left_behind.person_id) left_behind.*
    from left_behind
    inner join household
        on {{ same_county('left_behind', 'household') }} left_behind.household_id = household.household_id
    where
        not exists (
            select 1
            from coverage
            where {{ same_county('coverage', 'left_behind') }} coverage.person_id = left_behind.person_id
        )
    order by
        left_behind.person_id,
        left_behind.registered_on,
        left_behind._county_code,
        left_behind._load_id,
        left_behind._row_no
),

listed as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'citizen_id'],
        state="kind = 'woman'",
    ) }}
),

final as (
    select
        'SG03' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(listed.since, found.registered_on) as fact_on,
        {{ evidence(
            compared=[
                compared('kind', 'found.kind', '=', expected="'woman'"),
                compared('covered', 'false', '=', expected='false'),
            ],
            compared_of=['low_income.compared'],
            facts=[
                fact('left_behind', 'kind', 'found', 'found._valid_from'),
                fact('left_behind', 'registered_on', 'found', 'found._valid_from'),
            ],
            facts_of=['low_income.facts'],
        ) }} as evidence
    from found
    inner join listed
        on found._county_code = listed._county_code
        and found.citizen_id = listed.citizen_id
    inner join low_income
        on {{ same_county('found', 'low_income') }} found.household_id = low_income.household_id
)

select * from final
