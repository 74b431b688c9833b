{% set is_paid_and_lapsed -%}
(living_subsidy or care_subsidy) and (status <> 'valid' or expires_on < {{ as_of() }})
{%- endset %}

with

disability as (
    select *
    from {{ ref('stg_disability') }}
    where {{ is_paid_and_lapsed }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

versions as (
    select *
    from {{ ref('stg_disability__versions') }}
),

found as (
    select distinct on (member.person_id)
        member.person_id,
        member.household_id,
        member.division_code,
        disability.certificate_no,
        disability.status,
        disability.expires_on,
        disability.living_subsidy,
        disability.care_subsidy,
        disability._county_code,
        disability._valid_from,
        disability._load_id,
        disability._row_no
    from disability
    inner join member
        on disability.citizen_id = member.citizen_id
    order by
        member.person_id,
        disability._valid_from,
        disability.certificate_no,
        disability._county_code,
        disability._load_id,
        disability._row_no
),

lapsed as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'certificate_no'],
        state=is_paid_and_lapsed,
    ) }}
),

final as (
    select
        'CR05' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(lapsed.since, case when found.status = 'valid' then found.expires_on + 1 end) as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'certificate', "case when found.status = 'valid' then 'expired' else found.status end", '<>',
                    expected="'valid'",
                ),
                compared(
                    'subsidy',
                    "case when found.living_subsidy and found.care_subsidy then 'living_and_care'"
                    ~ " when found.living_subsidy then 'living' else 'care' end",
                    'in', expected="array['living', 'care', 'living_and_care']",
                ),
            ],
            facts=[
                fact('disability', 'status', 'found', 'found._valid_from'),
                fact('disability', 'expires_on', 'found', 'found._valid_from'),
                fact('disability', 'living_subsidy', 'found', 'found._valid_from'),
                fact('disability', 'care_subsidy', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join lapsed
        on found._county_code = lapsed._county_code
        and found.certificate_no = lapsed.certificate_no
)

select * from final
