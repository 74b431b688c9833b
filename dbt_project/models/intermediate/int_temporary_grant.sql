-- Grants of temporary assistance within the look-back months, at home.
{{ config(indexes=[{'columns': ['person_id']}]) }}

with

temporary_assistance as (
    select *
    from {{ ref('stg_temporary_assistance') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        member.standard_area,
        temporary_assistance.grant_no,
        temporary_assistance.granted_on,
        temporary_assistance.amount,
        temporary_assistance._county_code,
        temporary_assistance._valid_from,
        temporary_assistance._load_id,
        temporary_assistance._row_no
    from temporary_assistance
    inner join member
        on temporary_assistance.citizen_id = member.citizen_id
    inner join look_back
        on member.standard_area = look_back.standard_area
    where {{ within_months('temporary_assistance.granted_on', 'look_back.value') }}
)

select * from final
