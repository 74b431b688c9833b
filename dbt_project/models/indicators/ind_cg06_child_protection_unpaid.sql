with

child_protection as (
    select *
    from {{ ref('stg_child_protection') }}
    where {{ in_force('start_date', 'end_date') }}
),

versions as (
    select *
    from {{ ref('stg_child_protection__versions') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

child_age as (
    {{ local_standard('child_age_below') }}
),

found as (
    select distinct on (member.person_id)
        member.person_id,
        member.household_id,
        member.division_code,
        member.standard_area,
        {{ age_on('member.birth_on') }} as age,
        child_protection.citizen_id,
        child_protection.kind,
        child_protection.monthly_amount,
        child_protection.start_date,
        child_protection.end_date,
        child_protection._county_code,
        child_protection._valid_from,
        child_protection._load_id,
        child_protection._row_no
    from child_protection
    inner join member
        on child_protection.citizen_id = member.citizen_id
    inner join child_age
        on member.standard_area = child_age.standard_area
    where
        coalesce(child_protection.monthly_amount, 0) = 0
        and {{ age_on('member.birth_on') }} < child_age.value
    order by
        member.person_id,
        child_protection._valid_from,
        child_protection._county_code,
        child_protection._load_id,
        child_protection._row_no
),

unpaid as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'citizen_id'],
        state='coalesce(monthly_amount, 0) = 0',
    ) }}
),

final as (
    select
        'CG06' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(unpaid.since, found.start_date) as fact_on,
        {{ evidence(
            compared=[
                compared('age', 'found.age', '<', limit='child_age', unit='years'),
                compared(
                    'monthly_amount', 'coalesce(found.monthly_amount, 0)', '=', expected='0', unit='yuan per month',
                ),
            ],
            facts=[
                fact('child_protection', 'kind', 'found', 'found._valid_from'),
                fact('child_protection', 'monthly_amount', 'found', 'found._valid_from'),
                fact('child_protection', 'start_date', 'found', 'found._valid_from'),
                fact('child_protection', 'end_date', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join unpaid
        on found._county_code = unpaid._county_code
        and found.citizen_id = unpaid.citizen_id
    inner join child_age
        on found.standard_area = child_age.standard_area
)

select * from final
