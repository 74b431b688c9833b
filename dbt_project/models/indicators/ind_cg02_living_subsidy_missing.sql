with

certificate as (
    select *
    from {{ ref('int_disability') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

certificate_versions as (
    select *
    from {{ ref('stg_disability__versions') }}
),

allowance_versions as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

allowance as (
    select distinct on (coverage.person_id) coverage.*
    from coverage
    where coverage.feed = 'minimum_allowance'
    order by
        coverage.person_id,
        coverage.start_date desc,
        coverage.certificate_no,
        coverage._county_code,
        coverage._load_id,
        coverage._row_no
),

found as (
    select distinct on (certificate.person_id) certificate.*
    from certificate
    inner join allowance
        on certificate.person_id = allowance.person_id
    where
        not exists (
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
                and subsidised.living_subsidy
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
        'certificate_versions',
        records='found',
        key=['_county_code', 'certificate_no'],
        state="status = 'valid' and not living_subsidy",
    ) }}
),

receiving as (
    select
        allowance._county_code,
        allowance.certificate_no,
        allowance.citizen_id
    from allowance
    inner join found
        on allowance.person_id = found.person_id
),

listed as (
    {{ since(
        'allowance_versions',
        records='receiving',
        key=['_county_code', 'certificate_no', 'citizen_id'],
        state='true',
    ) }}
),

final as (
    select
        'CG02' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(unsubsidised.since, listed.since, allowance.start_date) as fact_on,
        {{ evidence(
            compared=[
                compared('living_subsidy', 'found.living_subsidy', '=', expected='false'),
                compared('in_minimum_allowance', 'true', '=', expected='true'),
                compared('in_special_hardship', 'false', '=', expected='false'),
            ],
            facts=[
                fact('disability', 'living_subsidy', 'found', 'found._valid_from'),
                fact('disability', 'status', 'found', 'found._valid_from'),
                fact('disability', 'expires_on', 'found', 'found._valid_from'),
                fact('minimum_allowance', 'start_date', 'allowance', 'allowance._valid_from'),
                fact('minimum_allowance', 'end_date', 'allowance', 'allowance._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join allowance
        on found.person_id = allowance.person_id
    inner join unsubsidised
        on found._county_code = unsubsidised._county_code
        and found.certificate_no = unsubsidised.certificate_no
    inner join listed
        on allowance._county_code = listed._county_code
        and allowance.certificate_no = listed.certificate_no
        and allowance.citizen_id = listed.citizen_id
)

select * from final
