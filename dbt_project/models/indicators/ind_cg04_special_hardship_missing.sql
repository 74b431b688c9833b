with

household as (
    select *
    from {{ ref('int_household__situation') }}
    where
        members = 1
        and not is_covered
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

certificate as (
    select *
    from {{ ref('int_disability') }}
    where is_severe
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

elder_age as (
    {{ local_standard('special_hardship_elder_age') }}
),

child_age as (
    {{ local_standard('special_hardship_child_age_below') }}
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

poor as (
    select
        household.*,
        member.birth_on,
        {{ age_on('member.birth_on') }} as age
    from household
    inner join member
        on household.head_person_id = member.person_id
    where household.income_monthly < household.minimum_allowance_monthly
),

found as (
    select
        poor.*,
        poor.age >= elder_age.value as is_elder,
        poor.age < child_age.value as is_child,
        disabled.person_id is not null as is_severe,
        -- whichever of the three came first was reason enough
        least(
            case when poor.age >= elder_age.value then {{ turned_on('poor.birth_on', 'elder_age.value') }} end,
            case when poor.age < child_age.value then poor.birth_on end,
            disabled.issued_on
        ) as entitled_since
    from poor
    inner join elder_age
        on poor.standard_area = elder_age.standard_area
    inner join child_age
        on poor.standard_area = child_age.standard_area
    left join disabled
        on poor.head_person_id = disabled.person_id
    where
        poor.age >= elder_age.value
        or poor.age < child_age.value
        or disabled.person_id is not null
),

final as (
    select
        'CG04' as indicator_code,
        'P' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        greatest(found.income_since, found.entitled_since) as fact_on,
        {{ evidence(
            compared=[
                compared('members', 'found.members', '=', expected='1'),
                compared(
                    'income_monthly', 'round(found.income_monthly, 2)', '<',
                    limit='minimum_allowance', unit='yuan per person and month',
                ),
                compared('covered', 'found.is_covered', '=', expected='false'),
            ],
            compared_of=[
                where_true(
                    'found.is_elder',
                    'jsonb_build_array(' ~ compared('age', 'found.age', '>=', limit='elder_age', unit='years') ~ ')',
                ),
                where_true(
                    'found.is_child',
                    'jsonb_build_array(' ~ compared('age', 'found.age', '<', limit='child_age', unit='years') ~ ')',
                ),
                where_true(
                    'found.is_severe',
                    'jsonb_build_array(' ~ compared('severe_disability', 'true', '=', expected='true') ~ ')',
                ),
            ],
            facts=[income_fact('found')],
            facts_of=[where_true('found.is_severe', severe_disability_facts('disabled'))],
        ) }} as evidence
    from found
    inner join elder_age
        on found.standard_area = elder_age.standard_area
    inner join child_age
        on found.standard_area = child_age.standard_area
    inner join local_standard as minimum_allowance
        on found.standard_area = minimum_allowance.standard_area
        and minimum_allowance.name = 'minimum_allowance_monthly.' || found.area_type
    left join disabled
        on found.head_person_id = disabled.person_id
)

select * from final
