with

education as (
    select *
    from {{ ref('int_education') }}
),

versions as (
    select *
    from {{ ref('stg_education_assistance__versions') }}
),

school_age_from as (
    {{ local_standard('school_age_from') }}
),

school_age_to as (
    {{ local_standard('school_age_to') }}
),

out_of_school as (
    select
        education.*,
        {{ age_on('education.birth_on') }} as age
    from education
    inner join school_age_from
        on education.standard_area = school_age_from.standard_area
    inner join school_age_to
        on education.standard_area = school_age_to.standard_area
    where
        education.enrolment = any({{ out_of_school() }})
        and {{ age_on('education.birth_on') }} between school_age_from.value and school_age_to.value
),

stayed_away as (
    {{ since(
        'versions',
        records='out_of_school',
        key=['_county_code', 'student_no'],
        state='enrolment = any(' ~ out_of_school() ~ ')',
    ) }}
),

found as (
    select distinct on (out_of_school.person_id)
        out_of_school.*,
        stayed_away.since
    from out_of_school
    inner join stayed_away
        on out_of_school._county_code = stayed_away._county_code
        and out_of_school.student_no = stayed_away.student_no
    order by
        out_of_school.person_id,
        stayed_away.since desc,
        out_of_school.student_no,
        out_of_school._county_code,
        out_of_school._load_id,
        out_of_school._row_no
),

final as (
    select
        'BL06' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.since as fact_on,
        {{ evidence(
            compared=[
                compared('enrolment', 'found.enrolment', 'in', expected=out_of_school()),
                compared('school_age_from', 'found.age', '>=', limit='school_age_from', unit='years'),
                compared('school_age_to', 'found.age', '<=', limit='school_age_to', unit='years'),
            ],
            facts=[
                fact('education_assistance', 'enrolment', 'found', 'found._valid_from'),
                fact('education_assistance', 'citizen_id', 'found', 'found._valid_from', 'found.birth_on'),
            ],
        ) }} as evidence
    from found
    inner join school_age_from
        on found.standard_area = school_age_from.standard_area
    inner join school_age_to
        on found.standard_area = school_age_to.standard_area
)

select * from final
