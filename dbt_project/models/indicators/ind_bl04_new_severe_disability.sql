with

certificate as (
    select *
    from {{ ref('int_disability') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

new_days as (
    {{ local_standard('new_disability_days') }}
),

found as (
    select distinct on (certificate.person_id) certificate.*
    from certificate
    inner join new_days
        on certificate.standard_area = new_days.standard_area
    where
        certificate.is_severe
        and {{ within_days('certificate.issued_on', 'new_days.value') }}
        and not exists (
            select 1
            from coverage
            where coverage.person_id = certificate.person_id
        )
    order by
        certificate.person_id,
        certificate.issued_on desc,
        certificate.certificate_no,
        certificate._county_code,
        certificate._load_id,
        certificate._row_no
),

final as (
    select
        'BL04' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.issued_on as fact_on,
        {{ evidence(
            compared=[
                compared('issued_on', 'found.issued_on', 'within', limit='new_days'),
                compared('severe_disability', 'found.is_severe', '=', expected='true'),
                compared('covered', 'false', '=', expected='false'),
            ],
            facts=[
                fact('disability', 'issued_on', 'found', 'found._valid_from'),
                fact('disability', 'category', 'found', 'found._valid_from'),
                fact('disability', 'grade', 'found', 'found._valid_from'),
                fact('disability', 'status', 'found', 'found._valid_from'),
                fact('disability', 'expires_on', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join new_days
        on found.standard_area = new_days.standard_area
)

select * from final
