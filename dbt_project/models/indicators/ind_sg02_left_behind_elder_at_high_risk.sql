with

left_behind as (
    select *
    from {{ ref('int_left_behind') }}
    where kind = 'elder'
),

versions as (
    select *
    from {{ ref('stg_left_behind__versions') }}
),

certificate as (
    select *
    from {{ ref('int_disability') }}
    where is_severe
),

elder_age as (
    {{ local_standard('left_behind_elder_age') }}
),

disabled as (
    select distinct on (person_id) *
    from certificate
    order by
        person_id,
        issued_on,
        certificate_no,
        _county_code,
        _load_id,
        _row_no
),

found as (
    select distinct on (left_behind.person_id)
        left_behind.*,
        left_behind.age >= elder_age.value as is_aged,
        disabled.person_id is not null as is_severe,
        -- whichever of the two came first was reason enough
        least(
            case
                when left_behind.age >= elder_age.value
                    then {{ turned_on('left_behind.birth_on', 'elder_age.value') }}
            end,
            disabled.issued_on
        ) as at_risk_since
    from left_behind
    inner join elder_age
        on left_behind.standard_area = elder_age.standard_area
    left join disabled
        on left_behind.person_id = disabled.person_id
    where
        left_behind.age >= elder_age.value
        or disabled.person_id is not null
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
        state="kind = 'elder'",
    ) }}
),

final as (
    select
        'SG02' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(listed.since, found.registered_on, found.at_risk_since) as fact_on,
        {{ evidence(
            compared=[compared('kind', 'found.kind', '=', expected="'elder'")],
            compared_of=[
                where_true(
                    'found.is_aged',
                    'jsonb_build_array(' ~ compared('age', 'found.age', '>=', limit='elder_age', unit='years') ~ ')',
                ),
                where_true(
                    'found.is_severe',
                    'jsonb_build_array(' ~ compared('severe_disability', 'true', '=', expected='true') ~ ')',
                ),
            ],
            facts=[
                fact('left_behind', 'kind', 'found', 'found._valid_from'),
                fact('left_behind', 'registered_on', 'found', 'found._valid_from'),
            ],
            facts_of=[where_true('found.is_severe', severe_disability_facts('disabled'))],
        ) }} as evidence
    from found
    inner join listed
        on found._county_code = listed._county_code
        and found.citizen_id = listed.citizen_id
    inner join elder_age
        on found.standard_area = elder_age.standard_area
    left join disabled
        on found.person_id = disabled.person_id
)

select * from final
