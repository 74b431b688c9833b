with

left_behind as (
    select *
    from {{ ref('int_left_behind') }}
    where kind = 'child'
),

versions as (
    select *
    from {{ ref('stg_left_behind__versions') }}
),

child_age as (
    {{ local_standard('left_behind_child_age_below') }}
),

-- Whether a named guardian is capable is unknown where nobody says so.
found as (
    select distinct on (left_behind.person_id) left_behind.*
    from left_behind
    inner join child_age
        on left_behind.standard_area = child_age.standard_area
    where
        left_behind.age < child_age.value
        and (left_behind.is_without_guardian or not left_behind.guardian_capable)
    order by
        left_behind.person_id,
        left_behind.registered_on,
        left_behind._county_code,
        left_behind._load_id,
        left_behind._row_no
),

unguarded as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'citizen_id'],
        state="kind = 'child' and"
        ~ ' (not guardian_capable or (guardian_name is null and guardian_citizen_id is null))',
    ) }}
),

final as (
    select
        'SG01' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(unguarded.since, found.registered_on) as fact_on,
        {{ evidence(
            compared=[
                compared('kind', 'found.kind', '=', expected="'child'"),
                compared('age', 'found.age', '<', limit='child_age', unit='years'),
                compared(
                    'guardian', "case when found.is_without_guardian then 'none' else 'not_capable' end", 'in',
                    expected="array['none', 'not_capable']",
                ),
            ],
            facts=[
                fact('left_behind', 'kind', 'found', 'found._valid_from'),
                fact('left_behind', 'guardian_capable', 'found', 'found._valid_from'),
                fact('left_behind', 'registered_on', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join unguarded
        on found._county_code = unguarded._county_code
        and found.citizen_id = unguarded.citizen_id
    inner join child_age
        on found.standard_area = child_age.standard_area
)

select * from final
