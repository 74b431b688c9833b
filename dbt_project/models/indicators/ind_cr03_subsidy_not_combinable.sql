with

disability as (
    select *
    from {{ ref('stg_disability') }}
    where living_subsidy
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
    where feed = 'special_hardship'
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

certificate_versions as (
    select *
    from {{ ref('stg_disability__versions') }}
),

hardship_versions as (
    select *
    from {{ ref('stg_special_hardship__versions') }}
),

hardship as (
    select distinct on (person_id) *
    from coverage
    order by
        person_id,
        start_date,
        certificate_no,
        _county_code,
        _load_id,
        _row_no
),

-- Any certificate, valid or not: what is asked is whether money is paid twice.
found as (
    select distinct on (member.person_id)
        member.person_id,
        member.household_id,
        member.division_code,
        disability.certificate_no,
        disability.living_subsidy,
        disability.status,
        disability._county_code,
        disability._valid_from,
        disability._load_id,
        disability._row_no
    from disability
    inner join member
        on disability.citizen_id = member.citizen_id
    inner join hardship
        on member.person_id = hardship.person_id
    order by
        member.person_id,
        disability._valid_from,
        disability.certificate_no,
        disability._county_code,
        disability._load_id,
        disability._row_no
),

subsidised as (
    {{ since(
        'certificate_versions',
        records='found',
        key=['_county_code', 'certificate_no'],
        state='living_subsidy',
    ) }}
),

receiving as (
    select
        hardship._county_code,
        hardship.certificate_no
    from hardship
    inner join found
        on hardship.person_id = found.person_id
),

in_hardship as (
    {{ since(
        'hardship_versions',
        records='receiving',
        key=['_county_code', 'certificate_no'],
        state='true',
    ) }}
),

final as (
    select
        'CR03' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(subsidised.since, in_hardship.since, hardship.start_date) as fact_on,
        {{ evidence(
            compared=[
                compared('in_special_hardship', 'true', '=', expected='true'),
                compared('living_subsidy', 'found.living_subsidy', '=', expected='true'),
            ],
            facts=[
                fact('disability', 'living_subsidy', 'found', 'found._valid_from'),
                fact('disability', 'status', 'found', 'found._valid_from'),
            ],
            facts_of=[benefit_facts('hardship', 'hardship._valid_from')],
        ) }} as evidence
    from found
    inner join hardship
        on found.person_id = hardship.person_id
    inner join subsidised
        on found._county_code = subsidised._county_code
        and found.certificate_no = subsidised.certificate_no
    inner join in_hardship
        on hardship._county_code = in_hardship._county_code
        and hardship.certificate_no = in_hardship.certificate_no
)

select * from final
