with

temporary_grant as (
    select *
    from {{ ref('int_temporary_grant') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

repeated as (
    {{ local_standard('repeated_grants') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

granted as (
    select
        person_id,
        household_id,
        division_code,
        standard_area,
        count(*) as grants_within,
        max(granted_on) as granted_on
    from temporary_grant
    group by
        person_id,
        household_id,
        division_code,
        standard_area
),

found as (
    select granted.*
    from granted
    inner join repeated
        on granted.standard_area = repeated.standard_area
    where
        granted.grants_within >= repeated.value
        and not exists (
            select 1
            from coverage
            where coverage.person_id = granted.person_id
        )
),

-- Computed once, however few rows the planner expects to ask for it.
grant_facts as materialized (
    select
        temporary_grant.person_id,
        jsonb_agg(
            {{ fact('temporary_assistance', 'granted_on', 'temporary_grant', 'temporary_grant.granted_on') }}
            order by temporary_grant.granted_on, temporary_grant.grant_no, temporary_grant._county_code
        ) as facts
    from temporary_grant
    inner join found
        on temporary_grant.person_id = found.person_id
    group by temporary_grant.person_id
),

final as (
    select
        'BL09' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.granted_on as fact_on,
        {{ evidence(
            compared=[
                compared('grants', 'found.grants_within', '>=', limit='repeated', unit='grants'),
                compared('granted_on', 'found.granted_on', 'within', limit='look_back'),
                compared('covered', 'false', '=', expected='false'),
            ],
            facts_of=['grant_facts.facts'],
        ) }} as evidence
    from found
    inner join grant_facts
        on found.person_id = grant_facts.person_id
    inner join repeated
        on found.standard_area = repeated.standard_area
    inner join look_back
        on found.standard_area = look_back.standard_area
)

select * from final
