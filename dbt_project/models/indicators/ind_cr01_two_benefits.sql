with

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

allowance_versions as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

hardship_versions as (
    select *
    from {{ ref('stg_special_hardship__versions') }}
),

-- Of several records of one kind, the one that began first.
benefit as (
    select distinct on (coverage.person_id, coverage.feed) coverage.*
    from coverage
    where
        exists (
            select 1
            from coverage as other
            where
                other.person_id = coverage.person_id
                and other.feed <> coverage.feed
        )
    order by
        coverage.person_id,
        coverage.feed,
        coverage.start_date,
        coverage.certificate_no,
        coverage._county_code,
        coverage._load_id,
        coverage._row_no
),

allowance as (
    select *
    from benefit
    where feed = 'minimum_allowance'
),

hardship as (
    select *
    from benefit
    where feed = 'special_hardship'
),

on_allowance as (
    {{ since(
        'allowance_versions',
        records='allowance',
        key=['_county_code', 'certificate_no', 'citizen_id'],
        state='true',
    ) }}
),

in_hardship as (
    {{ since(
        'hardship_versions',
        records='hardship',
        key=['_county_code', 'certificate_no'],
        state='true',
    ) }}
),

final as (
    select
        'CR01' as indicator_code,
        'P' as scope,
        member.person_id,
        member.household_id,
        member.division_code,
        greatest(on_allowance.since, allowance.start_date, in_hardship.since, hardship.start_date) as fact_on,
        {{ evidence(
            compared=[
                compared('in_minimum_allowance', 'true', '=', expected='true'),
                compared('in_special_hardship', 'true', '=', expected='true'),
            ],
            facts_of=[
                benefit_facts('allowance', 'allowance._valid_from'),
                benefit_facts('hardship', 'hardship._valid_from'),
            ],
        ) }} as evidence
    from allowance
    inner join hardship
        on allowance.person_id = hardship.person_id
    inner join member
        on allowance.person_id = member.person_id
    inner join on_allowance
        on allowance._county_code = on_allowance._county_code
        and allowance.certificate_no = on_allowance.certificate_no
        and allowance.citizen_id = on_allowance.citizen_id
    inner join in_hardship
        on hardship._county_code = in_hardship._county_code
        and hardship.certificate_no = in_hardship.certificate_no
)

select * from final
