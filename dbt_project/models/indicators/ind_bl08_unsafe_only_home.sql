with

dwelling as (
    select *
    from {{ ref('stg_housing_assistance') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

household as (
    select *
    from {{ ref('int_household') }}
),

found as (
    select distinct on (household.household_id)
        household.household_id,
        household.head_person_id,
        household.division_code,
        dwelling.safety_grade,
        dwelling.only_home,
        dwelling.works,
        dwelling.appraised_on,
        dwelling._valid_from,
        dwelling._load_id,
        dwelling._row_no
    from dwelling
    inner join member
        on dwelling.head_citizen_id = member.citizen_id
    inner join household
        on member.household_id = household.household_id
    where
        dwelling.safety_grade in ('C', 'D')
        and dwelling.only_home
        and dwelling.works <> 'completed'
    order by
        household.household_id,
        dwelling.appraised_on desc,
        dwelling.head_citizen_id,
        dwelling._county_code,
        dwelling._load_id,
        dwelling._row_no
),

final as (
    select
        'BL08' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        found.appraised_on as fact_on,
        {{ evidence(
            compared=[
                compared('safety_grade', 'found.safety_grade', 'in', expected="array['C', 'D']"),
                compared('only_home', 'found.only_home', '=', expected='true'),
                compared('works', 'found.works', '<>', expected="'completed'"),
            ],
            facts=[
                fact('housing_assistance', 'safety_grade', 'found', 'found.appraised_on'),
                fact('housing_assistance', 'only_home', 'found', 'found._valid_from'),
                fact('housing_assistance', 'works', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
)

select * from final
