with

household as (
    select *
    from {{ ref('int_household__situation') }}
    where not is_covered
),

ended_benefit as (
    select *
    from {{ ref('int_ended_benefit') }}
),

finding as (
    {{ findings(['BL', 'PT01', 'PT02', 'PT03']) }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

-- Whoever left first, the household was covered until the last of its benefits ended.
left_last as (
    select distinct on (ended_benefit.household_id)
        household.head_person_id,
        household.division_code,
        household.standard_area,
        ended_benefit.*
    from ended_benefit
    inner join household
        on ended_benefit.household_id = household.household_id
    order by
        ended_benefit.household_id,
        ended_benefit.ended_on desc,
        ended_benefit.feed,
        ended_benefit.certificate_no,
        ended_benefit.citizen_id,
        ended_benefit._county_code,
        ended_benefit._valid_from desc,
        ended_benefit._load_id,
        ended_benefit._row_no
),

in_trouble as (
    select finding.*
    from finding
    inner join left_last
        on finding.household_id = left_last.household_id
),

trouble as (
    {{ findings_by_household('in_trouble') }}
),

final as (
    select
        'PT05' as indicator_code,
        'H' as scope,
        left_last.head_person_id as person_id,
        left_last.household_id,
        left_last.division_code,
        greatest(left_last.ended_on, trouble.first_fact_on) as fact_on,
        {{ evidence(
            compared=[
                compared('ended_on', 'left_last.ended_on', 'within', limit='look_back'),
                compared('ended_by', 'left_last.ended_by', 'in', expected="array['end_date', 'missing_from_list']"),
                compared('covered', 'false', '=', expected='false'),
                compared(
                    'indicator_codes', 'trouble.indicator_codes', 'in',
                    expected="array['BL', 'PT01', 'PT02', 'PT03']",
                ),
            ],
            facts_of=[benefit_facts('left_last', 'left_last._valid_from'), 'trouble.facts'],
        ) }} as evidence
    from left_last
    inner join trouble
        on left_last.household_id = trouble.household_id
    inner join look_back
        on left_last.standard_area = look_back.standard_area
)

select * from final
