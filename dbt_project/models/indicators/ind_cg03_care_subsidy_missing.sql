with

certificate as (
    select *
    from {{ ref('int_disability') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

versions as (
    select *
    from {{ ref('stg_disability__versions') }}
),

found as (
    select distinct on (certificate.person_id) certificate.*
    from certificate
    where
        certificate.grade in ('1', '2')
        and not exists (
            select 1
            from coverage
            where
                coverage.person_id = certificate.person_id
                and coverage.feed = 'special_hardship'
        )
        and not exists (
            select 1
            from certificate as subsidised
            where
                subsidised.person_id = certificate.person_id
                and subsidised.care_subsidy
        )
    order by
        certificate.person_id,
        certificate.issued_on desc,
        certificate.certificate_no,
        certificate._county_code,
        certificate._load_id,
        certificate._row_no
),

unsubsidised as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'certificate_no'],
        state="status = 'valid' and grade in ('1', '2') and not care_subsidy",
    ) }}
),

final as (
    select
        'CG03' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        unsubsidised.since as fact_on,
        {{ evidence(
            compared=[
                compared('grade', 'found.grade', 'in', expected="array['1', '2']"),
                compared('care_subsidy', 'found.care_subsidy', '=', expected='false'),
                compared('in_special_hardship', 'false', '=', expected='false'),
            ],
            facts=[
                fact('disability', 'grade', 'found', 'found._valid_from'),
                fact('disability', 'care_subsidy', 'found', 'found._valid_from'),
                fact('disability', 'status', 'found', 'found._valid_from'),
                fact('disability', 'expires_on', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join unsubsidised
        on found._county_code = unsubsidised._county_code
        and found.certificate_no = unsubsidised.certificate_no
)

select * from final
