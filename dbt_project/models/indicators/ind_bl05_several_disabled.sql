with

certificate as (
    select *
    from {{ ref('int_disability') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
    where is_low_income
),

low_income as (
    select *
    from {{ ref('int_household__low_income') }}
),

several as (
    {{ local_standard('several_disabled_members') }}
),

-- Members are counted, not certificates.
disabled as (
    select
        {{ county_of() }}
        household_id,
        count(distinct person_id) as disabled_members,
        max(issued_on) as issued_on
    from certificate
    group by {{ county_of() }} household_id
),

found as (
    select
        {{ county_of('household') }}
        household.household_id,
        household.head_person_id,
        household.division_code,
        household.standard_area,
        disabled.disabled_members,
        disabled.issued_on
    from household
    inner join disabled
        on {{ same_county('household', 'disabled') }} household.household_id = disabled.household_id
    inner join several
        on household.standard_area = several.standard_area
    where disabled.disabled_members >= several.value
),

certificates as (
    select
        {{ county_of('certificate') }}
        certificate.household_id,
        jsonb_agg(
            jsonb_build_array(
                {{ fact('disability', 'issued_on', 'certificate', 'certificate._valid_from') }},
                {{ fact('disability', 'status', 'certificate', 'certificate._valid_from') }},
                {{ fact('disability', 'expires_on', 'certificate', 'certificate._valid_from') }}
            )
            order by certificate.issued_on, certificate.certificate_no, certificate._county_code
        ) as facts_each
    from certificate
    inner join found
        on {{ same_county('certificate', 'found') }} certificate.household_id = found.household_id
    group by {{ county_of('certificate') }} certificate.household_id
),

final as (
    select
        'BL05' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        found.issued_on as fact_on,
        {{ evidence(
            compared=[
                compared('disabled_members', 'found.disabled_members', '>=', limit='several', unit='members'),
            ],
            compared_of=['low_income.compared'],
            facts_of=["jsonb_path_query_array(certificates.facts_each, '$[*][*]')", 'low_income.facts'],
        ) }} as evidence
    from found
    inner join certificates
        on {{ same_county('found', 'certificates') }} found.household_id = certificates.household_id
    inner join low_income
        on {{ same_county('found', 'low_income') }} found.household_id = low_income.household_id
    inner join several
        on found.standard_area = several.standard_area
)

select * from final
