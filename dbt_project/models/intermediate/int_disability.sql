-- Disability certificates that are valid on the date.
{{ config(indexes=[{'columns': ['person_id']}]) }}

with

disability as (
    select *
    from {{ ref('stg_disability') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        member.standard_area,
        disability.certificate_no,
        disability.category,
        disability.grade,
        {{ is_severe_disability('disability') }} as is_severe,
        disability.status,
        disability.issued_on,
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
    where
        disability.status = 'valid'
        and (disability.expires_on is null or disability.expires_on >= {{ as_of() }})
)

select * from final
