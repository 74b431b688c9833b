with

differing_name as (
    select *
    from {{ ref('int_person__differing_name') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

final as (
    select
        'CR04' as indicator_code,
        'P' as scope,
        member.person_id,
        member.household_id,
        member.division_code,
        differing_name.fact_on,
        {{ evidence(
            compared=[
                compared('different_names', 'differing_name.different_names', '>', expected='1', unit='names'),
                compared('feeds', 'differing_name.feeds', '>', expected='1', unit='feeds'),
            ],
            facts_of=['differing_name.facts'],
        ) }} as evidence
    from differing_name
    inner join member
        on differing_name.citizen_id = member.citizen_id
)

select * from final
