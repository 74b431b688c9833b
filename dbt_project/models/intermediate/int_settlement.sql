-- Medical settlements within the look-back months, at home: wherever the hospital is, in the county of the household.
{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['household_id']}]) }}

with

medical_assistance as (
    select *
    from {{ ref('stg_medical_assistance') }}
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
        medical_assistance.settlement_no,
        medical_assistance.settled_on,
        medical_assistance.total_cost,
        medical_assistance.self_paid,
        medical_assistance.major_illness,
        medical_assistance.insured,
        medical_assistance._load_id,
        medical_assistance._row_no
    from medical_assistance
    inner join member
        on medical_assistance.citizen_id = member.citizen_id
    inner join look_back
        on member.standard_area = look_back.standard_area
    where {{ within_months('medical_assistance.settled_on', 'look_back.value') }}
)

select * from final
