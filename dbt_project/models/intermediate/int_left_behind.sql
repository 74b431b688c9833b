-- Left-behind people as they are listed on the date, with their household and age.
{{ config(indexes=[{'columns': ['person_id']}]) }}

with

left_behind as (
    select *
    from {{ ref('stg_left_behind') }}
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
        member.birth_on,
        {{ age_on('member.birth_on') }} as age,
        left_behind.kind,
        left_behind.citizen_id,
        left_behind.guardian_name is null and left_behind.guardian_citizen_id is null as is_without_guardian,
        left_behind.guardian_capable,
        left_behind.registered_on,
        left_behind._county_code,
        left_behind._valid_from,
        left_behind._load_id,
        left_behind._row_no
    from left_behind
    inner join member
        on left_behind.citizen_id = member.citizen_id
)

select * from final
