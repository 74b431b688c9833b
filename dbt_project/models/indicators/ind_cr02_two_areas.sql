with

coverage as (
    select *
    from {{ ref('int_coverage') }}
    where feed = 'minimum_allowance'
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

versions as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

-- One certificate of each county that files any.
certificate as (
    select distinct on (coverage.person_id, coverage._county_code) coverage.*
    from coverage
    where
        exists (
            select 1
            from coverage as elsewhere
            where
                elsewhere.person_id = coverage.person_id
                and elsewhere._county_code <> coverage._county_code
        )
    order by
        coverage.person_id,
        coverage._county_code,
        coverage.start_date,
        coverage.certificate_no,
        coverage._load_id,
        coverage._row_no
),

listed as (
    {{ since(
        'versions',
        records='certificate',
        key=['_county_code', 'certificate_no', 'citizen_id'],
        state='true',
    ) }}
),

dated as (
    select
        certificate.*,
        {{ benefit_facts('certificate', 'certificate._valid_from') }} as facts,
        greatest(listed.since, certificate.start_date) as covered_since,
        row_number() over (
            partition by certificate.person_id
            order by greatest(listed.since, certificate.start_date), certificate._county_code
        ) as place
    from certificate
    inner join listed
        on certificate._county_code = listed._county_code
        and certificate.certificate_no = listed.certificate_no
        and certificate.citizen_id = listed.citizen_id
),

found as (
    select
        dated.person_id,
        count(distinct dated._county_code) as counties,
        max(dated.covered_since) filter (where dated.place = 2) as fact_on,
        jsonb_agg(fact.content order by dated.place, fact.place) as facts
    from dated
    cross join lateral jsonb_array_elements(dated.facts) with ordinality as fact (content, place)
    group by dated.person_id
),

final as (
    select
        'CR02' as indicator_code,
        'P' as scope,
        member.person_id,
        member.household_id,
        member.division_code,
        found.fact_on,
        {{ evidence(
            compared=[
                compared('in_minimum_allowance', 'true', '=', expected='true'),
                compared('counties', 'found.counties', '>', expected='1', unit='counties'),
            ],
            facts_of=['found.facts'],
        ) }} as evidence
    from found
    inner join member
        on found.person_id = member.person_id
)

select * from final
