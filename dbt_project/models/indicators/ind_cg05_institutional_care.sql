{% set is_full_care_at_home = "self_care = 'full_care' and support_mode = 'home'" %}

with

special_hardship as (
    select *
    from {{ ref('stg_special_hardship') }}
    where {{ is_full_care_at_home }}
),

versions as (
    select *
    from {{ ref('stg_special_hardship__versions') }}
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

found as (
    select distinct on (member.person_id)
        member.person_id,
        member.household_id,
        member.division_code,
        special_hardship.certificate_no,
        special_hardship.self_care,
        special_hardship.support_mode,
        special_hardship.start_date,
        special_hardship.end_date,
        special_hardship._county_code,
        special_hardship._valid_from,
        special_hardship._load_id,
        special_hardship._row_no
    from special_hardship
    inner join coverage
        on special_hardship._county_code = coverage._county_code
        and special_hardship.certificate_no = coverage.certificate_no
    inner join member
        on coverage.person_id = member.person_id
    order by
        member.person_id,
        special_hardship.start_date,
        special_hardship.certificate_no,
        special_hardship._county_code,
        special_hardship._load_id,
        special_hardship._row_no
),

at_home as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'certificate_no'],
        state=is_full_care_at_home,
    ) }}
),

final as (
    select
        'CG05' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(at_home.since, found.start_date) as fact_on,
        {{ evidence(
            compared=[
                compared('self_care', 'found.self_care', '=', expected="'full_care'"),
                compared('support_mode', 'found.support_mode', '=', expected="'home'"),
                compared('in_special_hardship', 'true', '=', expected='true'),
            ],
            facts=[
                fact('special_hardship', 'self_care', 'found', 'found._valid_from'),
                fact('special_hardship', 'support_mode', 'found', 'found._valid_from'),
                fact('special_hardship', 'start_date', 'found', 'found._valid_from'),
                fact('special_hardship', 'end_date', 'found', 'found._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join at_home
        on found._county_code = at_home._county_code
        and found.certificate_no = at_home.certificate_no
)

select * from final
