-- Pupils' and students' current rows, at home. Where a household pays, since when it has been that much.
{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['household_id']}]) }}

with

education as (
    select *
    from {{ ref('stg_education_assistance') }}
),

versions as (
    select *
    from {{ ref('stg_education_assistance__versions') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

paid as (
    select
        _county_code,
        student_no,
        self_paid
    from education
    where self_paid > 0
),

compared_with_now as (
    select
        versions._county_code,
        versions.student_no,
        versions._valid_from,
        versions._valid_to,
        versions.self_paid = paid.self_paid as is_as_now
    from versions
    inner join paid
        on versions._county_code = paid._county_code
        and versions.student_no = paid.student_no
),

paid_since as (
    {{ since('compared_with_now', records='paid', key=['_county_code', 'student_no'], state='is_as_now') }}
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        member.standard_area,
        member.birth_on,
        education.student_no,
        education.enrolment,
        education.self_paid,
        paid_since.since as paid_since,
        education._county_code,
        education._valid_from,
        education._load_id,
        education._row_no
    from education
    inner join member
        on education.citizen_id = member.citizen_id
    left join paid_since
        on education._county_code = paid_since._county_code
        and education.student_no = paid_since.student_no
)

select * from final
